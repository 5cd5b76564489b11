"""elastalert2 against Locard: it makes its own indices, runs a rule of each of four kinds, and notes what it did. `LOCARD_URL` says where.

The SDKs of vendors that its alerters import, and that no rule here uses, are stood in for: they would be half a gigabyte.
"""

import datetime
import importlib.abc
import importlib.machinery
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import types
import unittest.mock
import urllib.request

VENDORS = {"aws_requests_auth", "boto3", "exotel", "jira", "jsonpointer", "prettytable", "pyzabbix", "stomp", "tencentcloud", "twilio"}
URL = os.environ["LOCARD_URL"]
NOW = datetime.datetime.now(datetime.timezone.utc)
STATUS = "elastalert_status"
RULES = {
    "frequency": "type: frequency\nnum_events: 5\ntimeframe: {minutes: 10}\nfilter:\n- term: {level.keyword: error}",
    "any": "type: any\nrealert: {days: 1}\nfilter:\n- query_string: {query: 'message: boom AND user.name: eve'}",
    "cardinality": "type: cardinality\ncardinality_field: user.name\nmax_cardinality: 2\ntimeframe: {minutes: 10}\nfilter:\n- exists: {field: user}",
    "new_term": "type: new_term\nfields: [city.keyword]\nterms_window_size: {hours: 2}\nfilter: []",
    "quiet": "type: frequency\nnum_events: 50\ntimeframe: {minutes: 10}\nuse_count_query: true\nfilter:\n- range: {code: {gte: 500}}",
}


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in VENDORS:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = lambda name: unittest.mock.MagicMock(name=name)
        return module

    def exec_module(self, module):
        pass


def call(path, body=None):
    data = None if body is None else body.encode()
    request = urllib.request.Request(f"{URL}/es/{path}", data, {"content-type": "application/x-ndjson"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def ingest():
    """An hour ago everybody was in Paris; two minutes ago some were in Rome, and there were errors."""
    lines = []
    for n in range(40):
        moment = NOW - datetime.timedelta(minutes=60 if n < 10 else 2, seconds=n)
        document = {
            "@timestamp": moment.isoformat(),
            "message": "boom" if n % 7 == 0 else "fine",
            "level": "error" if n % 3 == 0 else "info",
            "code": 500 + n % 3,
            "user": {"name": ["eve", "bob", "mallory", "trent"][n % 4]},
            "city": "Rome" if n > 10 and n % 2 else "Paris",
        }
        lines += [json.dumps({"index": {"_index": "app-1"}}), json.dumps(document)]
    assert call("_bulk", "\n".join(lines) + "\n")["errors"] is False


def configure(directory):
    host, port = URL.split("//")[1].split(":")
    (directory / "rules").mkdir()
    for name, text in RULES.items():
        alert = f"name: {name}\nindex: app-*\nalert: [command]\ncommand: ['/bin/sh', '-c', 'echo {name} >> {directory}/alerts']\n"
        (directory / "rules" / f"{name}.yaml").write_text(alert + text + "\n")
    (directory / "config.yaml").write_text(
        f"rules_folder: {directory}/rules\nrun_every: {{seconds: 1}}\nbuffer_time: {{minutes: 15}}\nes_host: {host}\nes_port: {port}\n"
        f"es_url_prefix: es\nwriteback_index: {STATUS}\nalert_time_limit: {{days: 2}}\n"
    )


def part(name, *arguments):
    """Runs one of its programs in a process of its own."""
    done = subprocess.run([sys.executable, __file__, name, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def results(directory):
    """Which rules alerted, and which ran."""
    alerts = directory / "alerts"
    ran = call(f"{STATUS}_status/_search?size=100")["hits"]["hits"]
    return set(alerts.read_text().split()) if alerts.exists() else set(), {hit["_source"]["rule_name"] for hit in ran}


def until(done, directory):
    deadline = time.monotonic() + 90
    while not done():
        assert time.monotonic() < deadline, (results(directory), (directory / "said").read_text()[-5000:])
        time.sleep(0.1)


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        configure(directory)
        ingest()
        config = str(directory / "config.yaml")
        part("create_index", "--config", config, "--index", STATUS, "--old-index", "", "--recreate", "True")
        assert call(f"{STATUS}/_mapping")[STATUS]["mappings"]["properties"]["rule_name"]["type"] == "keyword"
        start = (NOW - datetime.timedelta(minutes=14)).strftime("%Y-%m-%dT%H:%M:%S")
        command = [sys.executable, __file__, "elastalert", "--config", config, "--verbose", "--start", start]
        with open(directory / "said", "w") as said, subprocess.Popen(command, stdout=said, stderr=said) as alerting:
            try:
                until(lambda: results(directory) == (set(RULES) - {"quiet"}, set(RULES)), directory)
            finally:
                alerting.terminate()
    sent = call(f"{STATUS}/_search?size=100&q=alert_sent:true")["hits"]["hits"]
    assert {hit["_source"]["rule_name"] for hit in sent} == set(RULES) - {"quiet"}, sent
    assert call(f"{STATUS}_error/_count")["count"] == 0
    print("elastalert2: passed")


if len(sys.argv) > 1:
    sys.meta_path.insert(0, StandIn())
    program = importlib.import_module(f"elastalert.{sys.argv.pop(1)}")
    sys.exit(program.main(sys.argv[1:]) if program.__name__.endswith(".elastalert") else program.main())
main()
