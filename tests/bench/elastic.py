"""The workload on an Elasticsearch (or OpenSearch) that someone has started, in an index of its own.

Knows the REST API: _bulk, _search, _count, _refresh, _forcemerge. What its query language cannot say over analysed text (a regex across
words) and what takes a cursor of its own (the export) is left out.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator

import times
from check import Answer
from client import Client, Refused
from corpus import Body
from queries import NEEDLE_IP, NEEDLE_UUID, Query

_MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "30s"},
    "mappings": {
        "dynamic_templates": [{"texts": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}],
        "date_detection": False,
        "properties": {
            "timestamp": {"type": "date_nanos"},
            "message": {"type": "text"},
            "src_ip": {"type": "ip"},
            "dst_ip": {"type": "ip"},
        },
    },
}


def _phrase(text: str) -> dict:
    return {"match_phrase": {"message": text}}


def _all(*filters: dict) -> dict:
    return {"bool": {"filter": list(filters)}}


_AND_1H = _all(
    {"term": {"severity": "error"}},
    {"term": {"kubernetes.namespace": "payments"}},
    {"range": {"timestamp": {"gte": "2026-11-23T12:00:00Z", "lt": "2026-11-23T13:00:01Z"}}},
)
_FAILED = _phrase("Failed password")
_TOP = {"terms": {"field": "src_ip", "size": 10}}

FILTERS: dict[str, dict] = {
    "needle_ip_msg": _phrase(NEEDLE_IP),
    "needle_ip_field": {"term": {"src_ip": NEEDLE_IP}},
    "needle_cidr": {"term": {"src_ip": "203.0.113.64/26"}},
    "uuid_field": {"term": {"request_id": NEEDLE_UUID}},
    "uuid_msg": _phrase(NEEDLE_UUID),
    "phrase_count": _FAILED,
    "phrase_newest": _FAILED,
    "and_1h_count": _AND_1H,
    "and_1h_rows": _AND_1H,
    "negation": {"bool": {"filter": [{"term": {"source": "journald"}}], "must_not": [_FAILED, _phrase("Invalid user")]}},
    "prefix_msg": {"prefix": {"message": "kinsin"}},
    "regex_field": {"regexp": {"user": "(admin|oracle)[0-9]+"}},
    "hist_1m": {"match_all": {}},
    "top_ip": {"exists": {"field": "src_ip"}},
    "top_ip_failed": _FAILED,
    "newest": {"match_all": {}},
    "count_by_user": {"term": {"event.action": "failed_password"}},
    "count_all": {"match_all": {}},
    "distinct": {"match_all": {}},
}

AGGREGATIONS: dict[str, dict] = {
    "hist_1m": {"date_histogram": {"field": "timestamp", "fixed_interval": "1m", "min_doc_count": 0}},
    "top_ip": _TOP,
    "top_ip_failed": _TOP,
    "count_by_user": {"terms": {"field": "user", "size": 10_000, "order": {"_key": "asc"}}},
    "distinct": {"cardinality": {"field": "user", "precision_threshold": 40_000}},
}


class Elastic:
    """See peer.py for what is asked of a peer."""

    name = "Elasticsearch"

    def __init__(self, url: str) -> None:
        self.url = url
        self.index = f"/locard-bench-{time.time_ns()}"

    def prepare(self, client: Client) -> None:
        _json(client, "PUT", self.index, _MAPPING)

    def post(self, client: Client, body: Body) -> None:
        packed = gzip.compress(bulk(_unpack(body)), 1)
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        answer = json.loads(client.send("POST", self.index + "/_bulk", None, packed, headers))
        if answer["errors"]:
            statuses = [item["create"]["status"] for item in answer["items"]]
            first = next(item["create"] for item in answer["items"] if item["create"]["status"] >= 300)
            raise Refused(max(statuses), json.dumps(first).encode(), 1)

    def flush(self, client: Client) -> None:
        client.send("POST", self.index + "/_forcemerge", {"max_num_segments": 1})
        client.send("POST", self.index + "/_refresh")

    def count(self, client: Client) -> int:
        """How many events a search finds."""
        return client.get(self.index + "/_count")["count"]

    def ask(self, client: Client, query: Query) -> bytes | None:
        if query.name not in FILTERS:
            return None
        asked: dict[str, Any] = {"query": FILTERS[query.name]}
        if query.kind == "count":
            return _json(client, "POST", self.index + "/_count", asked)
        asked["track_total_hits"] = True
        if query.name in AGGREGATIONS:
            asked |= {"size": 0, "aggs": {"a": AGGREGATIONS[query.name]}}
        else:
            asked |= {"size": query.limit, "sort": [{"timestamp": "desc"}]}
        # Without its cache of whole answers, which a second identical question would only read.
        return _json(client, "POST", self.index + "/_search?request_cache=false", asked)

    def read(self, query: Query, body: bytes) -> Answer:
        found = json.loads(body)
        if query.kind == "count":
            return Answer(table=[[found["count"]]], matched=found["count"])
        total = found["hits"]["total"]
        answer = Answer(matched=total["value"], exact=total["relation"] == "eq", complete=not found["timed_out"])
        if query.name in AGGREGATIONS:
            answer.table = _table(query, found["aggregations"]["a"])
        else:
            sources = [hit["_source"] for hit in found["hits"]["hits"]]
            answer.rows = [(times.parse(one["timestamp"]), one["message"], None) for one in sources]
        return answer

    def export(self, client: Client, start: int) -> Iterator[bytes] | None:
        return None

    def disk_bytes(self, client: Client) -> int | None:
        return client.get(self.index + "/_stats/store")["_all"]["total"]["store"]["size_in_bytes"]

    def clean(self, client: Client) -> None:
        """Removes the index."""
        client.send("DELETE", self.index)


def bulk(lines: bytes) -> bytes:
    """NDJSON as the body of a _bulk request."""
    return b"".join(b'{"create":{}}\n' + line + b"\n" for line in lines.split(b"\n") if line)


def _unpack(body: Body) -> bytes:
    return subprocess.run(["zstd", "-d", "-q", "-c", str(Path(body.file))], check=True, capture_output=True).stdout


def _table(query: Query, found: dict) -> list[list]:
    if query.kind == "distinct":
        return [[found["value"]]]
    if query.kind == "buckets":
        return [[bucket["key"] * 1_000_000, bucket["doc_count"]] for bucket in found["buckets"]]
    return [[bucket["key"], bucket["doc_count"]] for bucket in found["buckets"]]


def _json(client: Client, method: str, path: str, asked: dict) -> bytes:
    return client.send(method, path, None, json.dumps(asked).encode(), {"Content-Type": "application/json"})
