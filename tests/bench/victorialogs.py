"""The workload on a VictoriaLogs that someone has started, over its documented HTTP API.

Knows https://docs.victoriametrics.com/victorialogs/ (data ingestion: jsonline; querying: query, stats_query, hits). LogsQL's words are
case-sensitive and looked for in the message only; on this corpus the answers are the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator
from urllib.parse import urlencode

import times
from check import Answer
from client import Client
from corpus import Body, Missing
from queries import NEEDLE_IP, NEEDLE_UUID, Query

_KUBERNETES = ["namespace", "pod", "container", "node", "labels.app", "labels.version"]
_LABELS = ",".join(["host", "source", *(f"kubernetes.{name}" for name in _KUBERNETES)])
_AND_1H = "severity:=error kubernetes.namespace:=payments _time:[2026-11-23T12:00:00Z, 2026-11-23T13:00:00Z]"

LOGSQL = {
    "needle_ip_msg": f'"{NEEDLE_IP}"',
    "needle_ip_field": f'src_ip:="{NEEDLE_IP}"',
    "needle_cidr": 'src_ip:ipv4_range("203.0.113.64/26")',
    "uuid_field": f'request_id:="{NEEDLE_UUID}"',
    "uuid_msg": f'"{NEEDLE_UUID}"',
    "phrase_count": '"Failed password" | stats count() as n',
    "phrase_newest": '"Failed password"',
    "and_1h_count": _AND_1H + " | stats count() as n",
    "and_1h_rows": _AND_1H,
    "negation": 'source:=journald !"Failed password" !"Invalid user" | stats count() as n',
    "prefix_msg": '"kinsin"* | stats count() as n',
    "regex_field": 'user:~"^(admin|oracle)[0-9]+$" | stats count() as n',
    "regex_msg": '_msg:~"port (22|2222)[0-9]{2} ssh2" | stats count() as n',
    "hist_1m": "*",
    "top_ip": "src_ip:* | stats by (src_ip) count() as n | sort by (n desc) limit 10",
    "top_ip_failed": '"Failed password" | stats by (src_ip) count() as n | sort by (n desc) limit 10',
    "newest": "*",
    "count_by_user": "event.action:=failed_password | stats by (user) count() as n",
    "count_all": "* | stats count() as n",
    "distinct": "* | stats count_uniq(user) as n",
}


class VictoriaLogs:
    """See peer.py for what is asked of a peer."""

    name = "VictoriaLogs"

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(self, client: Client) -> None:
        """It cannot delete, so it has to be empty."""
        held = self.count(client)
        if held:
            raise Missing(f"VictoriaLogs at {self.url} holds {held} events already: start it on an empty directory")

    def post(self, client: Client, body: Body) -> None:
        params = {"_stream_fields": _LABELS, "_time_field": "timestamp", "_msg_field": "message"}
        headers = {"Content-Type": "application/stream+json", "Content-Encoding": "zstd"}
        client.send("POST", "/insert/jsonline", params, Path(body.file).read_bytes(), headers)

    def flush(self, client: Client) -> None:
        client.send("GET", "/internal/force_flush")

    def count(self, client: Client) -> int:
        """How many events a search finds."""
        found = _vector(_form(client, "stats_query", query="* | stats count() as n"))
        return int(found[0]["value"][1]) if found else 0

    def ask(self, client: Client, query: Query) -> bytes | None:
        text = LOGSQL[query.name]
        if query.kind == "buckets":
            return _form(client, "hits", query=text, step="1m")
        if query.kind == "rows":
            return _form(client, "query", query=text, limit=query.limit)  # `limit` here means the newest
        return _form(client, "query" if query.kind == "top" else "stats_query", query=text)

    def read(self, query: Query, body: bytes) -> Answer:
        if query.kind == "rows":
            rows = [self.event(line) for line in body.splitlines()]
            return Answer(rows=sorted(([*row, None] for row in rows), key=lambda row: -row[0]))  # it does not sort
        if query.kind == "buckets":
            return Answer(table=_buckets(json.loads(body)))
        if query.kind == "top":
            rows = [json.loads(line) for line in body.splitlines()]
            return Answer(table=[[row[query.by], int(row["n"])] for row in rows])
        series = [(one["metric"], int(one["value"][1])) for one in _vector(body)]
        if query.kind == "groups":
            return Answer(table=sorted([metric.get(query.by), count] for metric, count in series))
        return Answer(table=[[count] for _, count in series])

    def export(self, client: Client, start: int) -> Iterator[bytes] | None:
        return client.lines("/select/logsql/query", {"query": "*", "start": times.show(start)})

    def event(self, line: bytes) -> tuple[int, str]:
        """Time and message of a line."""
        found = json.loads(line)
        return times.parse(found["_time"]), found["_msg"]

    def disk_bytes(self, client: Client) -> int | None:
        """As its own metrics say, data and index."""
        lines = client.send("GET", "/metrics").decode().splitlines()
        sizes = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vl_data_size_bytes")]
        return int(sum(sizes)) if sizes else None

    def clean(self, client: Client) -> None:
        """Nothing: who started it also removes its directory."""


def _form(client: Client, route: str, **fields: object) -> bytes:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return client.send("POST", f"/select/logsql/{route}", None, urlencode(fields).encode(), headers)


def _vector(body: bytes) -> list[dict]:
    return json.loads(body)["data"]["result"]


def _buckets(found: dict) -> list[list]:
    """One series without groups; minutes in which nothing happened are left out by it and stay missing here."""
    series = [zip(one["timestamps"], one["values"]) for one in found["hits"]]
    return sorted([times.parse(at), count] for points in series for at, count in points)
