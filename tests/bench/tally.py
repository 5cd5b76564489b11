"""What one pass over some lines counts, and how the counts of several passes become the answers.

Knows queries by their kind and filter. Does not know files: lines come with a number that their owner can find them by.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Callable

import times
from event import Event, fingerprint
from filters import FILTERS
from queries import QUERIES

Place = tuple[int, int]  # (time, number of the line)
_MASK = (1 << 64) - 1


def newest(places: list[Place], most: int) -> list[Place]:
    """The newest `most`, and those that share the last one's time: which of these an answer shows depends on its ids."""
    ordered = sorted(places, reverse=True)
    if len(ordered) <= most:
        return ordered
    oldest = ordered[most - 1][0]
    return [place for place in ordered if place[0] >= oldest]


def top(counts: Counter[str], most: int) -> list[tuple[str, int]]:
    """The `most` most frequent, most frequent first, and those that tie with the last."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) <= most:
        return ordered
    return [item for item in ordered if item[1] >= ordered[most - 1][1]]


def buckets(minutes: Counter[int]) -> list[tuple[int, int]]:
    """A row a minute from the first to the last, empty ones included."""
    if not minutes:
        return []
    return [(minute * times.MINUTE, minutes[minute]) for minute in range(min(minutes), max(minutes) + 1)]


class Tally:
    """Counts of a part of the corpus; parts can be merged."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.places: dict[str, list[Place]] = {q.filter: [] for q in QUERIES if q.kind == "rows"}
        self.groups: dict[str, Counter[str]] = {q.name: Counter() for q in QUERIES if q.by}
        self.minutes: Counter[int] = Counter()
        self.times = array("q")
        self.prints = array("Q")

    def add(self, event: Event, number: int) -> None:
        """Counts one event."""
        hits = {name for name, test in FILTERS.items() if test(event)}
        self.counts.update(hits)
        for name in hits & self.places.keys():
            self.places[name].append((event.at, number))
        for query in _GROUPED:
            if query.filter in hits:
                value = event.get(query.by)
                if value is not None:
                    self.groups[query.name][value] += 1
        self.minutes[event.at // times.MINUTE] += 1
        self.times.append(event.at)
        self.prints.append(fingerprint(event.at, event.message))

    def prune(self) -> Tally:
        """Keeps of the rows only those that can be in an answer."""
        for query in QUERIES:
            if query.kind == "rows":
                self.places[query.filter] = newest(self.places[query.filter], query.limit)
        return self

    def merge(self, other: Tally) -> None:
        """Adds what another part counted."""
        self.counts.update(other.counts)
        for name, places in other.places.items():
            self.places[name].extend(places)
        for name, groups in other.groups.items():
            self.groups[name].update(groups)
        self.minutes.update(other.minutes)
        self.times.extend(other.times)
        self.prints.extend(other.prints)
        self.prune()

    def answers(self, message_of: Callable[[int], str]) -> dict[str, dict]:
        """The answer of every query, in values that JSON can hold."""
        return {query.name: self._answer(query, message_of) for query in QUERIES}

    def _answer(self, query, message_of: Callable[[int], str]) -> dict:
        answer: dict = {"count": self.counts[query.filter]}
        if query.kind == "rows":
            answer["rows"] = [[at, message_of(number)] for at, number in self.places[query.filter]]
        elif query.kind == "top":
            answer["table"] = top(self.groups[query.name], 10)
        elif query.kind == "groups":
            answer["table"] = sorted(self.groups[query.name].items())
            answer["without"] = answer["count"] - sum(self.groups[query.name].values())
        elif query.kind == "distinct":
            answer["distinct"] = len(self.groups[query.name])
        elif query.kind == "buckets":
            answer["table"] = buckets(self.minutes)
        return answer

    def export(self, most: int) -> dict:
        """The newest `most` events and those that share the last one's time, as a range of time, a count and a sum of fingerprints."""
        ordered = sorted(self.times, reverse=True)
        start = ordered[min(most, len(ordered)) - 1] if ordered else 0
        chosen = [mark for at, mark in zip(self.times, self.prints) if at >= start]
        return {"start": start, "count": len(chosen), "sum": sum(chosen) & _MASK}


_GROUPED = [query for query in QUERIES if query.by]
