"""What is printed and written, from made-up figures."""

import json
import tempfile
import unittest
from pathlib import Path

import corpus
import report
import results
from queries import QUERIES


def figures(events=1_000_000, cpu_s=10.0, cpu_ms=1.0):
    """A run in which all is right."""
    timing = {"p50_ms": 1.5, "p95_ms": 2.5, "cpu_ms": cpu_ms, "repetitions": 50, "wrong": []}
    ingest = {"cpu_s": cpu_s, "cpu_acked_s": 5.0, "wall_acked_s": 4.0, "wall_s": 8.0, "refusals": 0}
    sizes = {"peak_bytes": 300_000_000, "disk_bytes": 94_000_000, "wrong": []}
    acks = {"bodies": 400, "body_bytes": 512_000, "clients": 4, "bytes_per_s": 20e6, "p50_ms": 5.0, "p99_ms": 20.0, "max_ms": 30.0}
    slow = {"first_ms": 3000.0, "warm_ms": 2000.0, "cpu_ms": 1900.0}
    wide = {"streams": 1_000_000, "templates": 100_000, "ingest_cpu_s": 12.0, "ingest_peak_bytes": 5e8, "peak_bytes": 9e8}
    return {
        "date": "2026-11-24T12:00:00Z",
        "events": events,
        "bytes": events * 613,
        "machine": {"cpus": 2, "cpu": "a processor", "memory_bytes": 24e9, "load_before": 0.1, "load_after": 1.0},
        "versions": {"locard": "locard 0.1.0", "binary": "target/release/locard", "checkout": "abc"},
        "bounds": {"zstd_cpu_s": 2.5, "zstd_bytes": 90_000_000, "rg_needle_cpu_s": 0.1, "rg_regex_cpu_s": 0.2},
        "scan_wrong": [],
        "locard": {
            "ingest": {**ingest, **sizes},
            "idle": 0.0,
            "queries": {query.name: dict(timing) for query in QUERIES},
            "export": {"events": events, "wall_s": 3.0, "cpu_s": 2.0, "wrong": []},
            "resumed": {"events": events, "ways": {"ndjson by after": {"bytes": 780e6, "wall_s": 9.0}}, "wrong": []},
            "acks": {**acks, "refusals": 0, "markers": 40, "wrong": []},
            "wide": {**wide, "queries": {"top host.name": slow}, "wrong": []},
        },
        "peers": {},
        "other_size": None,
    }


def peer():
    """One on another machine, which cannot express everything and answers one query otherwise."""
    own = figures()["locard"]
    queries = {name: {**one, "cpu_ms": None} for name, one in own["queries"].items()}
    queries["regex_msg"] = None
    queries["distinct"]["wrong"] = ["another number"]
    ingest = {**own["ingest"], "cpu_s": None, "peak_bytes": None, "disk_bytes": None, "visible_after_s": 1.25}
    return {"ingest": ingest, "queries": queries, "export": None}


def row(run, name):
    """The cells of the line that begins with this name."""
    return next(line for line in report.lines(run) if line.startswith(name)).split()


class Report(unittest.TestCase):
    def test_ratios_and_verdicts(self):
        run = figures()
        self.assertEqual(row(run, "CPU, sealed")[4:], ["10.00", "s", "4.00x", "zstd", "<=", "4.5x", "met"])
        self.assertEqual(row(run, "events per")[-1], "100,000")
        self.assertEqual(row(run, "top host.name")[2:], ["2,000", "ms", "3,000", "ms", "1,900", "ms", "<=", "1", "s", "MISSED"])
        self.assertEqual(row(run, "bytes on disk")[3:], ["94.0", "MB", "1.04x", "zstd", "<=", "1.08x", "met"])
        self.assertEqual(row(run, "hist_1m")[1:], ["1.50", "2.50", "1.00", "0.010x", "<=", "5", "ms", "so", "far", "OK"])
        self.assertEqual(row(run, "export")[-2:], ["far", "OK"])
        self.assertEqual(row(figures(cpu_s=12.0), "CPU, sealed")[-1], "MISSED")
        self.assertEqual(row(figures(cpu_ms=5.5), "hist_1m")[-2:], ["MISSED", "OK"])
        self.assertEqual(row(figures(5_000_000), "hist_1m")[-2:], ["met", "OK"])

    def test_every_query_has_a_line(self):
        for query in QUERIES:
            self.assertEqual(row(figures(), query.name)[0], query.name)

    def test_wrong_answers_are_shown_and_counted(self):
        run = figures()
        self.assertEqual(report.wrong(run), [])
        run["locard"]["queries"]["newest"]["wrong"] = ["out of order"]
        run["locard"]["acks"]["wrong"] = ["lost"]
        run["locard"]["wide"]["wrong"] = ["too few"]
        run["locard"]["export"]["wrong"] = ["short"]
        run["locard"]["resumed"]["wrong"] = ["other bytes"]
        run["locard"]["ingest"]["wrong"] = ["few"]
        run["scan_wrong"] = ["odd"]
        self.assertEqual(report.wrong(run), ["odd", "ingest: few", "export: short", "resumed: other bytes", "acks: lost", "wide: too few", "newest: out of order"])
        text = report.lines(run)
        self.assertIn("7 WRONG", text)
        self.assertIn("  WRONG newest: out of order", text)
        self.assertEqual(row(run, "newest")[-1], "WRONG")
        self.assertEqual((row(run, "exports of")[-1], row(figures(), "exports of")[-2:]), ("WRONG", ["as", "without"]))
        self.assertEqual(row(run, "ack to visible")[-1], "MISSED")
        self.assertEqual(row(run, "visible after")[-1], "WRONG")

    def test_peers_stand_beside_and_do_not_fail_the_run(self):
        run = {**figures(), "peers": {"VictoriaLogs": peer()}}
        self.assertEqual(row(run, "newest")[-4:], ["OK", "1.50", "-", "OK"])
        self.assertEqual(row(run, "regex_msg")[-4:], ["OK", "-", "-", "-"])
        self.assertEqual(row(run, "distinct")[-1], "differ")
        self.assertEqual(row(run, "visible after")[-2:], ["1.25", "s"])
        self.assertIn("  differs: VictoriaLogs distinct: another number", report.lines(run))
        self.assertEqual(report.wrong(run), [])

    def test_a_refused_query_has_no_figures(self):
        run = figures()
        refused = {"p50_ms": None, "p95_ms": None, "cpu_ms": None, "repetitions": 0, "wrong": ["HTTP 500: defect"]}
        run["locard"]["queries"]["hist_1m"] = refused
        self.assertEqual(row(run, "hist_1m")[1:], ["-", "-", "-", "-", "WRONG"])

    def test_a_busy_server_is_said(self):
        run = figures()
        run["locard"]["idle"] = 0.5
        self.assertTrue(any("50% of a core" in line for line in report.lines(run)))


class Files(unittest.TestCase):
    def test_the_cost_per_event_against_another_size(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            self.assertIsNone(results.other_size(directory, 5_000_000))
            for events in (1_000_000, 5_000_000, 20_000):
                path = results.write(directory, figures(events))
            self.assertEqual(path.name, "20261124T120000Z-20000.json")
            self.assertEqual(json.loads(path.read_text())["events"], 20_000)
            other = results.other_size(directory, 5_000_000)
        self.assertEqual((other["events"], other["cpu_ratio"]), (1_000_000, 4.0))
        run = {**figures(5_000_000, cpu_s=55.0), "other_size": other}
        run["bounds"]["zstd_cpu_s"] = 12.5
        self.assertEqual(row(run, "CPU/zstd against")[-1], "1.10x")

    def test_without_the_shared_folder_it_says_so(self):
        with tempfile.TemporaryDirectory() as directory:
            with self.assertRaisesRegex(corpus.Missing, "set LOCARD_SHARED"):
                corpus.generate(Path(directory), 10, Path(directory))


if __name__ == "__main__":
    unittest.main()
