"""Exports that break off, against a server that has one in memory."""

import json
import unittest
from urllib.parse import parse_qs, urlsplit

import resume
from client import Client
from testing import Stub

EVENTS = [f'{{"_id":"0-{n}","message":"{"x" * (n % 7 * 50)}"}}\n'.encode() for n in range(400)]


def summary(count, complete=True):
    return json.dumps({"_summary": {"count": count, "complete": complete}}, separators=(",", ":")).encode() + b"\n"


class Export:
    """Answers as /api/export does, or with one of its mistakes."""

    def __init__(self, mistake=""):
        self.mistake = mistake

    def __call__(self, asked):
        target = urlsplit(asked[1])
        if target.path.endswith("/manifest"):
            complete = self.mistake != "incomplete"
            return 200, {}, json.dumps({"count": len(EVENTS), "complete": complete, "state": "done"}).encode()
        params = {name: values[0] for name, values in parse_qs(target.query).items()}
        first = int(params["after"].split("-")[1]) + 1 if "after" in params else 0
        if first and self.mistake == "one twice":
            first -= 1
        events = EVENTS[first:]
        if self.mistake == "one short":
            events = events[:-1]
        whole = b"".join(events) + summary(len(events), self.mistake != "incomplete")
        offset = int(params.get("offset", 0))
        if offset and self.mistake == "a byte off":
            offset += 1
        return 200, {"Locard-Cursor": "c", "Locard-Export": "i"}, whole[offset:]


class Resume(unittest.TestCase):
    def found(self, mistake=""):
        with Stub(Export(mistake)) as stub:
            server = type("Server", (), {"client": lambda self: Client(stub.url)})()
            found = resume.resumed(server, len(EVENTS))
        return found["wrong"], [asked[1] for asked in stub.asked]

    def test_parts_are_the_whole(self):
        wrong, asked = self.found()
        self.assertEqual(wrong, [])
        self.assertEqual(sum("cursor=c" in target for target in asked), 9)
        self.assertEqual((sum("after=" in target for target in asked), sum("offset=0" in target for target in asked)), (2, 2))

    def test_every_mistake_is_seen(self):
        for mistake, least in [("one twice", 1), ("one short", 1), ("a byte off", 2), ("incomplete", 4)]:
            wrong, _ = self.found(mistake)
            self.assertGreaterEqual(len(wrong), least, mistake)

    def test_lines_are_the_same_however_they_come(self):
        text = b"".join(EVENTS) + summary(len(EVENTS))
        digests = set()
        for size in (1, 3, 100, 1 << 20):
            lines = resume.Lines()
            for at in range(0, len(text), size):
                lines.take(text[at : at + size])
            digests.add(lines.digest.hexdigest())
            self.assertEqual((lines.count, lines.summary()["count"]), (len(EVENTS), len(EVENTS)))
        self.assertEqual(len(digests), 1)

    def test_half_a_line_is_dropped(self):
        lines = resume.Lines()
        lines.take(b"".join(EVENTS[:5]) + EVENTS[5][:-3])
        self.assertEqual((lines.cut(), lines.count, lines.held), ("0-4", 5, b""))
        lines.take(EVENTS[5])
        self.assertEqual((lines.cut(), lines.count), ("0-5", 6))


if __name__ == "__main__":
    unittest.main()
