"""Compares an answer with the one that the scan of the file found: rows, their order, their values, tables, counts.

Knows the shapes of answers. Does not know who answered: a server's client brings its answer into this form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Callable, Iterable

import times
from event import fingerprint
from queries import Query

_MASK = (1 << 64) - 1


@dataclass
class Answer:
    """`rows`: (time, message, sequence or None), in the order received. `table`: rows without their header. `matched` is None where the
    server does not say; if not `exact` it is a lower bound."""

    rows: list[tuple[int, str, int | None]] = field(default_factory=list)
    table: list[list[Any]] = field(default_factory=list)
    matched: int | None = None
    exact: bool = True
    complete: bool = True


def check(query: Query, answer: Answer, expected: dict) -> list[str]:
    """What is wrong with an answer; nothing if it is right."""
    wrong = [] if answer.complete else ["the answer says that it is incomplete"]
    wrong += _matched(answer, expected["count"])
    return wrong + _CHECKS[query.kind](query, answer, expected)


def _matched(answer: Answer, count: int) -> list[str]:
    if answer.matched is None or answer.matched == count or (not answer.exact and answer.matched < count):
        return []
    said = "exactly" if answer.exact else "at least"
    return [f"says that {said} {answer.matched} events match, {count} do"]


def _rows(query: Query, answer: Answer, expected: dict) -> list[str]:
    """Expected rows hold all that tie with the last one; any of those may fill the last places."""
    most = min(query.limit, expected["count"])
    wrong = [] if len(answer.rows) == most else [f"{len(answer.rows)} rows, expected {most}"]
    wrong += _order(answer.rows)
    wanted = {at: sorted(message for _, message in group) for at, group in _by_time(expected["rows"])}
    cut = expected["rows"][-1][0] if expected["rows"] and len(expected["rows"]) > most else None
    got = {at: sorted(row[1] for row in group) for at, group in _by_time(answer.rows)}
    for at in sorted(wanted.keys() | got.keys(), reverse=True):
        is_right = _is_part(got.get(at, []), wanted.get(at, [])) if at == cut else got.get(at) == wanted.get(at)
        if not is_right:
            return wrong + [f"at {times.show(at)} the rows are {got.get(at)}, expected {wanted.get(at)}"]
    return wrong


def _order(rows: list) -> list[str]:
    """Newest first; of equal times the one accepted last first, where the server gives sequences."""
    for before, after in zip(rows, rows[1:]):
        is_known = before[2] is not None and after[2] is not None
        if before[0] < after[0] or (before[0] == after[0] and is_known and before[2] <= after[2]):
            return [f"out of order: {times.show(before[0])} (#{before[2]}) stands before {times.show(after[0])} (#{after[2]})"]
    return []


def _by_time(rows: Iterable) -> Iterable:
    return groupby(sorted(rows, key=lambda row: row[0]), key=lambda row: row[0])


def _is_part(some: list[str], whole: list[str]) -> bool:
    rest = list(whole)
    for message in some:
        if message not in rest:
            return False
        rest.remove(message)
    return True


def _number(number: int, answer: Answer) -> list[str]:
    return [] if answer.table == [[number]] else [f"the table is {answer.table[:3]}, expected [[{number}]]"]


def _top(query: Query, answer: Answer, expected: dict) -> list[str]:
    """The counts in order; which of equal values come first, or still come in, is left open."""
    wanted = [list(row) for row in expected["table"]]
    counts = [row[1] for row in answer.table]
    best = [row[1] for row in wanted][:10]
    if counts != best:
        return [f"the counts are {counts}, expected {best}"]
    strange = [row for row in answer.table if list(row) not in wanted]
    double = len({row[0] for row in answer.table}) != len(answer.table)
    return [f"rows {strange} are not among the expected {wanted}"] if strange else ["a value is there twice"] if double else []


def _same(answer: Answer, wanted: list[list]) -> list[str]:
    got = [list(row) for row in answer.table]
    if got == wanted:
        return []
    strange = [row for row in got if row not in wanted][:3]
    absent = [row for row in wanted if row not in got][:3]
    order = "" if strange or absent else ", the order differs"
    return [f"{len(got)} rows, expected {len(wanted)}; wrong: {strange}, missing: {absent}{order}"]


def _groups(query: Query, answer: Answer, expected: dict) -> list[str]:
    without = [[None, expected["without"]]] if expected["without"] else []
    nulls = [list(row) for row in answer.table if row[0] is None]
    named = Answer(table=[row for row in answer.table if row[0] is not None])
    wrong = [] if nulls == without else [f"without the field: {nulls}, expected {without}"]
    return wrong + _same(named, [list(row) for row in expected["table"]])


_CHECKS: dict[str, Callable[[Query, Answer, dict], list[str]]] = {
    "rows": _rows,
    "count": lambda query, answer, expected: _number(expected["count"], answer),
    "distinct": lambda query, answer, expected: _number(expected["distinct"], answer),
    "top": _top,
    "groups": _groups,
    "buckets": lambda query, answer, expected: _same(answer, [list(row) for row in expected["table"]]),
}


class ExportCheck:
    """Takes every event of an export once and keeps only their number and their sum."""

    def __init__(self, is_ordered: bool) -> None:
        self.count = 0
        self.sum = 0
        self.last: int | None = None
        self.is_ordered = is_ordered
        self.wrong: list[str] = []

    def take(self, at: int, message: str) -> None:
        """One event, in the order received."""
        self.count += 1
        self.sum = (self.sum + fingerprint(at, message)) & _MASK
        if self.is_ordered and self.last is not None and at > self.last and not self.wrong:
            self.wrong.append(f"event {self.count} of the export is newer than the one before it")
        self.last = at

    def finish(self, expected: dict) -> list[str]:
        """What is wrong with the whole."""
        if self.count != expected["count"]:
            self.wrong.append(f"{self.count} events exported, expected {expected['count']}")
        elif self.sum != expected["sum"]:
            self.wrong.append("the exported events are not those of the file")
        return self.wrong
