"""One line of the corpus, read as a JSON object: its time, its message, its fields.

Knows the corpus's own names (`timestamp`, `message`), which are the defaults of the NDJSON door. Does not know queries.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterator

import times


class Event:
    """A line and what it says."""

    __slots__ = ("low", "object", "at", "message")

    def __init__(self, line: bytes) -> None:
        text = line.decode("utf-8")
        self.low = text.lower()
        self.object: dict[str, Any] = json.loads(text)
        self.at = times.parse(self.object["timestamp"])
        self.message: str = self.object["message"]

    def get(self, path: str) -> Any:
        """The value under a dotted path of the corpus's nested objects, or None."""
        value: Any = self.object
        for name in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(name)
        return value

    def texts(self) -> Iterator[str]:
        """What a bare word is looked for in: the message, then every value. Not the time."""
        yield self.message
        for name, value in self.object.items():
            if name not in ("timestamp", "message"):
                yield from _leaves(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)


def fingerprint(at: int, message: str) -> int:
    """64 bits that stand for an event; summed they stand for a set of events in any order, duplicates included."""
    digest = hashlib.blake2b(at.to_bytes(8, "little", signed=True), digest_size=8)
    digest.update(message.encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest(), "little")
