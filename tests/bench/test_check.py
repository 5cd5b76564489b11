"""The comparison: what is right passes, and every way to be wrong is found."""

import unittest

from check import Answer, ExportCheck, check
from event import fingerprint
from queries import QUERIES, Query

ROWS = Query("r", "", "rows", "all", limit=3)
WANTED = {"count": 5, "rows": [[9, "a"], [8, "b"], [7, "c"], [7, "d"]]}  # two tie for the third place


class Rows(unittest.TestCase):
    def check(self, rows, is_right, **said):
        answer = Answer(rows=rows, **{"matched": 5, **said})
        self.assertEqual(check(ROWS, answer, WANTED) == [], is_right, rows)

    def test_either_of_a_tie_may_fill_the_last_place(self):
        self.check([(9, "a", 2), (8, "b", 1), (7, "c", 0)], True)
        self.check([(9, "a", 2), (8, "b", 1), (7, "d", 3)], True)

    def test_wrong_rows(self):
        self.check([(9, "a", 2), (8, "b", 1), (7, "x", 0)], False)
        self.check([(9, "a", 2), (8, "x", 1), (7, "c", 0)], False)
        self.check([(9, "a", 2), (8, "b", 1), (6, "c", 0)], False)
        self.check([(9, "a", 2), (8, "b", 1)], False)
        self.check([(9, "a", 2), (9, "a", 1), (8, "b", 0)], False)
        self.check([], False)

    def test_wrong_order(self):
        self.check([(8, "b", 1), (9, "a", 2), (7, "c", 0)], False)

    def test_equal_times_go_by_sequence(self):
        wanted = {"count": 2, "rows": [[7, "c"], [7, "d"]]}
        for first, second, is_right in [(5, 4, True), (4, 5, False), (None, None, True)]:
            answer = Answer(rows=[(7, "d", first), (7, "c", second)])
            self.assertEqual(check(ROWS, answer, wanted) == [], is_right)

    def test_a_row_twice_does_not_stand_for_two(self):
        wanted = {"count": 3, "rows": [[7, "c"], [7, "c"], [7, "d"]]}
        self.assertEqual(check(ROWS, Answer(rows=[(7, "c", None)] * 2 + [(7, "d", None)]), wanted), [])
        self.assertNotEqual(check(ROWS, Answer(rows=[(7, "c", None)] + [(7, "d", None)] * 2), wanted), [])

    def test_what_is_said_of_the_whole(self):
        rows = [(9, "a", 2), (8, "b", 1), (7, "c", 0)]
        self.check(rows, False, complete=False)
        self.check(rows, False, matched=4)
        self.check(rows, False, matched=6, exact=False)
        self.check(rows, True, matched=3, exact=False)
        self.check(rows, True, matched=None)


class Tables(unittest.TestCase):
    def check(self, kind, table, expected, is_right):
        query = Query("t", "", kind, "all")
        self.assertEqual(check(query, Answer(table=table), {"count": 1, **expected}) == [], is_right, table)

    def test_one_number(self):
        self.check("count", [[1]], {}, True)
        self.check("count", [[2]], {}, False)
        self.check("count", [], {}, False)
        self.check("distinct", [[4]], {"distinct": 4}, True)
        self.check("distinct", [[5]], {"distinct": 4}, False)

    def test_top(self):
        wanted = {"table": [[str(n), 20 - n] for n in range(9)] + [["x", 1], ["y", 1]]}
        best = wanted["table"][:9]
        self.check("top", best + [["x", 1]], wanted, True)
        self.check("top", best + [["y", 1]], wanted, True)
        self.check("top", best + [["z", 1]], wanted, False)
        self.check("top", best + [["x", 2]], wanted, False)
        self.check("top", best, wanted, False)
        self.check("top", best[::-1] + [["x", 1]], wanted, False)
        self.check("top", [["a", 1], ["a", 1]], {"table": [["a", 1], ["b", 1]]}, False)

    def test_groups(self):
        wanted = {"table": [["a", 1], ["b", 2]], "without": 0}
        self.check("groups", [["a", 1], ["b", 2]], wanted, True)
        self.check("groups", [["b", 2], ["a", 1]], wanted, False)
        self.check("groups", [["a", 1], ["b", 3]], wanted, False)
        self.check("groups", [["a", 1]], wanted, False)
        self.check("groups", [["a", 1], ["b", 2], [None, 1]], wanted, False)
        self.check("groups", [["a", 1], ["b", 2], [None, 1]], {**wanted, "without": 1}, True)

    def test_buckets(self):
        self.check("buckets", [[0, 1], [60, 0]], {"table": [[0, 1], [60, 0]]}, True)
        self.check("buckets", [[0, 1]], {"table": [[0, 1], [60, 0]]}, False)

    def test_every_kind_is_compared(self):
        for query in QUERIES:
            expected = {"count": 3, "rows": [[1, "m"]] * 3, "table": [["v", 3]], "distinct": 3, "without": 0}
            self.assertNotEqual(check(query, Answer(matched=3), expected), [], query.name)


class Export(unittest.TestCase):
    def check(self, events, is_right):
        taken = ExportCheck(is_ordered=True)
        for event in events:
            taken.take(*event)
        wanted = {"count": 2, "sum": (fingerprint(2, "b") + fingerprint(1, "a")) % (1 << 64)}
        self.assertEqual(taken.finish(wanted) == [], is_right, events)

    def test_every_event_once_and_newest_first(self):
        self.check([(2, "b"), (1, "a")], True)
        self.check([(1, "a"), (2, "b")], False)
        self.check([(2, "b")], False)
        self.check([(2, "b"), (2, "b")], False)
        self.check([(2, "b"), (1, "x")], False)


if __name__ == "__main__":
    unittest.main()
