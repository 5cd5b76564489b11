"""Sending and asking, against a server that answers from a table: refusals, streams, broken transfers, the marker probe."""

import http.client
import json
import tempfile
import unittest
from pathlib import Path

import ingest
import locard
import visible
from client import Client, Refused
from corpus import Body
from queries import Query
from testing import Stub

ROWS = Query("r", "a b", "rows", "all", limit=7)


def bodies(directory, count, size=1000):
    """Files that stand for compressed bodies."""
    made = []
    for number in range(count):
        path = Path(directory) / str(number)
        path.write_bytes(b"%d" % number)
        made.append(Body(number * size, size, 1, str(path)))
    return made


class Ask(unittest.TestCase):
    def test_a_query_and_its_answer(self):
        event = {"_id": "0-41", "@timestamp": "1970-01-01T00:00:01Z", "message": "m"}
        said = {"events": [event], "table": None, "matched": {"value": 9, "exact": False}, "complete": True}
        with Stub(lambda asked: (200, {}, json.dumps(said).encode())) as stub, Client(stub.url) as client:
            answer = locard.read(ROWS, locard.ask(client, ROWS))
        self.assertEqual(stub.asked[0][:2], ("GET", "/api/search?q=a+b&limit=7"))
        self.assertEqual(answer.rows, [(1_000_000_000, "m", 41)])
        self.assertEqual((answer.matched, answer.exact, answer.complete), (9, False, True))

    def test_a_refusal_says_why_and_the_connection_goes_on(self):
        answers = iter([(429, {"Retry-After": "3"}, b"busy"), (200, {}, b"{}")])
        with Stub(lambda asked: next(answers)) as stub, Client(stub.url) as client:
            with self.assertRaisesRegex(Refused, "429: busy") as caught:
                client.get("/x")
            self.assertEqual(caught.exception.retry_after, 3)
            self.assertEqual(client.get("/x"), {})

    def test_lines_of_a_stream(self):
        with Stub(lambda asked: (200, {}, b"one\ntwo\nthree")) as stub, Client(stub.url) as client:
            for _ in range(2):
                self.assertEqual(list(client.lines("/x", {})), [b"one", b"two", b"three"])

    def test_a_stream_that_is_broken_off_is_not_taken_for_the_whole(self):
        chunked = {"Content-Length": None, "Transfer-Encoding": "chunked", "Connection": "close"}
        for headers, broken in [(chunked, b"4\r\none\n\r\n"), ({"Content-Length": "9", "Connection": "close"}, b"one\n")]:
            with Stub(lambda asked, to=(200, headers, broken): to) as stub, Client(stub.url) as client:
                with self.assertRaises(http.client.IncompleteRead):
                    list(client.lines("/x", {}))

    def test_the_export_route_if_there_is_one(self):
        for status, route in [(200, "/api/export"), (404, "/api/search")]:
            with Stub(lambda asked, status=status: (status, {}, b"{}")) as stub, Client(stub.url) as client:
                self.assertEqual(locard.exporter(client), route)
        with Stub(lambda asked: (500, {}, b"")) as stub, Client(stub.url) as client:
            self.assertRaises(Refused, locard.exporter, client)

    def test_only_http(self):
        self.assertRaises(ValueError, Client, "https://127.0.0.1")
        self.assertRaises(ValueError, Client, "127.0.0.1:9428")


class Send(unittest.TestCase):
    def send(self, answer, count, **options):
        with tempfile.TemporaryDirectory() as directory, Stub(answer) as stub:
            post = ingest.post_to("/in", {"a": "b"}, {"X": "y"})
            sent = ingest.send(stub.url, bodies(directory, count), post, clients=3, **options)
        return stub.asked, sent

    def test_every_body_once(self):
        asked, sent = self.send(lambda asked: (200, {}, b""), 20)
        self.assertEqual(sorted(int(body) for *_, body in asked), list(range(20)))
        self.assertEqual({target for _, target, *_ in asked}, {"/in?a=b"})
        self.assertEqual((len(sent.ack_ms), sent.bytes, sent.refusals), (20, 20_000, 0))

    def test_a_refused_body_is_sent_again_and_counted(self):
        answers = iter([(429, {"Retry-After": "0"}, b""), (503, {"Retry-After": "0"}, b"")])
        asked, sent = self.send(lambda asked: next(answers, (200, {}, b"")), 4)
        self.assertEqual((len(asked), len(sent.ack_ms), sent.refusals), (6, 4, 2))

    def test_an_error_ends_the_run(self):
        with self.assertRaises(Refused):
            self.send(lambda asked: (400, {}, b"no"), 4)

    def test_a_pace_is_kept(self):
        _, sent = self.send(lambda asked: (200, {}, b""), 5, bytes_per_second=40_000)
        self.assertGreaterEqual(sent.wall_seconds, 0.1)


class Visible(unittest.TestCase):
    def probe(self, find):
        """Answers searches with what `find` makes of the messages sent so far."""
        sent = []

        def answer(asked):
            if asked[0] == "POST":
                sent.append(json.loads(asked[3])["message"])
                return 200, {}, b"{}"
            return 200, {}, json.dumps({"events": [{"message": text} for text in find(sent)]}).encode()

        with Stub(answer) as stub, visible.Prober(stub.url) as prober:
            pass
        return prober

    def test_what_was_acked_is_found(self):
        prober = self.probe(lambda sent: sent[-1:])
        self.assertEqual((prober.tried, prober.wrong), (1, []))

    def test_what_is_not_found_at_once_is_wrong(self):
        self.assertEqual(len(self.probe(lambda sent: []).wrong), 1)
        self.assertEqual(len(self.probe(lambda sent: ["another"]).wrong), 1)
        self.assertEqual(len(self.probe(lambda sent: sent * 2).wrong), 1)


if __name__ == "__main__":
    unittest.main()
