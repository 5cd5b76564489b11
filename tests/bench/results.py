"""Files of earlier runs, and what is written down about this machine.

Knows target/bench and /proc. Does not know what the figures mean, but for the one ratio that is compared across sizes.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path


def machine() -> dict:
    """What the figures depend on."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal:"))
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count(),
        "memory_bytes": int(memory.split()[1]) * 1024,
        "kernel": platform.release(),
    }


def checkout(root: Path) -> str:
    """Its commit, with `-dirty` where it differs; the binary may be of another."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    found = subprocess.run(command, capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def write(directory: Path, run: dict) -> Path:
    """One file a run."""
    stamp = run["date"].replace(":", "").replace("-", "")
    path = directory / f"{stamp}-{run['events']}.json"
    path.write_text(json.dumps(run, indent=1) + "\n")
    return path


def other_size(directory: Path, events: int) -> dict | None:
    """The latest run with another number of events, at least a million: smaller ones measure the start."""
    for path in sorted(directory.glob("2*Z-*.json"), reverse=True):
        run = json.loads(path.read_text())
        if run["events"] != events and min(run["events"], events) >= 1_000_000:
            ratio = run["locard"]["ingest"]["cpu_s"] / run["bounds"]["zstd_cpu_s"]
            return {"events": run["events"], "file": path.name, "cpu_ratio": ratio}
    return None
