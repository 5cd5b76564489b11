//! What the doors beside NDJSON share in tests, and what holds for every door.

use bytes::Bytes;
use locard_event::{Event, Timestamp};
use locard_wire::Encoding;
use proptest::prelude::*;

use super::{Action, Received, receive};
use crate::delivery::{Bulk, Door, Error, Form, HecOrigin};
use crate::wal::ReadLimits;

pub(super) const LIMITS: ReadLimits = ReadLimits {
    max_decompressed_bytes: 1 << 20,
    max_events: 100,
    max_line_bytes: 1 << 16,
    max_fields: 100,
    max_name_bytes: 100,
    max_labels: 20,
    max_label_bytes: 2000,
};

pub(super) fn received_at() -> Timestamp {
    Timestamp::parse("2026-11-24T08:00:00Z").unwrap()
}

pub(super) fn read(door: &Door, body: impl Into<Bytes>) -> Result<Received, Error> {
    receive(door, Encoding::Identity, &body.into(), received_at(), &LIMITS)
}

/// The events of a body of which nothing is refused.
#[track_caller]
pub(super) fn check_events(door: &Door, body: impl Into<Bytes>) -> Vec<Event> {
    let read = read(door, body).unwrap();
    assert_eq!(read.ack.rejected, []);
    read.events
}

/// Why a body is refused.
#[track_caller]
pub(super) fn refused(door: &Door, body: impl Into<Bytes>) -> Error {
    read(door, body).unwrap_err()
}

fn doors() -> Vec<Door> {
    let origin = HecOrigin::default();
    vec![
        Door::Otlp,
        Door::OtlpJson,
        Door::ndjson(),
        Door::Hec(origin.clone()),
        Door::HecRaw(origin),
        Door::Loki,
        Door::LokiJson,
        Door::K8sAudit,
        Door::Documents(Bulk::default()),
        Door::Documents(Bulk {
            index: Some("i".into()),
            form: Form::One { action: Action::Index, id: Some("a".into()) },
            ..Bulk::default()
        }),
    ]
}

#[test]
fn lists_of_audit_events_are_taken_apart() {
    let item = r#"{"level":"Metadata","auditID":"a1","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"create",
        "user":{"username":"ann"},"requestReceivedTimestamp":"2025-11-24T16:00:00.123456Z"}"#;
    let single =
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a2","stage":"Panic","verb":"get"}"#;
    let body = format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{item},7]}}{single}"#);
    let read = read(&Door::K8sAudit, body).unwrap();
    assert_eq!((read.ack.accepted, read.ack.rejected[0].line), (2, 2));
    let event = &read.events[0];
    assert_eq!(event.message, item);
    assert_eq!(event.time.to_string(), "2025-11-24T16:00:00.123456Z");
    for (name, value) in [
        ("event.dataset", "k8s.audit"),
        ("user.name", "ann"),
        ("event.action", "create"),
        ("kubernetes.audit.requestURI", "/api/v1/pods"),
        ("kubernetes.audit.auditID", "a1"),
    ] {
        assert_eq!(event.get(name).unwrap().text(), value, "{name}");
    }
    assert_eq!(read.events[1].get("kubernetes.audit.verb").unwrap().text(), "get");
    for bad in ["{", "{\"items\":7}"] {
        assert!(matches!(refused(&Door::K8sAudit, bad), Error::Malformed { .. }), "{bad}");
    }
}

/// The same body read twice gives the same events: the log keeps bodies only.
fn check_same(door: &Door, body: &Bytes) {
    let events = |read: Result<Received, Error>| read.map(|read| read.events).ok();
    let (one, two) = (read(door, body.clone()), read(door, body.clone()));
    assert_eq!(events(one), events(two));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        for door in doors() {
            check_same(&door, &body.clone().into());
        }
    }

    #[test]
    fn nothing_like_json_panics(body in r#"([{}\[\]":,\\ \n]|event|time|streams|values|stream|items|index|create|_id|fields|[0-9]{1,4}|é|null|\\ud83d){0,60}"#) {
        for door in doors() {
            check_same(&door, &body.clone().into());
        }
    }
}
