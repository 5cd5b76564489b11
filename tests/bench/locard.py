"""Locard's routes: how a query of the workload is asked and how its answer reads.

Knows /api/search, /api/export and the NDJSON door.
"""

from __future__ import annotations

import json
from typing import Any, Iterator

import times
from check import Answer, ExportCheck
from client import Client, Refused
from queries import Query

INGEST_PATH = "/ingest/ndjson"
INGEST_PARAMS = {"stream_fields": "host,source,kubernetes"}
INGEST_HEADERS = {"Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
_NDJSON = {"Accept": "application/x-ndjson"}


def ask(client: Client, query: Query) -> bytes:
    """The answer as sent: reading it is not part of what is timed."""
    return client.send("GET", "/api/search", {"q": query.q, "limit": query.limit})


def read(query: Query, body: bytes) -> Answer:
    """The answer in the form that is compared."""
    found = json.loads(body)
    matched = found["matched"]
    table = found["table"]["rows"] if found["table"] else []
    if query.kind == "buckets":
        table = [[times.parse(at), count] for at, count in table]
    return Answer([_row(event) for event in found["events"]], table, matched["value"], matched["exact"], found["complete"])


def _row(event: dict[str, Any]) -> tuple[int, str, int]:
    return times.parse(event["@timestamp"]), event["message"], int(event["_id"].rsplit("-", 1)[1])


def exporter(client: Client) -> str:
    """The route to export by: /api/export, or the NDJSON form of a search where there is none yet."""
    try:
        client.send("GET", "/api/export", {"q": "*", "limit": 1}, headers=_NDJSON)
    except Refused as refused:
        if refused.status != 404:
            raise
        return "/api/search"
    return "/api/export"


def export_lines(client: Client, path: str, start: int) -> Iterator[bytes]:
    """Every event filed at `start` (nanoseconds) or later, a line each."""
    params = {"q": "*", "start": times.show(start), "limit": 1_000_000_000}
    return client.lines(path, params, _NDJSON)


def is_summary(line: bytes) -> bool:
    """Whether a line of an export is no event but says what came before it."""
    return line.startswith(b'{"_summary":')


def check_export(lines: Iterator[bytes], expected: dict) -> list[str]:
    """Reads and compares every event."""
    check = ExportCheck(is_ordered=True)
    for line in lines:
        event = json.loads(line)
        summary = event.get("_summary")
        if isinstance(summary, dict):
            if not summary["complete"] or summary["count"] != check.count:
                check.wrong.append(f"the summary says {summary}")
            continue
        check.take(times.parse(event["@timestamp"]), event["message"])
    return check.finish(expected)
