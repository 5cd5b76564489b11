//! Queries, events, and whether they match.

use locard_event::{Event, Timestamp};

use super::event;
use crate::{Matcher, parse};

const NOW: &str = "2026-03-01T12:00:00Z";

fn matches(query: &str, event: &Event) -> bool {
    let filter = parse(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    Matcher::new(&filter.resolve(Timestamp::parse(NOW).unwrap())).unwrap().matches(event)
}

/// The queries match the event, those that begin with `✗ ` do not.
#[track_caller]
fn check(json: &str, queries: &[&str]) {
    let event = event(json);
    for query in queries {
        let (query, expected) = query.strip_prefix("✗ ").map_or((*query, true), |query| (query, false));
        assert_eq!(matches(query, &event), expected, "{query} on {json}");
    }
}

#[test]
fn bare_words_look_everywhere_but_at_ids_and_times() {
    check(
        r#"{"message": "Failed password for root", "user.name": "Alice", "labels": {"host.name": "node-3"}, "_id": "0-77",
            "@timestamp": "2026-03-01T11:59:00Z", "event.ingested": "2026-03-01T11:59:01Z", "process.args": ["ls", "-la"], "n": 42}"#,
        &[
            "",
            "*",
            "failed",
            r#""password for""#,
            "alice",
            "node-3",
            "node",
            "ls",
            "la",
            "42",
            "✗ fail",
            "✗ nod",
            "✗ 77",
            "✗ 0-77",
            "✗ 2026",
            "✗ host.name",
            "✗ missing",
            "failed root",
            "✗ failed bob",
            "failed OR bob",
            "NOT bob",
            "✗ -failed",
            "/pass\\w+/",
            "✗ /PASS/",
            "/PASS/i",
            "al?ce",
            "nod*",
        ],
    );
}

#[test]
fn a_field_is_asked_alone() {
    check(
        r#"{"message": "user root", "user.name": "alice smith", "labels": {"host.name": "node-3", "user.name": "label"}}"#,
        &[
            "user.name:alice",
            "user.name:SMITH",
            "✗ user.name:smi",
            "✗ user.name:root",
            "message:root",
            "host.name:node-3",
            "host.name=node-3",
            "✗ host.name=NODE-3",
            "✗ host.name=node",
            "✗ user.name:label",
            "label",
            r#"user.name="alice smith""#,
            r#"✗ user.name="Alice smith""#,
            "user.name!=bob",
            "✗ host.name!=node-3",
            "missing!=x",
            "user.name:*",
            "✗ missing:*",
            "NOT missing:*",
            "message:*",
            r#"message="user root""#,
            "user.name:(bob OR alice)",
            "user.name:(alice -bob)",
            "✗ user.name:(alice bob)",
            "user.name~\"^al.*th$\"",
            "✗ user.name~^smith",
            "user.name!~^smith",
            "missing!~x",
        ],
    );
}

#[test]
fn null_matches_nothing_and_a_list_by_any_element() {
    check(
        r#"{"a": null, "b": [null, "x y", 7], "c": [], "d": ""}"#,
        &[
            "✗ a:*",
            "✗ a:null",
            "a!=x",
            "b:*",
            "b:x",
            r#"b="x y""#,
            "b=7",
            "b>6",
            "✗ b>7",
            "b:[7 TO 8]",
            "✗ b=x",
            "✗ c:*",
            "d:*",
            r#"d="""#,
            "✗ b=\"\"",
        ],
    );
}

#[test]
fn whole_values_are_equal_as_what_they_are() {
    check(
        r#"{"i": 200, "f": 1.5, "t": "0200", "big": 9007199254740993, "yes": true, "ip": "2001:db8::1", "spelt": "2001:DB8:0::1",
            "at": {"time": "2026-03-01T12:00:00Z"}, "said": "2026-03-01T13:00:00+01:00"}"#,
        &[
            "i=200",
            "i=200.0",
            "i=2e2",
            "✗ i=201",
            "i:200",
            "✗ i:20",
            "i:2*",
            "t=200",
            "t=0200",
            "f=1.50",
            "f:1.5",
            "f:5",
            "big=9007199254740993",
            "✗ big=9007199254740992",
            "yes=true",
            "yes:TRUE",
            "✗ yes=TRUE",
            "✗ yes=1",
            "ip=2001:db8::1",
            "ip=2001:DB8:0::1",
            "spelt=2001:db8::1",
            "ip:db8",
            "ip:2001:db8::/32",
            "spelt:2001:db8::/32",
            r#"at="2026-03-01T12:00:00Z""#,
            r#"at="2026-03-01T13:00:00+01:00""#,
            r#"said="2026-03-01T12:00:00Z""#,
            "at:2026-03-01T12",
        ],
    );
}

#[test]
fn order_is_that_of_numbers_times_addresses_or_texts() {
    check(
        r#"{"i": 9, "f": -0.5, "t": "10", "word": "pear", "ip": "10.0.0.9", "ip6": "::1", "at": {"time": "2026-03-01T12:00:00Z"}, "message": "12"}"#,
        &[
            "i<10",
            "✗ i>10",
            "i>=9",
            "i<=9",
            "✗ i<9",
            "i:[9 TO 9]",
            "✗ i:{9 TO 10]",
            "✗ i:[8 TO 9}",
            "i:[* TO 10]",
            "i:[* TO *]",
            "f<0",
            "f>=-0.5",
            "t>9",
            "✗ word>9",
            "✗ word<9",
            "word>apple",
            "word<=pear",
            "word>Zebra",
            "word:[p TO q]",
            "i<apple",
            "ip>10.0.0.8",
            "✗ ip>10.0.0.10",
            "ip:[10.0.0.0 TO 10.0.0.255]",
            "✗ ip6>10.0.0.1",
            "✗ ip6<10.0.0.1",
            r#"at>"2026-03-01T11:59:59Z""#,
            r#"✗ at>"2026-03-01T12:00:00Z""#,
            "at>=2026-03-01",
            "message>11",
            "✗ missing<5",
            "✗ missing>5",
        ],
    );
}

#[test]
fn networks_hold_addresses_wherever_they_stand() {
    check(
        r#"{"source.ip": "10.1.2.3", "ips": ["203.0.113.7", "2001:db8::5"], "message": "10.9.9.9", "labels": {"node": "192.168.0.4"}}"#,
        &[
            "source.ip:10.0.0.0/8",
            "✗ source.ip:10.2.0.0/16",
            "source.ip:10.1.2.3/32",
            "source.ip:10.1.2.99/24",
            "ips:2001:db8::/32",
            "ips:203.0.113.0/24",
            "message:10.9.0.0/16",
            "node:192.168.0.0/24",
            "10.9.9.0/24",
            "✗ 172.16.0.0/12",
            "✗ source.ip:::/0",
            "✗ source.ip:\"10.0.0.0/8\"",
        ],
    );
}

#[test]
fn times_are_those_the_source_says() {
    check(
        r#"{"@timestamp": "2026-03-01T11:30:00Z", "event.ingested": "2026-03-01T11:31:00Z"}"#,
        &[
            "_time:1h",
            "✗ _time:29m",
            "_time:30m",
            "@timestamp:2026-03-01",
            "✗ _time:2026-02-28",
            "_time:[2026-03-01T11:30Z TO 2026-03-01T11:30Z]",
            "_time>=2026-03-01T11:30Z",
            "✗ _time>2026-03-01T11:30Z",
            "_time<=2026-03-01T11:30Z",
            "✗ _time<2026-03-01T11:30Z",
            "event.ingested:[2026-03-01T11:31 TO *]",
            "✗ event.ingested<2026-03-01T11:31",
            "_time:*",
            "_time:[now-1h TO now]",
            "_time!=2026-02-28",
        ],
    );
    check(
        r#"{"message": "not accepted yet"}"#,
        &["✗ event.ingested:*", "✗ event.ingested:1h", "✗ _id:0-0", "_time:1970"],
    );
}

#[test]
fn ids_and_streams() {
    check(
        r#"{"_id": "0-77", "labels": {"event.dataset": "syslog", "host.name": "a"}}"#,
        &["_id:0-77", "✗ _id:0-7", "_id=0-77", "_id:(0-1 OR 0-77)", "_stream:*"],
    );
}

#[test]
fn a_stream_is_found_by_its_id() {
    let event = event(r#"{"labels": {"event.dataset": "syslog", "host.name": "a"}}"#);
    let id = event.stream.id().to_string();
    assert!(matches(&format!("_stream:{id}"), &event));
    assert!(matches(&format!("_stream:{}", id.to_uppercase()), &event));
    assert!(!matches(&format!("_stream:{}", "0".repeat(32)), &event));
    assert!(!matches(&id, &event), "a bare word does not look at ids");
}

#[test]
fn entities_are_found_inside_lines() {
    check(
        r#"{"message": "conn src=203.0.113.77:443 mac=aa:bb:cc:dd:ee:ff path=/var/log/syslog.1 DOMAIN\\bob CVE-2024-3094 k=100%"}"#,
        &[
            "203.0.113.77",
            "203.0.113.77:443",
            "✗ 203.0.113.7",
            "aa:bb:cc:dd:ee:ff",
            "/var/log/syslog",
            "✗ /ar/log",
            r"DOMAIN\bob",
            r"message:/CVE-\d{4}-\d+/i",
            "cve-2024*",
            "100%",
            "✗ 00%",
            "113",
        ],
    );
}

#[test]
fn invalid_bytes_are_neither_letters_nor_lost() {
    let mut event = event("{}");
    event.message = b"x\xFFroot\xFFy".to_vec().into();
    for query in ["root", "x", "message:root", r"/(?-u)\xFFroot/", "message:r?ot", "x?root"] {
        assert!(matches(query, &event), "{query}");
    }
    for query in ["xroot", r#"message="x\u{FFFD}root""#, "message>5"] {
        assert!(!matches(query, &event), "{query}");
    }
}

#[test]
fn what_cannot_be_compiled_is_refused() {
    #[track_caller]
    fn refused(query: &str, message: &str) {
        let error = Matcher::new(&parse(query).unwrap()).unwrap_err();
        assert!(error.message.contains(message), "{}", error.message);
    }
    refused("_time:1h", "was not resolved");
    refused(r"/\w{999}\w{999}/", "needs more than");
}
