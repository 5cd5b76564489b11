//! The mapping in both directions, and what senders get wrong.

use std::sync::Arc;

use locard_event::{Event, Fields, Stream, Timestamp, Value};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const RECEIVED: Timestamp = Timestamp::from_seconds(1_800_000_000);
const MAX_FIELDS: usize = 1000;

/// One record of a JSON request whose resource is empty.
#[track_caller]
fn read(record: serde_json::Value) -> Event {
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).to_string();
    let mut events = decode_json(body.as_bytes(), RECEIVED, MAX_FIELDS).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[track_caller]
fn check(record: serde_json::Value, message: &str, fields: &[(&str, &str)]) {
    let event = read(record);
    let found: Vec<_> = event.fields.iter().map(|(name, value)| (name, value.to_string())).collect();
    let found: Vec<_> = found.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!((String::from_utf8_lossy(&event.message).as_ref(), found.as_slice()), (message, fields));
}

#[test]
fn a_body_is_the_line() {
    check(json!({"body": {"stringValue": "hello"}}), "hello", &[]);
    check(json!({"body": {"intValue": "7"}}), "7", &[]);
    check(json!({"body": {"bytesValue": "/w=="}}), "\u{fffd}", &[]);
    check(
        json!({"body": {"arrayValue": {"values": [{"intValue": 1}, {"boolValue": true}]}}}),
        "[1,true]",
        &[],
    );
    check(json!({"body": null}), "", &[]);
    check(json!({}), "", &[]);
}

#[test]
fn members_of_a_structured_body_become_fields() {
    let member = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let body = |members: Vec<serde_json::Value>| json!({"body": {"kvlistValue": {"values": members}}});
    check(body(vec![member("msg", "hi"), member("user", "ann")]), "hi", &[("user", "ann")]);
    check(body(vec![member("user", "ann")]), r#"{"user":"ann"}"#, &[("user", "ann")]);
    check(body(vec![member("log", "later"), member("message", "first")]), "first", &[("log", "later")]);
}

#[test]
fn attributes_keep_their_types_and_structure() {
    let event = read(json!({"attributes": [
        {"key": "i", "value": {"intValue": "10"}},
        {"key": "n", "value": {"intValue": 10}},
        {"key": "big", "value": {"intValue": "18446744073709551615"}},
        {"key": "d", "value": {"doubleValue": 1.5}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "b", "value": {"boolValue": true}},
        {"key": "null", "value": {}},
        {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "x"}}]}}},
        {"key": "list", "value": {"arrayValue": {"values": [
            {"stringValue": "one"},
            {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 1}}]}},
            {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 2}}]}}]}}},
    ]}));
    let expected: Fields = [
        ("i", Value::Int(10)),
        ("n", Value::Int(10)),
        ("big", "18446744073709551615".into()),
        ("d", Value::Float(1.5)),
        ("nan", "NaN".into()),
        ("b", true.into()),
        ("null", Value::Null),
        ("map.a", "x".into()),
        ("list", Value::List(vec!["one".into()])),
        ("list.k", Value::List(vec![Value::Int(1), Value::Int(2)])),
    ]
    .into_iter()
    .collect();
    assert_eq!(event.fields, expected);
}

#[test]
fn names_with_a_meaning_are_not_taken_from_the_wire() {
    let attribute = |key: &str| json!({"key": key, "value": {"stringValue": "forged"}});
    let names = ["event.ingested", "_id", "message", "_time"];
    check(
        json!({"body": {"stringValue": "line"}, "attributes": names.map(attribute)}),
        "line",
        &[
            ("attributes._id", "forged"),
            ("attributes._time", "forged"),
            ("attributes.event.ingested", "forged"),
            ("attributes.message", "forged"),
        ],
    );
}

#[test]
fn nothing_is_lost_when_two_attributes_meet_in_one_name() {
    let attribute = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    check(
        json!({"attributes": [attribute("k8s.pod.name", "a"), attribute("kubernetes.pod.name", "b"), attribute("x", "1"), attribute("x", "1")]}),
        "",
        &[("kubernetes.pod.name", "[a, b]"), ("x", "1")],
    );
}

#[test]
fn severity_keeps_what_the_level_cannot_say() {
    check(json!({"severityNumber": 17, "severityText": "ERR"}), "", &[("log.level", "error")]);
    check(json!({"severityNumber": "SEVERITY_NUMBER_WARN"}), "", &[("log.level", "warn")]);
    check(json!({"severityText": "Warning"}), "", &[("log.level", "warn")]);
    check(json!({"severityText": "odd"}), "", &[("otel.severity_text", "odd")]);
    check(
        json!({"severityNumber": 18, "severityText": "odd"}),
        "",
        &[("log.level", "error"), ("otel.severity_number", "18"), ("otel.severity_text", "odd")],
    );
}

#[test]
fn ids_are_hex_in_fields() {
    let hex = ("trace.id", "5b8efff798038103d269b633813fc60c");
    check(json!({"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "0000000000000000"}), "", &[hex]);
    check(json!({"trace_id": "W47/95gDgQPSabYzgT/GDA=="}), "", &[hex]);
    check(json!({"spanId": "not hex!"}), "", &[("span.id", "not hex!")]);
}

#[test]
fn time_falls_back_and_says_so() {
    let at = |record| {
        let event = read(record);
        (event.time.nanos(), time_known(&event, RECEIVED))
    };
    assert_eq!(at(json!({"timeUnixNano": "5", "observedTimeUnixNano": "9"})), (5, true));
    assert_eq!(at(json!({"timeUnixNano": 5})), (5, true));
    assert_eq!(at(json!({"timeUnixNano": "0", "observedTimeUnixNano": 9})), (9, false));
    assert_eq!(at(json!({"time_unix_nano": null})), (RECEIVED.nanos(), false));
    assert_eq!(at(json!({"timeUnixNano": "18446744073709551615"})), (i64::MAX, true));
}

#[test]
fn a_resource_becomes_a_stream() {
    let text = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
    let body = json!({"resourceLogs": [{
        "resource": {"attributes": [text("k8s.namespace.name", "shop"), text("service.name", "cart"), {"key": "process.pid", "value": {"intValue": "12"}}]},
        "scopeLogs": [{"scope": {"name": "lib", "version": "1"}, "logRecords": [
            {"attributes": [text("log.iostream", "stderr"), text("k", "v")]}, {}]}],
    }]});
    let events = decode_json(body.to_string().as_bytes(), RECEIVED, MAX_FIELDS).unwrap();
    let labels =
        |event: &Event| event.stream.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ");
    assert_eq!(
        events.iter().map(labels).collect::<Vec<_>>(),
        [
            "event.dataset=otlp kubernetes.namespace=shop log.iostream=stderr process.pid=12 service.name=cart",
            "event.dataset=otlp kubernetes.namespace=shop process.pid=12 service.name=cart",
        ]
    );
    assert_eq!(events[0].fields.get("otel.scope.name"), Some(&"lib".into()));
    assert_eq!(events[0].fields.get("log.iostream"), None);
}

#[test]
fn fields_beyond_the_limit_are_counted() {
    let attributes: Vec<_> =
        (0..10).map(|i| json!({"key": format!("k{i}"), "value": {"intValue": i}})).collect();
    let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": attributes}]}]}]});
    let events = decode_json(body.to_string().as_bytes(), RECEIVED, 4).unwrap();
    assert_eq!(events[0].fields.len(), 5);
    assert_eq!(events[0].fields.get("locard.fields_dropped"), Some(&Value::Int(6)));
}

#[test]
fn a_scope_does_not_weigh_more_than_its_records_can_bear() {
    let text = |key: &str, length: usize| json!({"key": key, "value": {"stringValue": "x".repeat(length)}});
    let scope = json!({"name": "n", "attributes": [text("large", 20_000), text("small", 100)]});
    let body = json!({"resourceLogs": [{"scopeLogs": [{"scope": scope, "logRecords": [{}, {}]}]}]});
    for event in decode_json(body.to_string().as_bytes(), RECEIVED, MAX_FIELDS).unwrap() {
        assert_eq!(event.fields.get("otel.scope.attributes.large"), None);
        assert!(event.fields.get("otel.scope.attributes.small").is_some());
        assert_eq!(event.fields.get("locard.fields_dropped"), Some(&Value::Int(1)));
    }
}

#[test]
fn malformed_json_is_refused() {
    for bad in
        ["", "[]", "{", r#"{"resourceLogs": 1}"#, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[1]}]}]}"#]
    {
        assert!(matches!(decode_json(bad.as_bytes(), RECEIVED, 9), Err(DecodeError::Json(_))), "{bad}");
    }
    let deep =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{}"#, "[".repeat(100_000));
    assert!(decode_json(deep.as_bytes(), RECEIVED, 9).is_err());
    for empty in
        ["{}", r#"{"resourceLogs":null}"#, r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":null}]}]}"#]
    {
        assert!(decode_json(empty.as_bytes(), RECEIVED, 9).unwrap().is_empty(), "{empty}");
    }
}

/// Wraps a payload as a length-delimited field.
fn field(tag: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag << 3 | 2];
    prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
    bytes.extend(payload);
    bytes
}

#[test]
fn many_tiny_records_are_refused_before_they_cost_memory() {
    let records = [0x12, 0].repeat(MAX_RECORDS + 1);
    let body = field(1, &field(2, &records));
    assert!(matches!(decode(&body, RECEIVED, 9), Err(DecodeError::TooMany { noun: "records", .. })));
    let attributes = [0x32, 0].repeat(MAX_NESTED + 1);
    let body = field(1, &field(2, &field(2, &attributes)));
    assert!(matches!(decode(&body, RECEIVED, 9), Err(DecodeError::TooMany { .. })));
}

#[test]
fn nested_values_beyond_the_recursion_limit_are_an_error() {
    let deep = (0..10_000).fold(vec![0x0a, 0], |inner, _| field(5, &field(1, &inner)));
    let body = field(1, &field(2, &field(2, &field(5, &deep))));
    assert!(matches!(decode(&body, RECEIVED, 9), Err(DecodeError::Protobuf(_))));
}

#[test]
fn a_long_key_above_many_members_is_not_multiplied() {
    let text = |text: &str| field(1, text.as_bytes());
    let attribute = |key: &str, value: &[u8]| [text(key), field(2, value)].concat();
    let members: Vec<u8> =
        (0..1_000).flat_map(|n| field(1, &attribute(&format!("a{n}"), &text("x")))).collect();
    let map = field(6, &members);
    let list = field(5, &field(1, &map));
    for value in [map, list] {
        for (key_bytes, kept) in [(1_000_000, 0), (1_000, 130), (10, 1_000)] {
            let record = field(6, &attribute(&"k".repeat(key_bytes), &value));
            let body = field(1, &field(2, &field(2, &record)));
            let fields = decode(&body, RECEIVED, 1_000).unwrap().remove(0).fields;
            let names: usize = fields.iter().map(|(name, _)| name.len()).sum();
            assert!(names <= 129 << 10, "{names}");
            let dropped = match fields.get("locard.fields_dropped") {
                Some(Value::Int(dropped)) => *dropped as usize,
                _ => 0,
            };
            let found = fields.len() - usize::from(dropped > 0);
            assert_eq!(found + dropped, 1_000, "{key_bytes}");
            assert!(found.abs_diff(kept) <= 2, "{key_bytes}: {found}");
        }
    }
}

#[test]
fn the_resource_may_come_after_its_records() {
    let text = |text: &str| field(1, text.as_bytes());
    let attribute = field(1, &[text("host.name"), field(2, &text("node-1"))].concat());
    let scope_logs = field(2, &field(2, &[]));
    let body = field(1, &[scope_logs, field(1, &attribute)].concat());
    assert_eq!(decode(&body, RECEIVED, 9).unwrap()[0].stream.get("host.name"), Some("node-1"));
}

fn value() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        ".{0,8}".prop_map(Value::from),
    ];
    prop_oneof![4 => single.clone(), 1 => prop::collection::vec(single, 0..4).prop_map(Value::List)]
}

fn event() -> impl Strategy<Value = Event> {
    let name = prop_oneof![
        Just("log.level".to_owned()),
        Just("trace.id".to_owned()),
        Just("source.ip".to_owned()),
        "[a-z]{1,3}(\\.[a-z]{1,3})?"
    ];
    let fields = prop::collection::btree_map(name, value(), 0..6);
    let message = prop::collection::vec(any::<u8>(), 0..40);
    (any::<i64>().prop_filter("known", |nanos| *nanos != 0), 0..3u8, message, fields).prop_map(
        |(nanos, host, message, fields)| {
            let stream =
                Stream::new([("event.dataset", "syslog".to_owned()), ("host.name", format!("node-{host}"))]);
            let mut event = Event::new(Timestamp::from_nanos(nanos), Arc::new(stream), message);
            event.fields = fields.into_iter().collect();
            event
        },
    )
}

/// As encoded: streams in the order they first appear.
fn by_stream(events: &[Event]) -> Vec<Event> {
    let mut streams: Vec<_> = Vec::new();
    for event in events {
        if !streams.contains(&event.stream.id()) {
            streams.push(event.stream.id());
        }
    }
    let mut sorted = events.to_vec();
    sorted.sort_by_key(|event| streams.iter().position(|id| *id == event.stream.id()));
    sorted
}

proptest! {
    #[test]
    fn what_is_encoded_comes_back(events in prop::collection::vec(event(), 0..8)) {
        let back = decode(&encode(&events), RECEIVED, MAX_FIELDS).unwrap();
        prop_assert_eq!(back, by_stream(&events));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        decode(&body, RECEIVED, 9).ok();
        decode_json(&body, RECEIVED, 9).ok();
    }

    #[test]
    fn a_damaged_request_is_decoded_or_refused(events in prop::collection::vec(event(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut body = encode(&events);
        let at = at.index(body.len());
        body[at] = byte;
        decode(&body, RECEIVED, 9).ok();
    }
}

#[test]
fn a_time_of_zero_is_not_known() {
    let event = Event::new(Timestamp::from_nanos(0), Arc::new(Stream::new([("event.dataset", "file")])), "x");
    let back = decode(&encode(&[event]), RECEIVED, MAX_FIELDS).unwrap();
    assert_eq!((back[0].time, back[0].fields.len()), (RECEIVED, 0));
    assert!(!time_known(&back[0], RECEIVED));
}

#[test]
fn an_unknown_time_travels_as_unknown() {
    let mut event =
        Event::new(Timestamp::from_seconds(9), Arc::new(Stream::new([("event.dataset", "file")])), "x");
    event.fields.set("event.created", event.time);
    let back = decode(&encode(std::slice::from_ref(&event)), RECEIVED, MAX_FIELDS).unwrap();
    assert_eq!(back, [event]);
    assert!(!time_known(&back[0], RECEIVED));
}
