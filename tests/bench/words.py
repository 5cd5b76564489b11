"""What a bare word, a phrase and a prefix find, as DESIGN §5 words it, written a second time so that the server is not its own judge.

Knows texts. Does not know events, files or servers.
"""

from __future__ import annotations

import re


def bounded(literal: str) -> re.Pattern[str]:
    """Matches `literal`, already in lower case, where no word goes on at an edge that is itself part of a word."""
    return re.compile(_edge(literal[0], r"(?<!\w)") + re.escape(literal) + _edge(literal[-1], r"(?!\w)"))


def prefix(literal: str) -> re.Pattern[str]:
    """Like `bounded` at the left edge; the star lifts the right one."""
    return re.compile(_edge(literal[0], r"(?<!\w)") + re.escape(literal))


def _edge(character: str, bound: str) -> str:
    return bound if re.match(r"\w", character) else ""
