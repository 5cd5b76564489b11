//! No line, however odd, makes a reader panic, change the message, or add more fields than the limit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    reason = "a test states data and may panic"
)]

mod common;

use locard_event::{Fields, Timestamp};
use locard_parse::detect::envelope;
use locard_parse::frame::{Iostream, Joiner, cri, docker, journald};
use proptest::prelude::*;

const DATASETS: [&str; 8] = ["container", "syslog", "file", "journald", "k8s.audit", "ndjson", "", "otlp"];

/// Programs whose sentences are read by a reader of their own.
const PROGRAMS: [&str; 10] = [
    "sshd",
    "sudo",
    "su",
    "CRON",
    "useradd",
    "kernel",
    "dropbear",
    "systemd-logind",
    "nginx",
    "pop(pam_unix)",
];

fn read_every_way(line: &[u8]) {
    let received = common::time("2026-04-01T00:00:00Z");
    for dataset in DATASETS {
        for program in PROGRAMS.iter().take(if dataset == "journald" { PROGRAMS.len() } else { 1 }) {
            let fields: Fields = [("process.name", *program)].into_iter().collect();
            let event = common::event(dataset, fields, line, received, true);
            assert_eq!(event.time, received, "a known time stays");
            assert!(event.fields.len() <= 1_100, "{}", event.fields.len());
        }
    }
}

/// Pieces that real lines are made of, so that random lines get past the first byte.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let texts = [
        "Mar  1 12:00:00 ",
        "2026-03-01T12:00:00.5Z ",
        "2026-03-01 12:00:00,123 ",
        "<34>",
        "1 ",
        "host ",
        "sshd[42]: ",
        "Failed password for ",
        "invalid user ",
        "from ",
        "203.0.113.7 ",
        "port 22 ",
        "ssh2",
        "Connection closed by ",
        "Disconnecting ",
        " not allowed because ",
        "User ",
        "pam_unix(sshd:auth): ",
        "authentication failure; ",
        "ruser= ",
        "rhost=",
        "user=",
        "alice : ",
        "TTY=pts/0 ; ",
        "COMMAND=",
        "(root) CMD (",
        "new user: name=",
        "'",
        "[id a=\"",
        "\\\"",
        "\"",
        "]",
        "[",
        "{\"",
        "\":",
        "{",
        "}",
        "[1,",
        "null",
        "kind\":\"Event\"",
        "\"verb\":\"get\"",
        "I0301 12:00:00.5 1 a.go:1] ",
        "level=info ",
        "msg=\"",
        "a=b ",
        "- ",
        "[01/Mar/2026:12:00:00 +0000] ",
        "\"GET / HTTP/1.1\" 200 1",
        "IN=eth0 OUT= SRC=1.2.3.4 DST=5.6.7.8 ",
        " stdout F ",
        " stderr P ",
        "__REALTIME_TIMESTAMP\":\"1\"",
        "é",
        "\u{feff}",
        " ",
        ", client: ",
        ", request: \"",
    ];
    prop_oneof![
        8 => prop::sample::select(texts.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
        read_every_way(&line);
    }

    #[test]
    fn any_mixture_of_formats(pieces in prop::collection::vec(piece(), 0..14)) {
        read_every_way(&pieces.concat());
    }

    #[test]
    fn any_line_torn_anywhere(at in 0usize..400, which in 0usize..1000) {
        let golden = include_str!("golden/sshd/sentences.txt").lines()
            .chain(include_str!("golden/json/lines.txt").lines())
            .chain(include_str!("golden/audit/events.txt").lines())
            .chain(include_str!("golden/access/lines.txt").lines())
            .chain(include_str!("golden/syslog5424/headers.txt").lines());
        let lines: Vec<&str> = golden.collect();
        let line = lines[which % lines.len()].as_bytes();
        read_every_way(&line[..at.min(line.len())]);
        read_every_way(&line[at.min(line.len())..]);
    }

    #[test]
    fn framing_survives_anything(pieces in prop::collection::vec(piece(), 0..10)) {
        let line = pieces.concat();
        let mut joiner = Joiner::new(16);
        for framed in [cri(&line), docker(&line)].into_iter().flatten() {
            if let Some(joined) = joiner.push(framed, 7) {
                prop_assert!(joined.content.len() <= 16);
            }
        }
        let _ = journald(&line);
        let _ = envelope([line.as_slice()]);
    }

    /// What goes in comes out: every byte of every part, in the order of its stream.
    #[test]
    fn joining_loses_nothing(parts in prop::collection::vec((any::<bool>(), any::<bool>(), "[a-z]{0,5}"), 0..30)) {
        let mut joiner = Joiner::new(usize::MAX);
        let mut joined: [Vec<u8>; 2] = Default::default();
        let mut expected: [Vec<u8>; 2] = Default::default();
        let mut take = |iostream: Iostream, content: &[u8]| joined[usize::from(iostream == Iostream::Stderr)].extend(content);
        for (offset, (stderr, partial, text)) in parts.iter().enumerate() {
            expected[usize::from(*stderr)].extend(text.as_bytes());
            let (stream, tag) = (if *stderr { "stderr" } else { "stdout" }, if *partial { "P" } else { "F" });
            let line = format!("2026-03-01T12:00:00Z {stream} {tag} {text}");
            if let Some(line) = joiner.push(cri(line.as_bytes()).unwrap(), offset as u64) {
                take(line.iostream, &line.content);
            }
            let waits = Iostream::ALL.iter().any(|stream| joiner.pending(*stream).is_some());
            prop_assert_eq!(joiner.resume_offset(offset as u64 + 1) <= offset as u64, waits);
        }
        for stream in Iostream::ALL {
            if let Some(line) = joiner.flush(stream) {
                prop_assert!(line.partial);
                take(stream, &line.content);
            }
        }
        prop_assert_eq!(joined, expected);
    }
}

/// Lines of a quarter megabyte made to be slow: each repeats what a reader looks for.
#[test]
fn long_lines_take_linear_time() {
    let received = Timestamp::from_seconds(1_775_000_000);
    let seeds = [
        "a",
        "{\"a\":",
        "{\"",
        "[",
        "\\\"",
        "a=1 ",
        "from ",
        " from 1.2.3.4 ",
        " port 22 ",
        "rhost=",
        " rhost=1 ",
        "[1] ",
        "'",
        " IN=",
        "x from [",
        "<34>",
        " : ",
        " ; ",
        ", client: ",
        "ruser= rhost=a user=",
        "1.2.3.4, ",
        "k9=\"v\" ",
    ];
    let heads = [
        "",
        "{\"a\":\"",
        "{\"a\":[",
        "Mar  1 12:00:00 h sshd[1]: Failed password for ",
        "Mar  1 12:00:00 h sshd[1]: Disconnecting ",
        "Mar  1 12:00:00 h a: pam_unix(a:auth): authentication failure; ruser=",
        "Mar  1 12:00:00 h kernel: ",
        "<34>1 - h a - - [id ",
        "I0301 12:00:00.5 1 a.go:1] \"x\" ",
        "2026/03/01 12:00:00 [error] 1#2: ",
        "Mar  1 12:00:00 h sudo: ",
    ];
    let started = std::time::Instant::now();
    for head in heads {
        for seed in seeds {
            let line = format!("{head}{}", seed.repeat(250_000 / seed.len()));
            common::event("syslog", Fields::new(), line.as_bytes(), received, false);
        }
    }
    // Unoptimised and on a busy machine a linear pass takes some ten milliseconds; a quadratic one, many seconds each.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
