"""RFC 3339 times in UTC to nanoseconds since 1970, without losing any.

Knows texts. A time of another zone or form is an error: the corpus and the answers have none.
"""

from __future__ import annotations

import functools
import time
from datetime import datetime

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


@functools.lru_cache(maxsize=100_000)
def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp())


def parse(text: str) -> int:
    """Nanoseconds of a time such as `2026-11-23T12:00:00.123456789Z`, with none to nine digits of a second."""
    if len(text) < 20 or text[-1] != "Z":
        raise ValueError(f"not a time in UTC: {text!r}")
    fraction = text[20:-1] if text[19] == "." else text[19:-1]
    if len(fraction) > 9 or (fraction and not fraction.isdigit()):
        raise ValueError(f"not a time: {text!r}")
    return _seconds(text[:19]) * SECOND + int(fraction.ljust(9, "0"))


def show(nanoseconds: int) -> str:
    """The exact spelling, all nine digits."""
    seconds, rest = divmod(nanoseconds, SECOND)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09d}Z"
