//! The rules that hold whatever the format: what is known wins, labels cannot be covered, nothing is guessed for senders who named
//! their fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test states data and may panic"
)]

mod common;

use std::sync::Arc;

use common::{event, read, text, time};
use locard_event::{Event, Fields, Stream, Timestamp, Value};
use locard_parse::{Context, normalise};

const NOW: &str = "2026-04-01T00:00:00Z";

#[test]
fn a_field_that_is_there_wins() {
    let fields: Fields = [("user.name", "known"), ("log.level", "odd")].into_iter().collect();
    let line = b"<86>Mar  1 12:00:00 h sshd[1]: Accepted password for alice from 203.0.113.7 port 22 ssh2";
    let read = event("syslog", fields, line, time(NOW), false);
    assert_eq!(text(&read, "user.name"), "known");
    assert_eq!(text(&read, "log.level"), "odd");
    assert_eq!(text(&read, "source.ip"), "203.0.113.7");
}

#[test]
fn a_line_cannot_cover_a_label() {
    let labels = [("event.dataset", "container"), ("kubernetes.namespace", "shop"), ("host.name", "node-1")];
    let line = r#"{"kubernetes":{"namespace":"kube-system"},"host":{"name":"other"},"event.dataset":"auditd","ok":1}"#;
    let mut event = Event::new(time(NOW), Arc::new(Stream::new(labels)), line);
    normalise(&mut event, Context { received: time(NOW), time_known: true });
    for (name, label) in labels {
        assert_eq!(event.get(name).unwrap().text(), label);
    }
    assert_eq!(text(&event, "json.kubernetes.namespace"), "kube-system");
    assert_eq!(text(&event, "json.host.name"), "other");
    assert_eq!(text(&event, "json.event.dataset"), "auditd");
    assert_eq!(text(&event, "ok"), "1");
}

#[test]
fn a_host_other_than_the_label_is_kept_beside_it() {
    let labels = [("event.dataset", "syslog"), ("host.name", "node-1")];
    for (host, kept) in [("web-1", "web-1"), ("node-1", "")] {
        let line = format!("Mar  1 12:00:00 {host} app: x");
        let mut event = Event::new(time(NOW), Arc::new(Stream::new(labels)), line);
        normalise(&mut event, Context { received: time(NOW), time_known: false });
        assert_eq!(event.get("host.name").unwrap().text(), "node-1");
        assert_eq!(text(&event, "log.syslog.hostname"), kept);
    }
}

#[test]
fn the_time_of_the_source_stays_and_a_line_without_one_has_the_receipt() {
    let line = b"2026-03-01T12:00:00Z INFO x";
    let known = event("container", Fields::new(), line, time(NOW), true);
    assert_eq!(known.time, time(NOW));
    assert_eq!(read("container", "2026-03-01T12:00:00Z INFO x", NOW).time, time("2026-03-01T12:00:00Z"));
    assert_eq!(read("container", "no time", NOW).time, time(NOW));
}

#[test]
fn what_a_sender_named_itself_is_left_alone() {
    for dataset in ["ndjson", "k8s.event", "auditd"] {
        let line = r#"{"level":"error","time":"2026-03-01T12:00:00Z"}"#;
        let event = read(dataset, line, NOW);
        assert!(event.fields.is_empty(), "{dataset}");
        assert_eq!(event.time, time(NOW));
    }
}

#[test]
fn a_thousand_members_are_fields_and_the_rest_is_said_to_be_left_out() {
    let members: Vec<String> = (0..1_500).map(|n| format!("\"k{n}\":{n}")).collect();
    let event = read("container", &format!("{{{}}}", members.join(",")), NOW);
    assert_eq!(event.fields.len(), 1_001);
    assert_eq!(
        text(&event, "error.message"),
        "500 members are only in the line: more than 1000, or names too long"
    );
}

#[test]
fn bytes_that_are_no_text_do_not_hide_what_is() {
    let line = b"Mar  1 12:00:00 h sshd[1]: Failed password for \xff\xfe from 203.0.113.7 port 22 ssh2\r";
    let event = event("syslog", Fields::new(), line, Timestamp::from_seconds(1_775_000_000), false);
    assert_eq!(event.fields.get("source.ip"), Some(&Value::ip_or_str("203.0.113.7")));
    assert_eq!(text(&event, "user.name"), "\u{fffd}\u{fffd}");
}

#[test]
fn a_large_object_does_not_push_out_what_the_api_server_says() {
    let labels: Vec<String> = (0..3_000).map(|n| format!("\"k{n}\":\"v\"")).collect();
    let (object, head) =
        (format!("{{{}}}", labels.join(",")), r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1""#);
    let line = format!(
        r#"{head},"verb":"create","requestObject":{object},"responseObject":{object},"auditID":"1","sourceIPs":["203.0.113.7"],
            "requestReceivedTimestamp":"2026-03-01T12:00:00.5Z","stageTimestamp":"2026-03-01T12:00:01Z",
            "annotations":{{"authorization.k8s.io/decision":"forbid"}}}}"#
    );
    let event = read("k8s.audit", &line, NOW);
    assert_eq!(event.time, time("2026-03-01T12:00:00.5Z"));
    assert_eq!(text(&event, "kubernetes.audit.stageTimestamp"), "2026-03-01T12:00:01Z");
    assert_eq!(text(&event, "event.outcome"), "failure");
    assert_eq!(text(&event, "source.ip"), "203.0.113.7");
    assert_eq!(text(&event, "kubernetes.audit.requestObject.k0"), "v");
    assert!(event.fields.len() <= 1_000, "all within max_fields, which cuts by name");
    assert_eq!(
        text(&event, "error.message"),
        "5058 members are only in the line: more than 950, or names too long"
    );
}
