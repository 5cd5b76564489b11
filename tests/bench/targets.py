"""The targets of issue 3, and what a figure says about one.

Knows figures as numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from queries import FULL_EVENTS

MILLION = 1_000_000

SEAL_CPU_RATIO = 4.5
DISK_RATIO = 1.08
PEAK_BYTES = 400_000_000
ACK_P99_MS = 50.0
WIDE_PEAK_BYTES = 2_000_000_000
WIDE_MS = 1000.0
EXPORT_EVENTS_PER_CPU_SECOND = 400_000.0
PACE_SHARE = 0.95


@dataclass(frozen=True)
class Verdict:
    """`target` as shown; `state`: met, missed, or `so far` where a smaller corpus than the target's cannot prove it."""

    target: str
    state: str


def at_most(value: float, limit: float, shown: str, proves: bool = True) -> Verdict:
    """A figure that may not exceed the limit."""
    return Verdict("<= " + shown, _state(value <= limit, proves))


def at_least(value: float, limit: float, shown: str, proves: bool = True) -> Verdict:
    """A figure that may not fall below the limit."""
    return Verdict(">= " + shown, _state(value >= limit, proves))


def ingest(value: float, limit: float, shown: str, events: int) -> Verdict:
    """The targets of ingest are for the 1 M corpus: with less, what a server costs once weighs too much, and what grows has not grown."""
    return at_most(value, limit, shown) if events >= MILLION else Verdict("<= " + shown, "too few")


def query(cpu_ms: float | None, limit_ms: float | None, events: int) -> Verdict | None:
    """The queries' targets are for the 5 M corpus."""
    return None if limit_ms is None or cpu_ms is None else at_most(cpu_ms, limit_ms, f"{limit_ms:g} ms", events >= FULL_EVENTS)


def acks(p99_ms: float, bytes_per_second: float, asked: float) -> Verdict:
    """An ack that is quick because the pace was not kept proves nothing."""
    verdict = at_most(p99_ms, ACK_P99_MS, "50 ms")
    return verdict if bytes_per_second >= asked * PACE_SHARE else Verdict(verdict.target, "missed")


def _state(is_met: bool, proves: bool) -> str:
    return "missed" if not is_met else "met" if proves else "so far"
