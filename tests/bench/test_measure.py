"""Percentiles, repetitions, what the kernel says, verdicts, columns."""

import os
import socket
import time
import unittest
from pathlib import Path

import measure
import process
import table
import targets


class Measure(unittest.TestCase):
    def test_percentile_is_the_nearest_rank(self):
        values = list(range(100, 0, -1))
        for share, expected in [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)]:
            self.assertEqual(measure.percentile(values, share), expected)
        self.assertEqual(measure.percentile([7], 0.99), 7)

    def repetitions(self, cpu_seconds_a_call):
        calls = []
        timing = measure.repeat(lambda: calls.append(1), lambda: len(calls) * cpu_seconds_a_call)
        self.assertEqual(timing.repetitions, len(calls))
        self.assertAlmostEqual(timing.cpu_ms, cpu_seconds_a_call * 1000)
        return timing.repetitions

    def test_it_repeats_until_the_cpu_time_is_worth_reading(self):
        self.assertEqual(self.repetitions(0.0), measure.MOST)
        self.assertEqual(self.repetitions(0.0625), 8)
        self.assertEqual(self.repetitions(10.0), measure.LEAST)

    def test_without_a_cpu_clock_there_is_no_cpu_figure(self):
        self.assertIsNone(measure.repeat(lambda: None, None).cpu_ms)


class Kernel(unittest.TestCase):
    def test_cpu_of_a_process_is_what_it_says_itself(self):
        before = process.cpu_seconds(os.getpid())
        own = time.process_time()
        while time.process_time() - own < 0.05:
            pass
        used = process.cpu_seconds(os.getpid()) - before
        self.assertGreaterEqual(used, 0.05)
        self.assertLess(used, 1)
        self.assertAlmostEqual(sum(process.user_and_system(os.getpid())), process.cpu_seconds(os.getpid()), delta=0.1)

    def test_peak_memory_grows(self):
        before = process.peak_bytes(os.getpid())
        held = b"x" * (before + (8 << 20))
        self.assertGreater(process.peak_bytes(os.getpid()), len(held))

    def test_a_command_costs_cpu_and_says_something(self):
        cpu, output = process.run_timed(["sh", "-c", "echo said"])
        self.assertGreater(cpu, 0)
        self.assertEqual(output, "said\n")
        self.assertRaises(Exception, process.run_timed, ["false"])
        self.assertEqual(process.run_timed(["false"], good=(1,))[1], "")

    def test_who_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.assertEqual(process.listener(port), os.getpid())
        self.assertNotEqual(process.listener(port), os.getpid())

    def test_only_sockets_that_listen_count(self):
        rows = [
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
            "   0: 0100007F:24D4 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1",
            "   1: 0100007F:24D4 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 222 1",
            "   2: 0100007F:24D5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1",
        ]
        self.assertEqual(process.listening("\n".join(rows), 9428), {"111"})

    def test_disk_counts_all_files(self):
        here = Path(__file__).parent
        sizes = sum(path.lstat().st_size for path in here.rglob("*") if path.is_file())
        self.assertEqual(process.disk_bytes(here), sizes)


class Verdicts(unittest.TestCase):
    def test_a_target_is_proven_only_on_its_corpus(self):
        self.assertEqual(targets.query(4.9, 5, 5_000_000).state, "met")
        self.assertEqual(targets.query(5.1, 5, 5_000_000).state, "missed")
        self.assertEqual(targets.query(4.9, 5, 1_000_000).state, "so far")
        self.assertEqual(targets.query(5.1, 5, 1_000_000).state, "missed")
        self.assertIsNone(targets.query(5.1, None, 5_000_000))
        self.assertEqual(targets.ingest(4.4, 4.5, "", 1_000_000).state, "met")
        self.assertEqual(targets.ingest(4.6, 4.5, "", 1_000_000).state, "missed")
        self.assertEqual(targets.ingest(4.4, 4.5, "", 10_000).state, "too few")
        self.assertEqual(targets.at_least(1, 2, "").state, "missed")

    def test_quick_acks_at_a_slower_pace_prove_nothing(self):
        self.assertEqual(targets.acks(10, 20e6, 20e6).state, "met")
        self.assertEqual(targets.acks(60, 20e6, 20e6).state, "missed")
        self.assertEqual(targets.acks(10, 18e6, 20e6).state, "missed")


class Columns(unittest.TestCase):
    def test_columns_line_up(self):
        self.assertEqual(table.render(["a", "n"], [["long", "1"], ["b", "22"]]), ["a      n", "--------", "long   1", "b     22"])

    def test_numbers(self):
        self.assertEqual(table.number(12345.678, 2, " s"), "12,345.68 s")
        self.assertEqual(table.number(None), "-")
        self.assertEqual(table.megabytes(1_500_000), "1.5 MB")
        self.assertEqual(table.ratio(1, 2), "0.50x")
        self.assertEqual(table.ratio(1, 200), "0.005x")
        self.assertEqual(table.ratio(4000, 2), "2,000x")
        self.assertEqual(table.ratio(None, 2), "-")
        self.assertEqual(table.ratio(1, 0), "-")


if __name__ == "__main__":
    unittest.main()
