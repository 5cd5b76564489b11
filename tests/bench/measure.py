"""How often a thing is repeated, and what is said of the repetitions.

Knows clocks as functions. Does not know what it measures.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from typing import Callable, Sequence

WARM_UPS = 3
LEAST, MOST = 5, 50
ENOUGH_CPU_SECONDS = 0.5


@dataclass(frozen=True)
class Timing:
    """Of one repetition, in milliseconds; `cpu_ms` is None where the CPU clock cannot be read."""

    p50_ms: float | None
    p95_ms: float | None
    cpu_ms: float | None
    repetitions: int

    def to_json(self) -> dict:
        return asdict(self)


NONE = Timing(None, None, None, 0)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def repeat(call: Callable[[], object], cpu: Callable[[], float] | None) -> Timing:
    """Repeats until the CPU time is worth reading: half a second of it, or 50 times, and at least 5 times."""
    walls: list[float] = []
    start = cpu() if cpu else 0.0
    used = 0.0
    while len(walls) < LEAST or (len(walls) < MOST and used < ENOUGH_CPU_SECONDS):
        begun = time.perf_counter()
        call()
        walls.append((time.perf_counter() - begun) * 1000)
        used = cpu() - start if cpu else sum(walls) / 1000
    per_call = used * 1000 / len(walls) if cpu else None
    return Timing(percentile(walls, 0.5), percentile(walls, 0.95), per_call, len(walls))
