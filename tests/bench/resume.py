"""An export of everything that is interrupted twice and taken up again: put together, it is byte for byte the one that was not.

Knows /api/export and the ways to go on that docs/http-api.md has. Holds no export in memory, however large.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Iterator

from client import Refused
from server import Server

# Format, and what says where to go on: behind an event, or behind so many bytes.
WAYS = [("ndjson", "after"), ("ndjson", "offset"), ("parquet", "offset")]
# Where the connection is closed, as a share of all bytes: in the middle of whatever stands there.
CUTS = (0.31, 0.74)
SUMMARY = b'{"_summary":'


class Lines:
    """Digests whole lines and holds the last one back: it may be half a line, or the summary, which is another for every part."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self.bytes = 0
        self.last = b""
        self.held = b""

    def take(self, piece: bytes) -> None:
        self.held += piece
        end = self.held.rfind(b"\n", 0, len(self.held) - 1)
        if end >= 0:
            self._digest(self.held[: end + 1])
            self.held = self.held[end + 1 :]

    def cut(self) -> str:
        """The connection broke: what is there of a line is dropped. The id of the last event there is."""
        if self.held.endswith(b"\n"):
            self._digest(self.held)
        self.held = b""
        return json.loads(self.last)["_id"]

    def summary(self) -> dict:
        """What the last line says."""
        return json.loads(self.held)["_summary"] if self.held.startswith(SUMMARY) else {}

    def _digest(self, lines: bytes) -> None:
        self.digest.update(lines)
        self.count += lines.count(b"\n")
        self.bytes += len(lines)
        self.last = lines[lines.rfind(b"\n", 0, len(lines) - 1) + 1 :]


class Bytes:
    """Digests everything."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.bytes = 0

    def take(self, piece: bytes) -> None:
        self.digest.update(piece)
        self.bytes += len(piece)


def resumed(server: Server, events: int) -> dict:
    """Every way to go on, each against a whole export of the same moment."""
    figures: dict = {"events": events, "cuts": list(CUTS), "ways": {}, "wrong": []}
    for format, by in WAYS:
        begun = time.perf_counter()
        try:
            size, wrong = (_by_event if by == "after" else _by_bytes)(server, format, events)
        except Refused as refused:
            size, wrong = 0, [str(refused)]
        figures["ways"][f"{format} by {by}"] = {"bytes": size, "wall_s": time.perf_counter() - begun}
        figures["wrong"] += [f"{format} by {by}: {text}" for text in wrong]
    return figures


def _by_event(server: Server, format: str, events: int) -> tuple[int, list[str]]:
    whole, parts = Lines(), Lines()
    cursor, _ = _read(server, {"format": format}, whole)
    wrong = _against_summary(whole, whole.count)
    ask, before = {"format": format, "cursor": cursor}, 0
    for share in CUTS:
        _read(server, ask, parts, int(whole.bytes * share) - parts.bytes)
        ask["after"] = parts.cut()
        wrong += [] if before < parts.count < whole.count else [f"the cut at {share} left {parts.count} of {whole.count} events"]
        before = parts.count
    _read(server, ask, parts)
    wrong += _against_summary(parts, parts.count - before)
    wrong += _compared(whole, parts)
    if whole.count != events:
        wrong.append(f"{whole.count} events exported, sent {events}")
    return whole.bytes, wrong


def _against_summary(lines: Lines, count: int) -> list[str]:
    said = lines.summary()
    fits = said.get("count") == count and said.get("complete") is True
    return [] if fits else [f"the summary of {count} events says {said}"]


def _by_bytes(server: Server, format: str, events: int) -> tuple[int, list[str]]:
    whole, parts = Bytes(), Bytes()
    cursor, _ = _read(server, {"format": format}, whole)
    ask = {"format": format, "cursor": cursor}
    for share in CUTS:
        _read(server, {**ask, "offset": parts.bytes}, parts, int(whole.bytes * share) - parts.bytes)
    _, id = _read(server, {**ask, "offset": parts.bytes}, parts)
    wrong = _compared(whole, parts)
    with server.client() as client:
        said = client.get(f"/api/export/{id}/manifest")
    if (said["count"], said["complete"], said["state"]) != (events, True, "done"):
        wrong.append(f"the manifest of {events} events says {said}")
    return whole.bytes, wrong


def _compared(whole: Lines | Bytes, parts: Lines | Bytes) -> list[str]:
    if (whole.bytes, whole.digest.digest()) == (parts.bytes, parts.digest.digest()):
        return []
    return [f"the parts are {parts.bytes} bytes, SHA-256 {parts.digest.hexdigest()}, the whole {whole.bytes}, {whole.digest.hexdigest()}"]


def _read(server: Server, params: dict, into: Lines | Bytes, most: int | None = None) -> tuple[str, str]:
    """Reads an export, or so many bytes of it and closes the connection; its cursor and its id."""
    with server.client() as client:
        head, pieces = client.stream("/api/export", {"q": "*", **params})
        for piece in pieces if most is None else _first(pieces, most):
            into.take(piece)
        return head["Locard-Cursor"], head["Locard-Export"]


def _first(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return
