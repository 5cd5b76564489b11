"""The filters of the workload as predicates on one event, by DESIGN §5.

Each is written for a reader to check, not for speed; `in event.low` only spares the exact test where it cannot succeed. Knows no server.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import Callable

import times
import words
from event import Event
from queries import NEEDLE_IP, NEEDLE_UUID

Filter = Callable[[Event], bool]


def _anywhere(literal: str, pattern: re.Pattern[str]) -> Filter:
    """In the message or any value. The raw line has the literal as it is: none of ours holds a character that JSON escapes."""

    def test(event: Event) -> bool:
        return literal in event.low and any(pattern.search(text.lower()) for text in event.texts())

    return test


def _word(text: str) -> Filter:
    return _anywhere(text.lower(), words.bounded(text.lower()))


def _equals(path: str, value: str) -> Filter:
    return lambda event: event.get(path) == value


def _regex(path: str, pattern: str) -> Filter:
    search = re.compile(pattern).search

    def test(event: Event) -> bool:
        value = event.get(path)
        return value is not None and search(value) is not None

    return test


_NETWORK = ipaddress.ip_network("203.0.113.64/26")


@functools.lru_cache(maxsize=1_000_000)
def _in_network(text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in _NETWORK
    except ValueError:
        return False


def _cidr(event: Event) -> bool:
    value = event.get("src_ip")
    return value is not None and _in_network(value)


_FROM = times.parse("2026-11-23T12:00:00Z")
# A time covers what it is written to, here a second, so `TO …13:00:00Z]` ends with that second.
_TO = times.parse("2026-11-23T13:00:01Z")


def _and_1h(event: Event) -> bool:
    is_asked = event.get("severity") == "error" and event.get("kubernetes.namespace") == "payments"
    return is_asked and _FROM <= event.at < _TO


_phrase = _word("Failed password")
_invalid = _word("Invalid user")


def _negation(event: Event) -> bool:
    return event.get("source") == "journald" and not _phrase(event) and not _invalid(event)


FILTERS: dict[str, Filter] = {
    "all": lambda event: True,
    "needle_word": _word(NEEDLE_IP),
    "needle_field": _equals("src_ip", NEEDLE_IP),
    "needle_cidr": _cidr,
    "uuid_field": _equals("request_id", NEEDLE_UUID),
    "uuid_word": _word(NEEDLE_UUID),
    "phrase": _phrase,
    "and_1h": _and_1h,
    "negation": _negation,
    "prefix": _anywhere("kinsin", words.prefix("kinsin")),
    "regex_field": _regex("user", r"^(admin|oracle)[0-9]+\Z"),
    "regex_msg": _regex("message", r"port (22|2222)[0-9]{2} ssh2"),
    "has_ip": lambda event: event.get("src_ip") is not None,
    "failed_action": _equals("event.action", "failed_password"),
}
