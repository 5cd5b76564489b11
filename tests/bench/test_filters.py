"""Words, fields and the workload's filters, against examples of DESIGN §5."""

import unittest

import words
from event import Event, fingerprint
from filters import FILTERS
from queries import NEEDLE_IP, NEEDLE_UUID, QUERIES
from testing import line


def hits(**fields):
    """Names of the filters that match an event, but for the one that matches all."""
    second, message = fields.pop("second", 0), fields.pop("message", "")
    event = Event(line(second, message, **fields))
    return {name for name, test in FILTERS.items() if test(event)} - {"all"}


class Words(unittest.TestCase):
    def check(self, pattern, text, expected):
        self.assertEqual(bool(pattern.search(text.lower())), expected, text)

    def test_a_word_ends_where_no_letter_digit_or_underscore_follows(self):
        address = words.bounded("203.0.113.77")
        self.check(address, "src=203.0.113.77:443", True)
        self.check(address, "203.0.113.77", True)
        self.check(address, "1203.0.113.77", False)
        self.check(address, "203.0.113.770", False)
        self.check(address, "203.0.113.77_", False)
        self.check(address, "203a0.113.77", False)
        self.check(words.bounded("root"), "chroot", False)
        self.check(words.bounded("root"), "ROOT!", True)
        self.check(words.bounded("root"), "éroot", False)

    def test_an_edge_that_is_no_word_has_no_bound(self):
        self.check(words.bounded("--force"), "git--force", True)
        self.check(words.bounded("--force"), "--forced", False)

    def test_a_star_lifts_the_right_edge_only(self):
        self.check(words.prefix("kinsin"), "/tmp/kinsing", True)
        self.check(words.prefix("kinsin"), "xkinsing", False)


class Workload(unittest.TestCase):
    def test_every_query_has_a_filter(self):
        self.assertEqual({query.filter for query in QUERIES} - FILTERS.keys(), set())

    def test_the_needle_in_a_message_a_field_and_its_network(self):
        self.assertEqual(hits(message=f"from {NEEDLE_IP} port"), {"needle_word"})
        self.assertEqual(hits(src_ip=NEEDLE_IP), {"needle_word", "needle_field", "needle_cidr", "has_ip"})
        self.assertEqual(hits(src_ip="203.0.113.64"), {"needle_cidr", "has_ip"})
        self.assertEqual(hits(src_ip="203.0.113.128"), {"has_ip"})
        self.assertEqual(hits(src_ip="not an address"), {"has_ip"})
        self.assertEqual(hits(other={"deep": [1, f"x {NEEDLE_IP}"]}), {"needle_word"})

    def test_the_uuid(self):
        self.assertEqual(hits(message=f"rid={NEEDLE_UUID.upper()}"), {"uuid_word"})
        self.assertEqual(hits(request_id=NEEDLE_UUID), {"uuid_word", "uuid_field"})
        self.assertEqual(hits(request_id=NEEDLE_UUID.upper()), {"uuid_word"})

    def test_phrases_and_their_negation(self):
        self.assertEqual(hits(message="FAILED Password for x", source="journald"), {"phrase"})
        self.assertEqual(hits(message="failed passwords", source="journald"), {"negation"})
        self.assertEqual(hits(message="Invalid user bob", source="journald"), set())
        self.assertEqual(hits(message="ok", source="kernel"), set())

    def test_an_hour_with_its_last_second(self):
        fields = {"severity": "error", "kubernetes": {"namespace": "payments"}}
        self.assertEqual(hits(**fields), {"and_1h"})
        self.assertEqual(hits(severity="error", kubernetes={"namespace": "payments-staging"}), set())
        for at, expected in [("11:59:59.999999999", 0), ("13:00:00.999999999", 1), ("13:00:01", 0)]:
            moved = Event(line(0, "", **fields).replace(b"12:00:00", at.encode()))
            self.assertEqual(FILTERS["and_1h"](moved), bool(expected), at)

    def test_prefix_and_regexes(self):
        self.assertEqual(hits(message="exec /tmp/kinsing"), {"prefix"})
        self.assertEqual(hits(user="admin12"), {"regex_field"})
        self.assertEqual(hits(user="admin12x"), set())
        self.assertEqual(hits(user="admin12\n"), set())
        self.assertEqual(hits(message="port 2242 ssh2"), {"regex_msg"})
        self.assertEqual(hits(message="port 22 ssh2"), set())
        self.assertEqual(hits(event={"action": "failed_password"}), {"failed_action"})


class Fingerprints(unittest.TestCase):
    def test_time_and_message_both_count(self):
        marks = {fingerprint(1, "a"), fingerprint(2, "a"), fingerprint(1, "b")}
        self.assertEqual(len(marks), 3)
        self.assertEqual(fingerprint(1, "a"), fingerprint(1, "a"))


if __name__ == "__main__":
    unittest.main()
