"""The independent answers: reads the corpus itself, once, on all cores, and keeps them in a file beside it.

Knows the file and tally.py. Never talks to a server.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import queries
from event import Event
from tally import Tally

PART_BYTES = 64 << 20
_CODE = ("words.py", "times.py", "event.py", "queries.py", "filters.py", "tally.py", "scan.py")


def answers(corpus: Path) -> dict:
    """The answers of every query on this file, from the cache when neither the file's name nor the scanning code has changed."""
    cache = corpus.with_name(f"{corpus.stem}-answers-{_version()}.json")
    if not cache.exists():
        found = json.dumps(scan(corpus))
        partial = cache.with_suffix(".tmp")
        partial.write_text(found)
        for outdated in corpus.parent.glob(f"{corpus.stem}-answers-*.json"):
            outdated.unlink()
        partial.rename(cache)
    return json.loads(cache.read_text())


def _version() -> str:
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in _CODE)).hexdigest()[:12]


def scan(corpus: Path, processes: int | None = None, part_bytes: int = PART_BYTES) -> dict:
    """Reads the file."""
    parts = [(corpus, start, start + part_bytes) for start in range(0, corpus.stat().st_size, part_bytes)]
    whole = Tally()
    with multiprocessing.Pool(processes or os.cpu_count()) as pool:
        for part in pool.imap(_scan_part, parts):
            whole.merge(part)
    with corpus.open("rb") as file:
        found = whole.answers(lambda offset: _message_at(file, offset))
    return {
        "events": len(whole.times),
        "bytes": corpus.stat().st_size,
        "first": min(whole.times),
        "last": max(whole.times),
        "queries": found,
        "export": whole.export(queries.EXPORT_EVENTS),
    }


def _scan_part(part: tuple[Path, int, int]) -> Tally:
    """The lines that begin in `start..end`, whichever part they end in."""
    corpus, start, end = part
    tally = Tally()
    with corpus.open("rb") as file:
        if start > 0:
            file.seek(start - 1)
            file.readline()
        offset = file.tell()
        while offset < end:
            line = file.readline()
            if not line:
                break
            tally.add(Event(line), offset)
            offset += len(line)
    return tally.prune()


def _message_at(file, offset: int) -> str:
    file.seek(offset)
    return Event(file.readline()).message


def against_readme(found: dict) -> list[str]:
    """Where the answers on the 5 M corpus are not those that the workload's README states; nothing to say about other sizes."""
    if found["events"] != queries.FULL_EVENTS:
        return []
    return [
        f"{query.name}: the scan finds {number}, the README says {query.full}"
        for query in queries.QUERIES
        if query.full is not None and (number := first_number(query, found["queries"][query.name])) != query.full
    ]


def against_ripgrep(found: dict, lines: dict[str, int]) -> list[str]:
    """Where `rg -c` counts other lines than the scan for the same query: neither the needle nor the regex occurs outside a message."""
    return [
        f"{name}: the scan finds {found['queries'][name]['count']}, rg -c {count}"
        for name, count in lines.items()
        if found["queries"][name]["count"] != count
    ]


def first_number(query: queries.Query, answer: dict) -> int:
    """The number that the README states of an answer."""
    if query.kind == "distinct":
        return answer["distinct"]
    if query.kind == "top":
        return answer["table"][0][1] if answer["table"] else 0
    if query.kind in ("groups", "buckets"):
        return len(answer["table"])
    return answer["count"]
