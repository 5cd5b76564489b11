"""What Debian's zstd and ripgrep need for the same file in the same run: the yardsticks of every ratio.

Knows their command lines.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
from pathlib import Path

from corpus import Missing
from process import run_timed
from queries import NEEDLE_IP

_REGEX = "port (22|2222)[0-9]{2} ssh2"


def require() -> None:
    """Says which tool is missing."""
    for tool, package in (("zstd", "zstd"), ("rg", "ripgrep")):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: run `make deps`, or apt-get install {package}")


def zstd(corpus: Path) -> tuple[float, int]:
    """CPU seconds of `zstd -3` on the file, and the size of what it writes."""
    packed = corpus.with_suffix(".zst")
    try:
        cpu, _ = run_timed(["zstd", "-3", "-q", "-f", "-o", str(packed), str(corpus)])
        return cpu, packed.stat().st_size
    finally:
        packed.unlink(missing_ok=True)


def ripgrep(corpus: Path, arguments: list[str]) -> tuple[float, int]:
    """CPU seconds of `rg -c` over the file, the median of three runs, and the lines it counts."""
    runs = [run_timed(["rg", "--no-config", "-c", *arguments, str(corpus)], good=(0, 1)) for _ in range(3)]
    return statistics.median(cpu for cpu, _ in runs), int(runs[0][1] or 0)


def needle(corpus: Path) -> tuple[float, int]:
    """The needle as a fixed string."""
    return ripgrep(corpus, ["-F", NEEDLE_IP])


def regex(corpus: Path) -> tuple[float, int]:
    """The message regex."""
    return ripgrep(corpus, [_REGEX])


def versions() -> dict[str, str]:
    """First lines of what the tools say."""
    return {tool: subprocess.run([tool, "--version"], capture_output=True, text=True).stdout.splitlines()[0] for tool in ("zstd", "rg")}
