"""The peers' request shapes and how their documented answers read, and a whole small run against a stub of each."""

import gzip
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, parse_qsl, urlsplit

import corpus
import elastic
import measure
import peer
import scan
import times
from client import Client, Refused
from corpus import Missing
from elastic import Elastic
from queries import QUERIES
from testing import Stub, line
from victorialogs import LOGSQL, VictoriaLogs

QUERY = {query.name: query for query in QUERIES}
AT = "2026-11-23T12:00:0%dZ"
START = times.parse(AT % 0)
LINES = [
    line(5, "Failed password for a", src_ip="10.0.0.1", user="a", source="journald", event={"action": "failed_password"}),
    line(9, "quiet", source="journald"),
]


def small_corpus(directory):
    """A corpus of two lines, its bodies and its answers."""
    path = Path(directory) / "c.ndjson"
    path.write_bytes(b"".join(LINES))
    return corpus.bodies(path, 1000), scan.scan(path, processes=1)


def run(engine, bodies, answers):
    """Everything, with few repetitions."""
    with mock.patch.object(measure, "MOST", measure.LEAST):
        return peer.run(engine, bodies, answers, 1)


def vector(*series):
    """A Prometheus answer, as stats_query gives it."""
    result = [{"metric": {"__name__": "n", **metric}, "value": [0, str(count)]} for metric, count in series]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def event(second):
    """The line of that second, as VictoriaLogs and Elasticsearch hold it."""
    found = next(one for one in map(json.loads, LINES) if one["timestamp"] == AT % second)
    return found, json.dumps({"_time": found["timestamp"], "_msg": found["message"], "_stream": "{}"}).encode()


class Victoria:
    """Answers as VictoriaLogs would with the small corpus in it, or before with nothing."""

    def __init__(self, held=0):
        self.held = held

    def __call__(self, asked):
        method, target, _, body = asked
        route = urlsplit(target).path.rsplit("/", 1)[1]
        fields = dict(parse_qsl((body if method == "POST" else urlsplit(target).query.encode()).decode("utf-8", "replace")))
        if route == "jsonline":
            self.held = 2
            return 200, {}, b""
        answers = {"query": self.query, "stats_query": self.stats, "hits": self.hits, "metrics": self.metrics}
        return 200, {}, answers.get(route, lambda fields: b"")(fields)

    def query(self, fields):
        if "src_ip:*" in fields["query"] or "by (src_ip)" in fields["query"]:
            return b'{"src_ip":"10.0.0.1","n":"1"}\n'
        everything = [event(5)[1], event(9)[1]]  # not sorted, as it says
        kept = {"*": everything, '"Failed password"': everything[:1]}.get(fields["query"], [])
        return b"".join(text + b"\n" for text in kept)

    def stats(self, fields):
        counts = {"count_all": self.held, "phrase_count": 1, "negation": 1, "distinct": 1}
        if fields["query"] == LOGSQL["count_by_user"]:
            return vector(({"user": "a"}, 1))
        return vector(({}, next((n for name, n in counts.items() if LOGSQL[name] == fields["query"]), 0)))

    def hits(self, fields):
        return json.dumps({"hits": [{"fields": {}, "timestamps": [AT % 0], "values": [2], "total": 2}]}).encode()

    def metrics(self, fields):
        return b'vl_data_size_bytes{type="indexdb"} 5\nvl_data_size_bytes{type="storage"} 1.5e3\nvl_other 7\n'


class VictoriaLogsTest(unittest.TestCase):
    def test_a_whole_run_with_right_answers(self):
        with tempfile.TemporaryDirectory() as directory, Stub(Victoria()) as stub:
            bodies, answers = small_corpus(directory)
            figures = run(VictoriaLogs(stub.url), bodies, answers)
        wrong = {name: one["wrong"] for name, one in figures["queries"].items() if one["wrong"]}
        self.assertEqual((wrong, figures["export"]["wrong"]), ({}, []))
        self.assertEqual((figures["ingest"]["disk_bytes"], figures["export"]["events"]), (1505, 2))
        self.assertIsNotNone(figures["queries"]["newest"]["cpu_ms"])  # the stub listens on this machine
        sent = next(asked for asked in stub.asked if "jsonline" in asked[1])
        params = parse_qs(urlsplit(sent[1]).query)
        self.assertEqual((params["_time_field"], params["_msg_field"]), (["timestamp"], ["message"]))
        self.assertEqual((sent[2]["Content-Encoding"], sent[3][:4]), ("zstd", b"\x28\xb5\x2f\xfd"))

    def test_every_query_is_expressed(self):
        self.assertEqual(LOGSQL.keys(), QUERY.keys())

    def test_how_queries_are_asked(self):
        expected = {
            "newest": ("/select/logsql/query", {"query": "*", "limit": "100"}),
            "hist_1m": ("/select/logsql/hits", {"query": "*", "step": "1m"}),
            "count_all": ("/select/logsql/stats_query", {"query": "* | stats count() as n"}),
        }
        with Stub(Victoria(2)) as stub, Client(stub.url) as client:
            for name, (path, fields) in expected.items():
                VictoriaLogs(stub.url).ask(client, QUERY[name])
                self.assertEqual((stub.asked[-1][1], dict(parse_qsl(stub.asked[-1][3].decode()))), (path, fields))

    def test_one_that_holds_something_is_left_alone(self):
        with Stub(Victoria(7)) as stub, Client(stub.url) as client:
            with self.assertRaisesRegex(Missing, "holds 7 events"):
                VictoriaLogs(stub.url).prepare(client)


def elasticsearch(asked):
    """Answers as Elasticsearch would with the small corpus in it."""
    method, target, _, body = asked
    route = urlsplit(target).path.split("/", 2)[2:]
    if route == ["_bulk"]:
        count = gzip.decompress(body).count(b"\n") // 2
        return 200, {}, json.dumps({"errors": False, "items": [{"create": {"status": 201}}] * count}).encode()
    if route == ["_stats/store"]:
        return 200, {}, b'{"_all": {"total": {"store": {"size_in_bytes": 1505}}}}'
    if route == ["_count"]:
        counts = [name for name in ("phrase_count", "negation") if body and json.loads(body)["query"] == elastic.FILTERS[name]]
        return 200, {}, json.dumps({"count": 1 if counts else 2 if _is_all(body) else 0}).encode()
    return 200, {}, json.dumps(_search(json.loads(body)) if route == ["_search"] else {}).encode()


def _is_all(body):
    return not body or "match_all" in json.loads(body)["query"]


def _search(asked):
    failed = asked["query"] in (elastic.FILTERS["phrase_newest"], elastic.FILTERS["top_ip"], elastic.FILTERS["count_by_user"])
    kept = [event(5)[0]] if failed else [event(9)[0], event(5)[0]] if "match_all" in asked["query"] else []
    found = {"timed_out": False, "hits": {"total": {"value": len(kept), "relation": "eq"}, "hits": [{"_source": one} for one in kept]}}
    if "aggs" in asked:
        kind = next(iter(asked["aggs"]["a"]))
        key = "a" if asked["aggs"]["a"][kind]["field"] == "user" else "10.0.0.1"
        buckets = [{"key": START // 1_000_000, "doc_count": 2}] if kind == "date_histogram" else [{"key": key, "doc_count": 1}]
        found["aggregations"] = {"a": {"buckets": buckets, "value": 1}}
    return found


class ElasticTest(unittest.TestCase):
    def test_a_whole_run_with_right_answers(self):
        with tempfile.TemporaryDirectory() as directory, Stub(elasticsearch) as stub:
            bodies, answers = small_corpus(directory)
            figures = run(Elastic(stub.url), bodies, answers)
        wrong = {name: one["wrong"] for name, one in figures["queries"].items() if one and one["wrong"]}
        self.assertEqual(wrong, {})
        self.assertEqual([name for name, one in figures["queries"].items() if one is None], ["regex_msg"])
        self.assertIsNone(figures["export"])
        self.assertEqual(figures["ingest"]["disk_bytes"], 1505)
        index = stub.asked[0][1]
        self.assertRegex(index, r"^/locard-bench-\d+$")
        self.assertEqual([(asked[0], asked[1]) for asked in (stub.asked[0], stub.asked[-1])], [("PUT", index), ("DELETE", index)])
        self.assertTrue(all(asked[1].startswith(index) for asked in stub.asked), "another index is touched")

    def test_bulk_has_an_action_before_every_line(self):
        self.assertEqual(elastic.bulk(b'{"a":1}\n{"b":2}\n'), b'{"create":{}}\n{"a":1}\n{"create":{}}\n{"b":2}\n')

    def test_a_document_that_is_refused_is_an_error(self):
        items = [{"create": {"status": 201}}, {"create": {"status": 400, "error": {"type": "document_parsing_exception"}}}]
        said = json.dumps({"errors": True, "items": items}).encode()
        with tempfile.TemporaryDirectory() as directory, Stub(lambda asked: (200, {}, said)) as stub, Client(stub.url) as client:
            bodies, _ = small_corpus(directory)
            with self.assertRaisesRegex(Refused, "document_parsing_exception"):
                Elastic(stub.url).post(client, bodies[0])


class Elsewhere(unittest.TestCase):
    def test_cpu_is_measured_on_this_machine_only(self):
        self.assertIsNone(peer.pid_of("http://192.0.2.1:9428"))
        with Stub(Victoria()) as stub:
            self.assertIsNotNone(peer.pid_of(stub.url))


if __name__ == "__main__":
    unittest.main()
