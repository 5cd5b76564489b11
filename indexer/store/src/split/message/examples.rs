//! Templates, keys and verdicts of single messages.

use locard_filter::Test;
use locard_filter::template::{self, key_of_presence, key_of_value, pattern_id};

use super::tests::{has_all, scan, verdict};
use super::*;

#[track_caller]
fn check_template(message: &str, expected: &str) {
    let scanned = scan(message.as_bytes());
    assert_eq!(show(&scanned.template.unwrap()), expected);
}

#[test]
fn a_template_is_the_text_around_the_variables() {
    check_template("", "");
    check_template("Failed password for root", "Failed password for root");
    check_template(
        "Failed password for root23 from 10.0.0.9 port 22 ssh2",
        "Failed password for <*> from <*> port <*> <*>",
    );
    check_template("2026-11-23T00:00:00.016Z level=info duration=560ms", "<*> level=info duration=<*>");
    check_template("dl_src=0a:58:63:a1:9c:04,dl_dst=de:ad:be:ef:ab:cd", "dl_src=<*>,dl_dst=<*>");
    check_template("id fb45334d-face-437e-9450-78aca66c8dd7 ok", "id <*> ok");
    check_template("addr fe80::1:ab, face:b00c::1 or cafe::babe", "addr <*>, <*> or cafe::babe");
    check_template("COMMAND=/usr/sbin/iptables -L; cd /tmp", "COMMAND=/<*> -L; cd /tmp");
    check_template("GET http://x.example/a?b=c \"bob.m@mail.example\" a@b", "GET <*> \"<*>\" a@b");
    check_template("pod checkout-api-bcdfghjklm-vwxzq is up", "pod checkout-api-<*> is up");
    check_template("trace=deadbeefdeadbeefdead and added", "trace=<*> and added");
    check_template(
        "{\"user\":\"yolanda.khan\",\"verb\":\"get\",\"a.b\":[\"a-b\"]}",
        "{\"user\":\"<*>\",\"verb\":\"get\",\"a.b\":[\"<*>\"]}",
    );
    check_template(
        "E: no\n\tat a.B.c(B.java:16)\n\tat d.E(E.java)\nCaused by: x",
        "E: no\n\t<*>)\nCaused by: x",
    );
    check_template("a\u{0}\u{0}b\u{1}c", "a<*>b\u{1}c");
    check_template("東京٣ und ٣", "<*> und <*>");
}

#[test]
fn a_message_too_long_or_too_varied_has_no_template() {
    for text in ["word ".repeat(1000), "1 ".repeat(65)] {
        let scanned = scan(text.as_bytes());
        assert_eq!(scanned.template, None);
        let word = text.split(' ').next().unwrap().as_bytes();
        let is_key = scanned.found.keys.contains(&template::key(template::Kind::Word, word));
        assert!(is_key || scanned.found.words.contains(word));
    }
    assert!(scan("1 ".repeat(64).as_bytes()).template.is_some());
}

#[track_caller]
fn check_verdict(message: &str, test: Test, expected: Option<&str>) {
    let scanned = scan(message.as_bytes());
    let plan = TextPlan::of(&test).unwrap();
    let (template, masks) = (scanned.template.clone().unwrap(), &scanned.slots);
    let found = match verdict(&plan, &template, masks) {
        Verdict::Never => None,
        Verdict::Always => Some("always".to_owned()),
        Verdict::Perhaps { missing } if has_all(&scanned.found, &plan, missing) => {
            Some(format!("perhaps {}", missing.count_ones()))
        }
        Verdict::Perhaps { .. } => None,
    };
    assert_eq!(found.as_deref(), expected, "{test:?} on {message}");
}

const SSHD: &str =
    "Nov 23 node-7 sshd[12]: Failed password for root from 203.0.113.77 port 22 ssh2: /tmp/kinsing";

#[test]
fn a_literal_is_looked_for_in_constants_and_slots() {
    let check = |literal: &str, expected| check_verdict(SSHD, Test::Contains(literal.into()), expected);
    check("failed password", Some("always"));
    check("]: Failed", Some("always"));
    check("failed root", None);
    check("password failed", None);
    check("from 203.0.113.77", Some("perhaps 5"));
    check("203.0.113.78", None);
    check("root from 203", Some("perhaps 1"));
    check("root for 203", None);
    check("oot from 203", None);
    check("kinsing", Some("perhaps 1"));
    check("kins", None);
    check("--", None);
}

#[test]
fn a_wildcard_is_looked_for_by_its_prefixes() {
    let check = |pattern: &str, expected| check_verdict(SSHD, Test::Wildcard(pattern.into()), expected);
    check("fail*", Some("always"));
    check("fail*root*", Some("always"));
    check("root*fail*", None);
    check("kinsin*", Some("perhaps 1"));
    check("kin*", Some("perhaps 0"));
    check("kinzin*", None);
    check("f*led", Some("always"));
    check("203.0.113.*", Some("perhaps 3"));
    check("zz*", None);
}

#[test]
fn a_regex_is_run_over_the_template() {
    let check = |pattern: &str, expected| {
        check_verdict(SSHD, Test::Regex { pattern: pattern.into(), ignore_case: true }, expected);
    };
    check("failed (password|publickey)", Some("always"));
    check("failed (keyboard|publickey)", None);
    check(r"from \d+\.0\.113\.77 port", Some("perhaps 3"));
    check(r"from \d+\.0\.114\.77 port", None);
    check(r"kins\w+", Some("perhaps 0"));
    check(r"port \d+ ssh2", Some("perhaps 0"));
    check(r"port [a-z]+ ssh2", None);
    check("^Nov", Some("perhaps 0"));
    check("^Failed", None);
    check("kinsing$", Some("perhaps 0"));
    check("port$", None);
}

#[test]
fn a_whole_text_is_compared() {
    let check =
        |message: &str, text: &str, expected| check_verdict(message, Test::Equals(text.into()), expected);
    check("all is well", "all is well", Some("always"));
    check("all is well", "All is well", None);
    check("node 7 is up", "node 7 is up", Some("perhaps 1"));
    check("node 7 is up", "node 8 is up", None);
    check("node 7 is up", "node 7 is", None);
    assert!(TextPlan::of(&Test::Equals("200".into())).is_none());
}

#[test]
fn keys_never_change() {
    let check = |key: u64, expected: u64| assert_eq!(key, expected, "{key:016x}");
    let word = |text: &str| template::key(template::Kind::Word, text.as_bytes());
    check(word(""), 0x39f2_7276_f2f9_096d);
    check(word("7"), 0x22d9_62c6_873e_d80e);
    check(word("root"), 0x1993_50b0_e844_24e2);
    check(word("kinsing"), 0xf873_a021_6e71_ceb4);
    check(word("0123456789abcdef"), 0x7114_8a30_1b0e_8e8b);
    check(word("0123456789abcdef0123456789abcdef_"), 0x5d0d_db95_9469_327a);
    check(template::key(template::Kind::Prefix, b"kins"), 0x8931_f643_3893_99d9);
    check(template::key(template::Kind::Window, b"203.0.113.77"), 0x2fea_40cb_9ec5_32d4);
    check(key_of_value("trace_id", "abc"), 0x9294_d847_4ddf_6b3a);
    check(key_of_presence("trace_id"), 0x1d07_0965_b108_cc5c);
    check(pattern_id(b"Failed password for \0"), 0x75ce_c313_d92e_fdbc);
}

#[test]
fn windows_are_keys_whatever_stands_around() {
    for around in ["203.0.113.77", "9.203.0.113.77.8", "x 1.203.0.113.77:443", "\u{e9}203.0.113.77 "] {
        let (key, keys) =
            (template::key(template::Kind::Window, b"203.0.113.77"), scan(around.as_bytes()).found.keys);
        assert_eq!(keys.contains(&key), !around.starts_with('é'), "{around}");
    }
    for around in
        ["DE:ad:be:ef:ab:cd", "00-de:ad:be:ef:ab:cd", "00:de:ad:be:ef:ab:cd-ef", "(de:ad:be:ef:ab:cd)"]
    {
        assert!(
            scan(around.as_bytes())
                .found
                .keys
                .contains(&template::key(template::Kind::Window, b"de:ad:be:ef:ab:cd")),
            "{around}"
        );
    }
}
