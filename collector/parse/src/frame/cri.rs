//! The log format of the Kubernetes container runtime interface: `time stream tags content`.
//!
//! Source: kubernetes/design-proposals, kubelet-cri-logging. Tags are joined with `:`; the first says whether the line is
//! full (`F`) or a part of one (`P`), further ones are reserved and ignored.

use std::borrow::Cow;

use super::{Framed, Iostream};
use crate::time;

/// Reads one CRI line (`2026-03-01T12:00:00.1+01:00 stdout F text`), without its line end. `None`: not CRI.
pub fn cri(line: &[u8]) -> Option<Framed<'_>> {
    let (time, rest) = time::rfc3339(line)?;
    let rest = rest.strip_prefix(b" ")?;
    let (name, rest) = rest.split_at_checked(6)?;
    let iostream = Iostream::parse(name)?;
    let rest = rest.strip_prefix(b" ")?;
    // A line that ends after its tags is an empty one whose trailing space was lost.
    let (tags, content) = match memchr::memchr(b' ', rest) {
        Some(space) => (rest.get(..space)?, rest.get(space + 1..)?),
        None => (rest, &[][..]),
    };
    let partial = match tags {
        [b'P'] | [b'P', b':', ..] => true,
        [b'F'] | [b'F', b':', ..] => false,
        _ => return None,
    };
    Some(Framed { time, iostream, partial, content: Cow::Borrowed(content) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], expected: Option<(&str, Iostream, bool, &[u8])>) {
        let framed = cri(line).map(|f| (f.time.to_string(), f.iostream, f.partial, f.content.into_owned()));
        let expected = expected.map(|(t, i, p, c)| (t.to_owned(), i, p, c.to_vec()));
        assert_eq!(framed, expected, "{}", String::from_utf8_lossy(line));
    }

    #[test]
    fn reads_every_spelling_the_runtimes_write() {
        use Iostream::{Stderr, Stdout};
        let utc = "2026-03-01T11:00:00.100Z";
        check(b"2026-03-01T12:00:00.1+01:00 stdout F text", Some((utc, Stdout, false, b"text")));
        check(b"2026-03-01T11:00:00.100000000Z stderr P part ", Some((utc, Stderr, true, b"part ")));
        check(b"2026-03-01T11:00:00.1Z stdout P:x:y  two", Some((utc, Stdout, true, b" two")));
        check(b"2026-03-01T11:00:00.1Z stdout F ", Some((utc, Stdout, false, b"")));
        check(b"2026-03-01T11:00:00.1Z stdout F", Some((utc, Stdout, false, b"")));
        check(b"2026-03-01T11:00:00.1Z stdout F \xff\0\r", Some((utc, Stdout, false, b"\xff\0\r")));
        check(
            b"2016-10-06T00:17:09.669794202-07:30 stdout F x",
            Some(("2016-10-06T07:47:09.669794202Z", Stdout, false, b"x")),
        );
    }

    #[test]
    fn anything_else_is_not_cri() {
        for line in [
            b"".as_slice(),
            b"2026-03-01T11:00:00.1Z",
            b"2026-03-01T11:00:00.1Z stdlog F x",
            b"2026-03-01T11:00:00.1Z stdout X x",
            b"2026-03-01T11:00:00.1Z stdout Fx x",
            b"2026-03-01T11:00:00.1Z  stdout F x",
            b"2026-03-01 stdout F x",
            b"hello",
        ] {
            check(line, None);
        }
    }
}
