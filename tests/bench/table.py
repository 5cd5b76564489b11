"""Columns of text.

Knows nothing else.
"""

from __future__ import annotations

from typing import Sequence


def render(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines with the first `left` columns flush left and the others flush right."""
    cells = [list(map(str, row)) for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        padded = [cell.ljust(width) if column < left else cell.rjust(width) for column, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(padded).rstrip())
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """With thousands separated, or a dash."""
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def megabytes(value: float | None) -> str:
    """Of 1,000,000 bytes."""
    return "-" if value is None else f"{value / 1e6:,.1f} MB"


def ratio(value: float | None, bound: float) -> str:
    """Value over bound, to three figures where it is small."""
    if value is None or not bound:
        return "-"
    times = value / bound
    return f"{times:.3f}x" if times < 0.1 else f"{times:.2f}x" if times < 100 else f"{times:,.0f}x"
