"""`make bench`: the shared workload through the real server, every answer compared with a scan of the file, every figure with a yardstick.

Knows the environment and the order of things. docs/bench.md is the manual. Exit codes: 0; 1 an answer is wrong; 2 it cannot run.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys
import time
from pathlib import Path

import bounds
import corpus
import peer
import report
import results
import scan
import server
import times
from corpus import Missing
from run import ACK_BYTES_PER_SECOND, measure_acks, measure_server, say
from wide import measure_wide

ROOT = Path(__file__).resolve().parents[2]
ACK_SECONDS = 10
CLIENTS = 2


def main() -> int:
    """Runs everything and prints the report."""
    directory = ROOT / "target" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    try:
        run = measure_all(directory, _events(), _shared(), _binary())
    except Missing as missing:
        print(f"bench: {missing}", file=sys.stderr)
        return 2
    print("\n".join(report.lines(run)))
    print(f"\n{results.write(directory, run).relative_to(ROOT)}")
    return 1 if report.wrong(run) else 0


def measure_all(directory: Path, events: int, shared: Path, binary: Path) -> dict:
    """All figures of one run. The yardsticks are taken before and after the server's part and averaged."""
    bounds.require()
    say(f"bench: corpus of {events:,} events")
    file = corpus.generate(shared, events, directory)
    bodies = corpus.bodies(file, corpus.INGEST_BYTES)
    small = corpus.bodies(file, corpus.ACK_BYTES, ACK_BYTES_PER_SECOND * ACK_SECONDS)
    say("bench: scanning the file for the answers (kept for the next run)")
    answers = scan.answers(file)
    _believable(answers)
    machine = {**results.machine(), "load_before": os.getloadavg()[0]}
    say("bench: zstd and ripgrep")
    before = bounds.zstd(file)
    needle, regex = bounds.needle(file), bounds.regex(file)
    counted = {"needle_ip_msg": needle[1], "regex_msg": regex[1]}
    locard = measure_server(binary, directory, bodies, answers, CLIENTS)
    after = bounds.zstd(file)
    locard["acks"] = measure_acks(binary, directory, small)
    say("bench: a million streams, a hundred thousand templates")
    locard["wide"] = measure_wide(binary, directory, answers["events"])
    peers = _peers(bodies, answers)
    machine["load_after"] = os.getloadavg()[0]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "events": answers["events"],
        "bytes": answers["bytes"],
        "machine": machine,
        "versions": _versions(binary),
        "bounds": {
            "zstd_cpu_s": (before[0] + after[0]) / 2,
            "zstd_cpu_runs_s": [before[0], after[0]],
            "zstd_bytes": after[1],
            "rg_needle_cpu_s": needle[0],
            "rg_needle_lines": needle[1],
            "rg_regex_cpu_s": regex[0],
            "rg_regex_lines": regex[1],
        },
        "scan_wrong": scan.against_readme(answers) + scan.against_ripgrep(answers, counted),
        "locard": locard,
        "peers": peers,
        "other_size": results.other_size(directory, answers["events"]),
    }


def _peers(bodies: list[corpus.Body], answers: dict) -> dict:
    found = {}
    for variable, make in peer.PEERS.items():
        if url := os.environ.get(variable):
            say(f"bench: {make.name} at {url}")
            found[make.name] = peer.run(make(url), bodies, answers, CLIENTS)
    return found


def _versions(binary: Path) -> dict:
    own = {"locard": server.version(binary), "binary": str(binary), "checkout": results.checkout(ROOT), "python": platform.python_version()}
    return {**own, **bounds.versions()}


def _believable(answers: dict) -> None:
    """An event more than 24 h ahead of the clock is filed under the time of receipt, and the order of the answers would be another."""
    if answers["last"] > time.time_ns() + 23 * 3600 * times.SECOND:
        raise Missing(f"this machine's clock is a day or more before the corpus ({times.show(answers['last'])}): set it right")


def _events() -> int:
    if text := os.environ.get("EVENTS"):
        if not text.isdigit() or int(text) < 1:
            raise SystemExit(f"bench: EVENTS={text} is not a number of events")
        return int(text)
    return 5_000_000 if os.environ.get("FULL") == "1" else 1_000_000


def _shared() -> Path:
    return Path(os.environ.get("LOCARD_SHARED") or ROOT.parent / "shared")


def _binary() -> Path:
    target = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
    binary = Path(os.environ.get("LOCARD_BIN") or target / "release" / "locard")
    if not binary.is_file():
        raise Missing(f"{binary} is not there: `make bench` builds it, or set LOCARD_BIN")
    return binary


if __name__ == "__main__":
    sys.exit(main())
