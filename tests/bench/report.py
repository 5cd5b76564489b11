"""What a run prints: the figures, their ratios to zstd and ripgrep in the same run, the targets, the answers.

Knows the run's figures as the JSON file holds them. Measures nothing.
"""

from __future__ import annotations

import targets
from queries import FULL_EVENTS, QUERIES
from run import ACK_BYTES_PER_SECOND
from table import megabytes, number, ratio, render
from targets import Verdict


def lines(run: dict) -> list[str]:
    """The whole report."""
    parts = [_head(run), _ingest(run), _queries(run), _resumed(run), _acks(run), _wide(run), _wrong(run)]
    return [line for part in parts if part for line in ["", *part]]


def wrong(run: dict) -> list[str]:
    """Every wrong answer of Locard, and where the scan itself is doubtful."""
    locard = run["locard"]
    parts = {"ingest": locard["ingest"], "export": locard["export"], "resumed": locard["resumed"], "acks": locard["acks"], "wide": locard["wide"], **locard["queries"]}
    return run["scan_wrong"] + [f"{name}: {text}" for name, part in parts.items() for text in part["wrong"]]


def _head(run: dict) -> list[str]:
    machine, bounds = run["machine"], run["bounds"]
    busy = run["locard"]["idle"]
    noise = [f"The server still used {busy:.0%} of a core by itself when the queries began: their CPU is too high."] if busy >= 0.01 else []
    return [
        f"{run['versions']['locard']}, {run['versions']['binary']}, checkout {run['versions']['checkout']}, {run['date']}",
        f"{machine['cpus']} x {machine['cpu']}, {megabytes(machine['memory_bytes'])},"
        f" load {machine['load_before']:.1f} to {machine['load_after']:.1f}",
        f"{run['events']:,} events, {megabytes(run['bytes'])}",
        f"zstd -3: {number(bounds['zstd_cpu_s'], 2)} CPU-s, {megabytes(bounds['zstd_bytes'])};"
        f" rg -c: needle {number(bounds['rg_needle_cpu_s'] * 1000)} CPU-ms, regex {number(bounds['rg_regex_cpu_s'] * 1000)} CPU-ms",
        *noise,
    ]


def _ingest(run: dict) -> list[str]:
    own, bounds, events = run["locard"]["ingest"], run["bounds"], run["events"]
    cpu, disk = bounds["zstd_cpu_s"], bounds["zstd_bytes"]

    def row(name: str, show, against: str = "", verdict: Verdict | None = None) -> list[str]:
        others = [show(peer["ingest"]) for peer in run["peers"].values()]
        return [name, show(own), against, *_verdict(verdict), *others]

    rows = [
        row("CPU, sealed and merged", lambda i: number(i["cpu_s"], 2, " s"), ratio(own["cpu_s"], cpu) + " zstd", _cpu_target(run)),
        row("events per CPU-second", lambda i: number(events / i["cpu_s"] if i["cpu_s"] else None, 0)),
        row("CPU until the last ack", lambda i: number(i.get("cpu_acked_s"), 2, " s"), ratio(own["cpu_acked_s"], cpu) + " zstd"),
        row("wall until the last ack", lambda i: number(i["wall_acked_s"], 2, " s")),
        row("wall, sealed and merged", lambda i: number(i["wall_s"], 2, " s")),
        row("visible after the last ack", _visible),
        row("peak RSS", lambda i: megabytes(i["peak_bytes"]), "", targets.ingest(own["peak_bytes"], targets.PEAK_BYTES, "400 MB", events)),
        row("bytes on disk", lambda i: megabytes(i["disk_bytes"]), ratio(own["disk_bytes"], disk) + " zstd", _disk_target(run)),
        row("of raw", lambda i: number(100 * i["disk_bytes"] / run["bytes"] if i["disk_bytes"] else None, 1, " %")),
        row("bodies refused and sent again", lambda i: number(i["refusals"], 0)),
        *_cost(run),
    ]
    return render(["ingest", "Locard", "ratio", "target", "", *run["peers"]], rows)


def _visible(ingest: dict) -> str:
    """A peer is waited for; Locard is asked once, right after the ack."""
    if "visible_after_s" in ingest:
        return number(ingest["visible_after_s"], 2, " s")
    return "WRONG" if ingest["wrong"] else "at once"


def _cpu_target(run: dict) -> Verdict:
    value = run["locard"]["ingest"]["cpu_s"] / run["bounds"]["zstd_cpu_s"]
    return targets.ingest(value, targets.SEAL_CPU_RATIO, "4.5x", run["events"])


def _disk_target(run: dict) -> Verdict:
    value = run["locard"]["ingest"]["disk_bytes"] / run["bounds"]["zstd_bytes"]
    return targets.ingest(value, targets.DISK_RATIO, "1.08x", run["events"])


def _cost(run: dict) -> list[list[str]]:
    """Cost per event against the last run of another size, as a ratio of ratios: machines and hours differ."""
    other = run["other_size"]
    if other is None:
        return []
    mine = run["locard"]["ingest"]["cpu_s"] / run["bounds"]["zstd_cpu_s"]
    change = mine / other["cpu_ratio"]
    return [[f"CPU/zstd against {other['events']:,} events", f"{change:.2f}x", "", "", "", *["" for _ in run["peers"]]]]


def _queries(run: dict) -> list[str]:
    own, events = run["locard"], run["events"]
    scan = run["bounds"]["rg_needle_cpu_s"] * 1000
    rows = []
    for query in QUERIES:
        found = own["queries"][query.name]
        verdict = targets.query(found["cpu_ms"], query.target_ms, events)
        figures = [number(found[name], 2) for name in ("p50_ms", "p95_ms", "cpu_ms")]
        others = [cell for peer in run["peers"].values() for cell in _peer_cells(peer["queries"][query.name])]
        rows.append([query.name, *figures, ratio(found["cpu_ms"], scan), *_verdict(verdict), _right(found), *others])
    rows.append(_export_row(run))
    peers = [f"{name} {what}" for name in run["peers"] for what in ("p50", "CPU", "rows")]
    return render(["query, warm, ms", "p50", "p95", "CPU", "/rg needle", "target CPU", "", "rows", *peers], rows)


def _peer_cells(found: dict | None) -> list[str]:
    return ["-", "-", "-"] if found is None else [number(found["p50_ms"], 2), number(found["cpu_ms"], 2), _right(found, "differ")]


def _export_row(run: dict) -> list[str]:
    found, scan = run["locard"]["export"], run["bounds"]["rg_needle_cpu_s"]
    pace = found["events"] / found["cpu_s"] if found["cpu_s"] else 0.0
    verdict = targets.at_least(pace, targets.EXPORT_EVENTS_PER_CPU_SECOND, "400,000/s", run["events"] >= FULL_EVENTS)
    cells = [f"export, {pace:,.0f} events/CPU-s", number(found["wall_s"] * 1000, 0), "", number(found["cpu_s"] * 1000, 0)]
    row = [*cells, ratio(found["cpu_s"], scan), *_verdict(verdict), _right(found)]
    for peer in run["peers"].values():
        theirs = peer["export"]
        wall = [number(theirs["wall_s"] * 1000, 0), number(theirs["cpu_s"] and theirs["cpu_s"] * 1000, 0)] if theirs else ["-", "-"]
        row += [*wall, _right(theirs, "differ") if theirs else "-"]
    return row


def _resumed(run: dict) -> list[str]:
    found = run["locard"]["resumed"]
    ways = ", ".join(f"{name} {megabytes(way['bytes'])}" for name, way in found["ways"].items())
    verdict = "WRONG" if found["wrong"] else "every byte as without"
    return [f"exports of {found['events']:,} events, each interrupted twice and taken up ({ways}): {verdict}"]


def _acks(run: dict) -> list[str]:
    found = run["locard"]["acks"]
    verdict = targets.acks(found["p99_ms"], found["bytes_per_s"], ACK_BYTES_PER_SECOND)
    visible = Verdict("= 0", "met" if not found["wrong"] else "missed")
    searched = f"{found['markers']} markers, " + ("every one in the next search" if not found["wrong"] else "WRONG")
    rows = [
        ["pace", f"{found['bytes_per_s'] / 1e6:.1f} MB/s", "20 MB/s", ""],
        ["ack p50", number(found["p50_ms"], 1, " ms"), "", ""],
        ["ack p99", number(found["p99_ms"], 1, " ms"), *_verdict(verdict)],
        ["ack, slowest", number(found["max_ms"], 1, " ms"), "", ""],
        ["ack to visible", searched, *_verdict(visible)],
    ]
    title = f"acks, {found['bodies']} bodies <= {found['body_bytes'] / 1000:.0f} KB, {found['clients']} clients"
    return render([title, "", "target", ""], rows)


def _wide(run: dict) -> list[str]:
    found = run["locard"]["wide"]
    peak = targets.at_most(found["peak_bytes"], targets.WIDE_PEAK_BYTES, "2 GB")
    rows = [
        ["peak RSS", megabytes(found["peak_bytes"]), "", "", *_verdict(peak)],
        ["ingest, sealed and merged", number(found["ingest_cpu_s"], 2, " CPU-s"), "", "", "", ""],
    ]
    for name, query in found["queries"].items():
        verdict = targets.at_most(query["warm_ms"], targets.WIDE_MS, "1 s")
        rows.append([name, *(number(query[figure], 0, " ms") for figure in ("warm_ms", "first_ms", "cpu_ms")), *_verdict(verdict)])
    title = f"{found['streams']:,} streams, {found['templates']:,} templates"
    return render([title, "warm", "first", "CPU", "target", ""], rows)


def _wrong(run: dict) -> list[str]:
    found = wrong(run)
    differing = [
        f"{name} {query}: {text}"
        for name, peer in run["peers"].items()
        for query, answer in [*peer["queries"].items(), ("export", peer["export"])]
        if answer
        for text in answer["wrong"]
    ]
    verdict = f"{len(found)} WRONG" if found else "Every answer is that of the independent scan."
    return [verdict, *(f"  WRONG {text[:1000]}" for text in found), *(f"  differs: {text[:500]}" for text in differing)]


def _right(found: dict, otherwise: str = "WRONG") -> str:
    return otherwise if found["wrong"] else "OK"


def _verdict(verdict: Verdict | None) -> list[str]:
    if verdict is None:
        return ["", ""]
    return [verdict.target, verdict.state.upper() if verdict.state == "missed" else verdict.state]
