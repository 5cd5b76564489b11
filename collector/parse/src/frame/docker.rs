//! Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"…"}`.
//!
//! `attrs` (labels and environment chosen by the operator) is skipped. Members may come in any order, as the spec of JSON has
//! it, and unknown ones are passed over; the last of a repeated one counts.

use std::borrow::Cow;

use locard_event::Timestamp;

use super::{Framed, Iostream};
use crate::{json_text, time};

#[derive(Default)]
struct Members<'a> {
    log: Option<Cow<'a, [u8]>>,
    stream: Option<Iostream>,
    time: Option<Timestamp>,
}

/// Reads one docker json-file line. `None`: not that format.
pub fn docker(line: &[u8]) -> Option<Framed<'_>> {
    let members = members(line)?;
    let (content, partial) = without_line_end(members.log?);
    Some(Framed { time: members.time?, iostream: members.stream?, partial, content })
}

fn members(line: &[u8]) -> Option<Members<'_>> {
    let mut members = Members::default();
    let mut rest = json_text::skip_space(line).strip_prefix(b"{")?;
    loop {
        let (key, after) = json_text::string(json_text::skip_space(rest))?;
        let value = json_text::skip_space(json_text::skip_space(after).strip_prefix(b":")?);
        rest = json_text::skip_space(member(&mut members, &key, value)?);
        match rest.split_first()? {
            (b',', tail) => rest = tail,
            (b'}', tail) => return json_text::skip_space(tail).is_empty().then_some(members),
            _ => return None,
        }
    }
}

/// Takes one member's value; gives what follows it.
fn member<'a>(members: &mut Members<'a>, key: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    if !matches!(key, b"log" | b"stream" | b"time") {
        return json_text::skip_value(value);
    }
    let (text, rest) = json_text::string(value)?;
    match key {
        b"log" => members.log = Some(text),
        b"stream" => members.stream = Some(Iostream::parse(&text)?),
        _ => members.time = Some(time::rfc3339(&text).filter(|(_, rest)| rest.is_empty())?.0),
    }
    Some(rest)
}

/// Docker marks a part of a long line by leaving out the line end (moby daemon/logger/copier.go).
fn without_line_end(log: Cow<'_, [u8]>) -> (Cow<'_, [u8]>, bool) {
    match log {
        Cow::Borrowed(bytes) => match bytes.strip_suffix(b"\n") {
            Some(line) => (Cow::Borrowed(line), false),
            None => (Cow::Borrowed(bytes), true),
        },
        Cow::Owned(mut bytes) => {
            let full = bytes.last() == Some(&b'\n');
            if full {
                bytes.pop();
            }
            (Cow::Owned(bytes), !full)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], expected: Option<(Iostream, bool, &[u8])>) {
        let framed = docker(line);
        if let Some(framed) = &framed {
            assert_eq!(framed.time.to_string(), "2026-03-01T12:00:00.100Z");
        }
        let framed = framed.map(|f| (f.iostream, f.partial, f.content.into_owned()));
        assert_eq!(framed, expected.map(|(i, p, c)| (i, p, c.to_vec())), "{}", String::from_utf8_lossy(line));
    }

    #[test]
    fn reads_full_lines_and_parts() {
        use Iostream::{Stderr, Stdout};
        check(
            br#"{"log":"text\n","stream":"stdout","time":"2026-03-01T12:00:00.1Z"}"#,
            Some((Stdout, false, b"text")),
        );
        check(
            br#"{"log":"part","stream":"stderr","time":"2026-03-01T12:00:00.1Z"}"#,
            Some((Stderr, true, b"part")),
        );
        check(
            br#" { "time" : "2026-03-01T13:00:00.1+01:00", "attrs":{"a":"}","b":[1]}, "stream":"stdout", "log":"\u001b[31m\"x\"\r\n" } "#,
            Some((Stdout, false, b"\x1b[31m\"x\"\r")),
        );
        check(
            br#"{"log":"\n","stream":"stdout","time":"2026-03-01T12:00:00.1Z"}"#,
            Some((Stdout, false, b"")),
        );
        check(
            b"{\"log\":\"\xff\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-01T12:00:00.1Z\"}",
            Some((Stdout, false, b"\xff")),
        );
    }

    #[test]
    fn anything_else_is_not_docker() {
        for line in [
            "",
            "{}",
            "text",
            r#"{"log":"x\n","stream":"stdout"}"#,
            r#"{"log":"x\n","stream":"stdlog","time":"2026-03-01T12:00:00.1Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"noon"}"#,
            r#"{"log":1,"stream":"stdout","time":"2026-03-01T12:00:00.1Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-03-01T12:00:00.1Z"} tail"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-03-01T12:00:00.1Z""#,
        ] {
            check(line.as_bytes(), None);
        }
    }
}
