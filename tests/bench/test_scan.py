"""The scan: parts add up to the whole, ties, histograms, tables; and the pieces that bodies are cut in."""

import tempfile
import unittest
from collections import Counter
from pathlib import Path

import corpus
import queries
import scan
import tally
import times
from testing import line

LINES = [
    line(5, "Failed password for a", src_ip="10.0.0.1", user="a", source="journald", event={"action": "failed_password"}),
    line(1, "Failed password for b", src_ip="10.0.0.2", user="b", source="journald", event={"action": "failed_password"}),
    line(5, "Failed password for a again", src_ip="10.0.0.1", user="a", source="journald", event={"action": "failed_password"}),
    line(9, "quiet", source="journald"),
    line(9, f"from {queries.NEEDLE_IP} é", source="kernel", event={"action": "failed_password"}),
]


class Scan(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.corpus = Path(directory.name) / "c.ndjson"
        self.corpus.write_bytes(b"".join(LINES))
        self.found = scan.scan(self.corpus, processes=1)

    def answer(self, name):
        return self.found["queries"][name]

    def test_counts_rows_and_tables(self):
        at = times.parse("2026-11-23T12:00:00Z")
        self.assertEqual(self.found["events"], 5)
        self.assertEqual(self.answer("count_all"), {"count": 5})
        self.assertEqual(self.answer("needle_ip_msg"), {"count": 1, "rows": [[at + 9 * times.SECOND, f"from {queries.NEEDLE_IP} é"]]})
        rows = self.answer("phrase_newest")["rows"]
        self.assertEqual([row[1][-5:] for row in rows], ["again", "for a", "for b"])
        self.assertEqual(self.answer("top_ip")["table"], [("10.0.0.1", 2), ("10.0.0.2", 1)])
        self.assertEqual(self.answer("count_by_user"), {"count": 4, "table": [("a", 2), ("b", 1)], "without": 1})
        self.assertEqual(self.answer("distinct")["distinct"], 2)
        self.assertEqual(self.answer("hist_1m")["table"], [(at, 5)])
        self.assertEqual(self.answer("negation"), {"count": 1})

    def test_parts_of_any_size_add_up(self):
        for size in (1, 7, 150, 151, 400):
            self.assertEqual(scan.scan(self.corpus, processes=2, part_bytes=size), self.found, size)

    def test_a_kept_answer_is_the_same(self):
        first = scan.answers(self.corpus)
        self.assertEqual(scan.answers(self.corpus), first)
        self.assertEqual(first["export"], self.found["export"])
        self.assertEqual(len(list(self.corpus.parent.glob("*-answers-*.json"))), 1)

    def test_ripgrep_must_count_the_same(self):
        self.assertEqual(scan.against_ripgrep(self.found, {"needle_ip_msg": 1}), [])
        self.assertEqual(len(scan.against_ripgrep(self.found, {"needle_ip_msg": 2})), 1)

    def test_the_readme_speaks_of_five_million(self):
        self.assertEqual(scan.against_readme(self.found), [])
        found = dict(self.found, events=queries.FULL_EVENTS)
        self.assertEqual(len(scan.against_readme(found)), sum(query.full is not None for query in queries.QUERIES))


class Rules(unittest.TestCase):
    def test_newest_keeps_all_that_tie_with_the_last(self):
        places = [(1, 0), (3, 1), (2, 2), (2, 3), (1, 4)]
        self.assertEqual(tally.newest(places, 2), [(3, 1), (2, 3), (2, 2)])
        self.assertEqual(tally.newest(places, 9), sorted(places, reverse=True))

    def test_top_keeps_all_that_tie_with_the_last(self):
        counts = Counter({"a": 3, "b": 2, "c": 2, "d": 1})
        self.assertEqual(tally.top(counts, 2), [("a", 3), ("b", 2), ("c", 2)])
        self.assertEqual(tally.top(Counter(), 2), [])

    def test_buckets_without_events_are_there(self):
        self.assertEqual(tally.buckets(Counter({10: 1, 12: 4})), [(10 * times.MINUTE, 1), (11 * times.MINUTE, 0), (12 * times.MINUTE, 4)])
        self.assertEqual(tally.buckets(Counter()), [])

    def test_an_export_takes_whole_instants(self):
        part = tally.Tally()
        for at, mark in [(1, 10), (2, 20), (2, 30), (3, 1 << 63)]:
            part.times.append(at)
            part.prints.append(mark)
        self.assertEqual(part.export(2), {"start": 2, "count": 3, "sum": (50 + (1 << 63)) % (1 << 64)})

    def test_times_keep_nanoseconds(self):
        self.assertEqual(times.parse("1970-01-01T00:01:00.5Z"), 60_500_000_000)
        self.assertEqual(times.parse("1970-01-01T00:00:00.123456789Z"), 123_456_789)
        self.assertEqual(times.show(60_500_000_001), "1970-01-01T00:01:00.500000001Z")
        for text in ("1970-01-01T00:00:00", "1970-01-01T00:00:00+01:00", "1970-01-01T00:00:00.1234567890Z", "yesterday at noon, Z"):
            self.assertRaises(ValueError, times.parse, text)

    def test_pieces_are_whole_lines_within_the_limit(self):
        lines = [b"a" * 3 + b"\n", b"b" * 3 + b"\n", b"c" * 9 + b"\n", b"d\n"]
        self.assertEqual(list(corpus.pieces(iter(lines), 8)), [(b"aaa\nbbb\n", 2), (b"c" * 9 + b"\n", 1), (b"d\n", 1)])
        self.assertEqual(list(corpus.pieces(iter([]), 8)), [])


if __name__ == "__main__":
    unittest.main()
