//! Bodies as Elasticsearch's clients send them, and what becomes of each document.

use std::collections::BTreeMap;

use super::*;
use crate::Door;
use crate::delivery::Marks;
use crate::receive::tests::{read, refused};

fn door() -> Door {
    Door::Documents(Bulk { index: Some("logs".into()), ..Bulk::default() })
}

#[track_caller]
fn check_refused(body: &str, line: Option<u64>, expected: &str) {
    match refused(&Door::Documents(Bulk::default()), body.to_owned()) {
        Error::Malformed { line: at, reason } => {
            assert!(reason.contains(expected), "{reason}");
            assert_eq!(at, line, "{body}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_elasticsearch_refuses_as_a_whole_is_refused() {
    let good = "{\"index\":{\"_index\":\"a\"}}\n{\"x\":1}\n";
    check_refused("", None, "request body is required");
    check_refused("\n\n", None, "no requests added");
    check_refused("{\"index\":{\"_index\":\"a\"}}\n{\"x\":1}", None, "must be terminated by a newline [\\n]");
    check_refused("{\"index\":{}}\n{}\n", Some(1), "Validation Failed: 1: index is missing;");
    check_refused(
        &format!("{good}{{\"index\":{{}}}}\n{{}}\n"),
        Some(3),
        "Validation Failed: 2: index is missing;",
    );
    check_refused("[]\n{}\n", Some(1), "Malformed action/metadata line [1], expected START_OBJECT");
    check_refused("{}\n{}\n", Some(1), "expected FIELD_NAME but found [END_OBJECT]");
    check_refused("{\"add\":{}}\n{}\n", Some(1), "[create], [delete], [index] or [update] but found [add]");
    check_refused("{\"index\":7}\n{}\n", Some(1), "expected START_OBJECT or END_OBJECT");
    check_refused("{\"index\":{},\"create\":{}}\n{}\n", Some(1), "expected END_OBJECT");
    check_refused("{\"index\":{\"x\":1}}\n{}\n", Some(1), "unknown parameter [x]");
    check_refused("{\"index\":{\"_index\":\"a\"}}\n", None, "no requests added");
    check_refused(&format!("{good}{{\"index\":{{\"_index\":\"a\"}}}}\n"), Some(3), "its document is missing");
    check_refused(&format!("{good}nonsense\n"), Some(3), "not valid JSON");
}

#[test]
fn each_document_has_an_outcome_of_its_own() {
    let body = [
        r#"{"index":{"_id":"a","_type":"_doc","pipeline":"p","routing":7}}"#,
        r#"{"@timestamp":"2025-11-24T16:00:00Z","message":"one","n":1}"#,
        r#"{"create":{"_index":"other","_id":7}}"#,
        r#"{"msg":"two","time":1764000000}"#,
        r#"{"delete":{"_id":"a"}}"#,
        r#"{"update":{"_id":"a"}}"#,
        r#"{"doc":{}}"#,
        r#"{"index":{}}"#,
        r#"{"broken":"#,
        r#"{"index":{"_index":"Upper"}}"#,
        "{}",
        r#"{"index":{"_id":""}}"#,
        "{}",
        r#"{"index":{"if_seq_no":1}}"#,
        "{}",
        "",
        r#"{"index":{"op_type":"create"}}"#,
        r#"{"event":{"dataset":"mine","id":"own"}}"#,
        "",
    ]
    .join("\n");
    let read = read(&door(), body).unwrap();
    let outcomes: Vec<_> = read
        .items
        .iter()
        .map(|item| {
            (item.action.name(), item.index.as_str(), item.outcome.as_ref().map_err(|f| f.kind).copied())
        })
        .collect();
    let illegal = Err("illegal_argument_exception");
    let expected = [
        ("index", "logs", Ok(0)),
        ("create", "other", Ok(1)),
        ("delete", "logs", illegal),
        ("update", "logs", illegal),
        ("index", "logs", Err("document_parsing_exception")),
        ("index", "Upper", Err("invalid_index_name_exception")),
        ("index", "logs", illegal),
        ("index", "logs", illegal),
        ("create", "logs", Ok(2)),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!((read.ack.accepted, read.ack.rejected_count), (3, 6));
    let [one, two, three] = read.events.as_slice() else { panic!("{:?}", read.events) };
    assert_eq!((&one.message[..], one.time.to_string().as_str()), (&b"one"[..], "2025-11-24T16:00:00.000Z"));
    assert_eq!(one.get("event.id").unwrap().text(), "a");
    assert_eq!(one.stream.get("event.dataset"), Some("logs"));
    assert_eq!(one.fields.len(), 2);
    // What is not called `message` or `@timestamp` stays a field too.
    assert_eq!((&two.message[..], two.time), (&b"two"[..], Timestamp::from_seconds(1_764_000_000)));
    assert_eq!(two.get("msg").unwrap().text(), "two");
    assert_eq!(two.get("time").unwrap().text(), "1764000000");
    assert_eq!(
        (two.get("event.id").unwrap().text().as_ref(), two.stream.get("event.dataset")),
        ("7", Some("other"))
    );
    assert_eq!(three.get("event.dataset").unwrap().text(), "logs");
    assert_eq!(three.get("attributes.event.dataset").unwrap().text(), "mine");
    assert_eq!(three.get("event.id").unwrap().text(), "own");
}

#[test]
fn an_alias_stands_for_its_index() {
    let aliases = BTreeMap::from([("w".to_owned(), Some("real".to_owned())), ("unclear".to_owned(), None)]);
    let bulk = Bulk { aliases, ..Bulk::default() };
    let body = "{\"index\":{\"_index\":\"w\"}}\n{}\n{\"index\":{\"_index\":\"unclear\"}}\n{}\n";
    let read = read(&Door::Documents(bulk), body).unwrap();
    assert_eq!((read.items[0].index.as_str(), read.items[0].outcome.is_ok()), ("real", true));
    assert!(read.items[1].outcome.as_ref().unwrap_err().reason.starts_with("no write index is defined"));
}

#[test]
fn conflicts_are_taken_out_and_read_the_same_again() {
    let line = |id: u32| format!("{{\"index\":{{\"_id\":\"{id}\"}}}}\n{{\"n\":{id}}}\n");
    let body: String = (0..70).map(line).collect();
    let mut first = read(&door(), body.clone()).unwrap();
    let numbers = [0, 3, 69];
    first.refuse_conflicts(&numbers);
    assert_eq!((first.events.len(), first.ack.accepted, first.ack.rejected_count), (67, 67, 3));
    assert_eq!(first.items[3].outcome.as_ref().unwrap_err().status, 409);
    assert_eq!(first.items[4].outcome, Ok(2));
    let conflicts = Marks(first.ack.conflicts.clone());
    assert!((0..80).all(|n| conflicts.has(n) == numbers.contains(&n)));
    let again = Bulk { index: Some("logs".into()), conflicts, ..Bulk::default() };
    let again = read(&Door::Documents(again), body).unwrap();
    assert_eq!((again.events, again.items), (first.events, first.items));
}

#[test]
fn keys_never_change() {
    assert_eq!(key_of("logs", "a"), key_of("logs", "a"));
    assert_ne!(key_of("logs", "a"), key_of("log", "sa"));
    // They are kept in catalogs.
    assert_eq!(key_of("logs", "a"), 0x3725_6d4c_4e1d_de63);
}
