//! Files read back: nothing is lost, the bytes are the same however rows come, and one group is held.

use std::sync::Arc;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::{Field, Row};
use bytes::Bytes;
use locard_event::{EventId, Stream, Timestamp, Value, name};
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::export::Seal;
use crate::json::EventJson;

/// Every kind of value, under names that have a column and names that have none.
fn event(n: u64) -> Event {
    let message: &[u8] = match n % 3 {
        0 => b"caf\xe9 \x00",
        1 => b"",
        _ => "\"caf\u{e9}\"\n".as_bytes(),
    };
    let stream = Arc::new(Stream::new([("host.name", "a"), ("n", "label"), ("host", "h")]));
    let mut event = Event::new(Timestamp::from_nanos(i64::MIN / 2 + n as i64), stream, message.to_vec());
    event.id = Some(EventId::new(0, n));
    event.ingested = Some(Timestamp::from_nanos(1_790_000_000_123_456_789));
    let list = Value::List(vec![Value::str("x"), Value::Int(1), Value::Null]);
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Float(-0.0),
        Value::Float(5e-324),
        Value::str("443"),
        Value::str("18446744073709551616"),
        Value::Ip("2001:db8::1".parse().unwrap()),
        Value::Time(Timestamp::from_nanos(1)),
        list,
        Value::str("x".repeat(100_000)),
    ];
    let names = ["source.port", "user.name", "event.risk_score", "process.start", "n", "a.b.c", "", REST];
    for (at, name) in names.iter().enumerate() {
        event.fields.set(*name, values[(at + n as usize) % values.len()].clone());
    }
    event
}

fn cell(field: &Field) -> Json {
    match field {
        Field::Null => Json::Null,
        Field::Bool(truth) => json!(truth),
        Field::Long(number) => json!(number),
        Field::Double(number) => json!(number),
        Field::Str(text) => json!(text),
        Field::Bytes(bytes) => json!(bytes.as_utf8().unwrap()),
        other => panic!("{other}"),
    }
}

struct Read {
    columns: Vec<String>,
    rows: Vec<Map<String, Json>>,
    groups: Vec<i64>,
    about: HashMap<String, String>,
}

fn read(file: Vec<u8>) -> Read {
    let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
    let metadata = reader.metadata();
    let columns = metadata.file_metadata().schema_descr().columns();
    let about = metadata.file_metadata().key_value_metadata().unwrap();
    let row = |row: Result<Row>| {
        row.unwrap().get_column_iter().map(|(name, field)| (name.clone(), cell(field))).collect()
    };
    Read {
        columns: columns.iter().map(|column| column.name().to_owned()).collect(),
        rows: reader.get_row_iter(None).unwrap().map(row).collect(),
        groups: metadata.row_groups().iter().map(|group| group.num_rows()).collect(),
        about: about.iter().map(|said| (said.key.clone(), said.value.clone().unwrap())).collect(),
    }
}

fn file(asked: &[&str], batches: Vec<Batch>) -> Vec<u8> {
    let asked = asked.iter().map(|name| (*name).to_owned()).collect();
    let mut parquet = Parquet::new(asked, vec![("q", "*".to_owned())]);
    let mut out = Vec::new();
    let mut seal = Seal::default();
    for batch in batches {
        seal.count += batch.len() as u64;
        out.extend(parquet.batch(&batch).unwrap());
    }
    seal.lacks("one split");
    out.extend(parquet.finish(&seal.verdict()).unwrap());
    out
}

/// The members of an event's JSON, from the columns that have them and the one that has the rest.
fn joined(row: &Map<String, Json>) -> Map<String, Json> {
    let mut rest = match row[REST].as_str().map(serde_json::from_str) {
        Some(Ok(Json::Object(rest))) => rest,
        None => Map::new(),
        other => panic!("{other:?}"),
    };
    for (name, cell) in row.iter().filter(|(name, cell)| *name != REST && !cell.is_null()) {
        rest.entry(name.clone()).or_insert_with(|| cell.clone());
    }
    rest
}

/// The reader has times as milliseconds, or as text without the end of the nanoseconds; they are compared by other means.
fn without_times(mut object: Map<String, Json>) -> Map<String, Json> {
    for name in [name::TIMESTAMP, name::INGESTED, "process.start"] {
        object.remove(name);
    }
    object
}

#[test]
fn nothing_of_an_event_is_lost() {
    let events: Vec<Event> = (0..33).map(event).collect();
    let asked = ["message", "source.port", "user.name", "n", "event.risk_score"];
    for asked in [&[][..], &asked] {
        let read = read(file(asked, vec![Batch::Events(events.clone(), Shown::All)]));
        assert_eq!((read.rows.len(), read.about["locard.count"].as_str()), (33, "33"));
        let names = read.columns.iter().filter(|name| *name != REST);
        let names: Vec<Box<str>> = names.map(|name| name.as_str().into()).collect();
        let shown = if asked.is_empty() { Shown::All } else { Shown::All.keep(&names) };
        for (event, row) in events.iter().zip(&read.rows) {
            let Json::Object(mut expected) = serde_json::to_value(EventJson(event, &shown)).unwrap() else {
                panic!("an event is an object");
            };
            if !asked.is_empty() {
                expected.remove(name::ID);
            }
            assert_eq!(without_times(joined(row)), without_times(expected), "{asked:?}");
        }
    }
}

#[test]
fn columns_have_the_types_of_the_schema() {
    let bytes = file(&["@timestamp", "source.port", "source.ip"], vec![]);
    let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
    let schema = reader.metadata().file_metadata().schema();
    let mut text = Vec::new();
    ::parquet::schema::printer::print_schema(&mut text, schema);
    let expected = "message locard {\n  OPTIONAL INT64 @timestamp (TIMESTAMP(NANOS,true));\n  OPTIONAL INT64 source.port;\n  \
                    OPTIONAL BYTE_ARRAY source.ip (STRING);\n  OPTIONAL BYTE_ARRAY _fields (JSON);\n}\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn the_same_rows_make_the_same_bytes() {
    let events: Vec<Event> = (0..600).map(event).collect();
    let whole = file(&[], vec![Batch::Events(events.clone(), Shown::All)]);
    for size in [1, 7, 500] {
        let parts = events.chunks(size).map(|part| Batch::Events(part.to_vec(), Shown::All));
        assert!(file(&[], parts.collect()) == whole, "{size}");
    }
}

#[test]
fn what_is_held_is_one_group() {
    let mut parquet = Parquet::new(Vec::new(), Vec::new());
    let (mut out, mut most) = (Vec::new(), 0);
    for first in (0..2_000).step_by(50) {
        let batch = Batch::Events((first..first + 50).map(event).collect(), Shown::All);
        out.extend(parquet.batch(&batch).unwrap());
        let held: usize = parquet.file.as_ref().unwrap().columns.iter().map(Column::bytes).sum();
        most = most.max(held);
    }
    assert!(most < GROUP_BYTES, "{most}");
    out.extend(parquet.finish(&Seal::default().verdict()).unwrap());
    let read = read(out);
    assert!(read.groups.len() > 3, "{:?}", read.groups);
    assert_eq!(read.groups.iter().sum::<i64>(), 2_000);
    let ids: Vec<&Json> = read.rows.iter().map(|row| &row[name::ID]).collect();
    assert_eq!((ids[0], ids[1_999]), (&json!("0-0"), &json!("0-1999")));
}

#[test]
fn rows_have_the_columns_of_their_table() {
    let columns = ["host", "count", "avg", "mixed", "host"].map(str::to_owned).to_vec();
    let rows = vec![
        vec![json!("a"), json!(1), json!(0.5), json!(1), json!(["x"])],
        vec![json!(null), json!(2), json!(2), json!("y"), json!(null)],
    ];
    let table = || Batch::Rows(Table { columns: columns.clone(), rows: rows.clone(), inexact_because: None });
    let all = read(file(&[], vec![table()]));
    assert_eq!(all.columns, ["host", "count", "avg", "mixed", "host_5"]);
    let first = json!({"host": "a", "count": 1, "avg": 0.5, "mixed": "1", "host_5": "[\"x\"]"});
    let second = json!({"host": null, "count": 2, "avg": 2.0, "mixed": "y", "host_5": null});
    assert_eq!(json!(all.rows), json!([first, second]));
    let some = read(file(&["count", "none"], vec![table()]));
    assert_eq!(json!(some.rows), json!([{"count": 1, "none": null}, {"count": 2, "none": null}]));
}

#[test]
fn the_footer_says_what_the_file_is() {
    let read = read(file(&[], vec![]));
    assert_eq!((read.rows.len(), read.groups.len()), (0, 0));
    for (key, expected) in [
        ("q", Some("*")),
        ("count", Some("0")),
        ("complete", Some("false")),
        ("incomplete_because", Some("one split")),
        ("inexact_because", None),
    ] {
        assert_eq!(read.about.get(&format!("locard.{key}")).map(String::as_str), expected, "{key}");
    }
}
