"""What Arrow and DuckDB read from an export as Parquet: nothing is lost that JSON has, types are those of the manual. `LOCARD_URL` says where."""

import datetime
import hashlib
import io
import json
import os
import pathlib
import re
import tempfile
import urllib.parse
import urllib.request

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

URL = os.environ["LOCARD_URL"]
START = datetime.datetime(2026, 9, 21, 12, tzinfo=datetime.timezone.utc)
TIMES = ("@timestamp", "event.ingested", "process.start", "event.created")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
# Values that a column of some type, or none, has to take.
HOSTILE = [
    None,
    True,
    0,
    -(2**63),
    2**63 - 1,
    2**63,
    10**30,
    0.1,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    "NaN",
    "",
    "443",
    "0443",
    "\u0000\u001b[31m\ud7ff\U0001f600",
    "' OR 1=1; --",
    "2026-09-21T12:00:00Z",
    "2001:db8::1",
    [],
    [1, "two", None, 3.5],
    "x" * 100_000,
]
NAMES = ["source.port", "user.name", "event.risk_score", "process.start", "n", "a.b.c", 'quo"te', "_fields", "message_base64", "é"]


def post(path, body):
    with urllib.request.urlopen(urllib.request.Request(URL + path, body, method="POST")) as answer:
        return answer.read()


def export(**parameters):
    with urllib.request.urlopen(f"{URL}/api/export?{urllib.parse.urlencode(parameters)}") as answer:
        return answer.read()


def nanos(text):
    """RFC 3339 in UTC to nanoseconds."""
    whole, fraction = re.fullmatch(r"(.{19})(?:\.(\d+))?Z", text).groups()
    seconds = (datetime.datetime.fromisoformat(whole + "+00:00") - EPOCH) // datetime.timedelta(seconds=1)
    return seconds * 10**9 + int((fraction or "").ljust(9, "0"))


def ingest():
    """Objects in which every name meets every value, and lines that are no UTF-8."""
    lines = []
    for n in range(len(HOSTILE)):
        time = (START + datetime.timedelta(seconds=n)).strftime("%Y-%m-%dT%H:%M:%S") + f".{n:09}Z"
        event = {"@timestamp": time, "message": f"line {n} \u00e9", "source.ip": f"10.0.0.{n % 3}"}
        event |= {name: HOSTILE[(n + at) % len(HOSTILE)] for at, name in enumerate(NAMES)}
        lines.append(json.dumps(event))
    accepted = json.loads(post("/ingest/ndjson?dataset=parquet", "\n".join(lines).encode()))
    assert accepted == {"accepted": len(lines), "rejected": []}, accepted
    post("/services/collector/raw?sourcetype=parquet", b"caf\xe9 one\n\xff\xfe\n")
    return len(lines) + 2


def joined(row):
    """The members that an event's JSON has: those of the columns, and what they do not tell."""
    rest = json.loads(row["_fields"]) if row["_fields"] is not None else {}
    return {name: cell for name, cell in row.items() if name != "_fields" and cell is not None} | rest


def comparable(event):
    return {name: repr(nanos(cell)) if name in TIMES and is_time(cell) else repr(cell) for name, cell in event.items()}


def is_time(cell):
    return isinstance(cell, str) and re.fullmatch(r"[-\d]{10}T[:\d]{8}\.\d+Z", cell)


def by_arrow(file):
    table = pq.read_table(io.BytesIO(file))
    rows = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            assert column.type == pa.timestamp("ns", "UTC"), column.type
            column = column.cast(pa.int64())
        rows[name] = column.to_pylist()
    return [dict(zip(rows, row)) for row in zip(*rows.values())], {field.name: str(field.type) for field in table.schema}


def by_duckdb(file):
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "export.parquet"
        path.write_bytes(file)
        columns = duckdb.sql(f"SELECT * FROM '{path}'").columns
        # DuckDB's times with a zone are microseconds; they are compared by Arrow.
        names = [name for name in columns if name not in TIMES]
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        found = duckdb.sql(f"SELECT {quoted} FROM '{path}'").fetchall()
        addresses = f"SELECT \"source.ip\", count(*) FROM '{path}' WHERE \"source.ip\" IS NOT NULL GROUP BY 1 ORDER BY 1"
        counts = duckdb.sql(addresses).fetchall()
        said = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{path}')").fetchall())
        rest = duckdb.sql(f"SELECT count(*) FROM '{path}' WHERE _fields->>'$.n' = '443'").fetchall()
    return [dict(zip(names, row)) for row in found], counts, said, rest


def shown(row):
    """Times as they are compared."""
    return {name: repr(cell) for name, cell in joined(row).items()}


def nothing_is_lost(count, **parameters):
    expected = [comparable(event) for event in json.loads(export(q="*", order="asc", format="json", **parameters))]
    file = export(q="*", order="asc", format="parquet", **parameters)
    rows, types = by_arrow(file)
    assert len(rows) == len(expected) == count, (len(rows), len(expected), count)
    for event, row in zip(expected, rows):
        found = {name: repr(nanos(cell)) if name in TIMES and is_time(cell) else repr(cell) for name, cell in joined(row).items()}
        if parameters:
            event = {name: cell for name, cell in event.items() if name in found or name not in ("_id", "@timestamp")}
        assert found == event, f"\n{found}\n{event}"[:4000]
    return file, rows, types


def main():
    count = ingest()
    for sealed in (False, True):
        file, rows, types = nothing_is_lost(count)
        assert (types["source.port"], types["message"], types["@timestamp"]) == ("int64", "string", "timestamp[ns, tz=UTC]"), types
        nothing_is_lost(count, fields="message,n,source.port,a.b.c")
        other, counts, said, rest = by_duckdb(file)
        for one, two in zip(rows, other):
            assert {name: cell for name, cell in one.items() if name in two} == two, (one, two)
        assert len(other) == count and sum(number for _, number in counts) == len(HOSTILE) and len(counts) == 3, counts
        assert (said["locard.count"], said["locard.complete"], said["locard.q"]) == (str(count), "true", "*"), said
        assert rest == [(1,)], rest
        assert [row["message_base64"] for row in rows if row["message_base64"]] == ["Y2Fm6SBvbmU=", "//4="], rows[-2:]
        assert pq.read_metadata(io.BytesIO(file)).created_by.startswith("locard version "), file[-200:]
        if not sealed:
            before = hashlib.sha256(b"".join(repr(row).encode() for row in rows)).hexdigest()
            post("/api/admin/seal", b"")
        else:
            after = hashlib.sha256(b"".join(repr(row).encode() for row in rows)).hexdigest()
            assert before == after, "sealed events are others than hot ones"
    rows, types = by_arrow(export(q="* | stats count() as n, max(@timestamp) as last by source.ip | sort source.ip", format="parquet"))
    assert types["n"] == "int64" and sum(row["n"] for row in rows) == count, (types, rows)
    print("parquet: passed")


main()
