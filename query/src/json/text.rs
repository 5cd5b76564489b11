//! Text and times as JSON has them, appended to bytes. As `serde_json` writes them, which tests compare.

use std::io::Write;

use locard_event::Timestamp;

const ONES: u64 = u64::MAX / 255;
const HIGHS: u64 = ONES << 7;

/// Appends a string with its quotes.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let plain = plain(rest);
        let (now, later) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(now);
        let Some((byte, later)) = later.split_first() else { break };
        put_escaped(out, *byte);
        rest = later;
    }
    out.push(b'"');
}

/// How many bytes come before the first that cannot stand as it is.
fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for word in words {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let tail = bytes.get(at..).unwrap_or_default();
    at + tail.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(tail.len())
}

/// The highest bit of each of eight bytes that cannot stand as it is; the lowest that is set is right, others may be set beside it.
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let is = |byte: u8| zero(word ^ (ONES * u64::from(byte)));
    (word.wrapping_sub(ONES * 0x20) & !word & HIGHS) | is(b'"') | is(b'\\')
}

fn put_escaped(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => return put_formatted(out, format_args!("\\u{byte:04x}")),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends what is formatted.
pub(super) fn put_formatted(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into memory does not fail.
    drop(out.write_fmt(text));
}

/// Appends times; neighbours mostly share their second.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<i64>,
    /// Up to the point.
    text: String,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;

impl Clock {
    /// Appends a time as its `Display` has it.
    pub(super) fn put(&mut self, out: &mut Vec<u8>, time: Timestamp) {
        let (second, nanos) =
            (time.nanos().div_euclid(NANOS_PER_SECOND), time.nanos().rem_euclid(NANOS_PER_SECOND));
        if self.second != Some(second) {
            let text = time.to_string();
            self.text.clear();
            self.text.push_str(text.split_inclusive('.').next().unwrap_or_default());
            self.second = Some(second);
        }
        out.extend_from_slice(self.text.as_bytes());
        match nanos {
            n if n % 1_000_000 == 0 => put_digits(out, n / 1_000_000, 3),
            n if n % 1_000 == 0 => put_digits(out, n / 1_000, 6),
            n => put_digits(out, n, 9),
        }
        out.push(b'Z');
    }
}

/// Appends a number with zeros before it.
fn put_digits(out: &mut Vec<u8>, number: i64, digits: usize) {
    let start = out.len();
    out.resize(start + digits, b'0');
    let mut left = number;
    for digit in out.iter_mut().skip(start).rev() {
        *digit += (left % 10) as u8;
        left /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let mut out = Vec::new();
        put_text(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(text).unwrap());
    }

    #[test]
    fn every_character_is_written_as_serde_writes_it() {
        for character in (0..0x300).chain([0x2028, 0xFFFD, 0x1F980]).filter_map(char::from_u32) {
            for before in 0..9 {
                check(&format!("{}{character}behind it", "x".repeat(before)));
            }
        }
        check("");
    }

    proptest! {
        #[test]
        fn any_text_is_written_as_serde_writes_it(text in "[\"\\\\a-c\u{0}-\u{21}é🦀]{0,40}") {
            check(&text);
        }

        #[test]
        fn any_time_is_written_as_it_shows_itself(times in prop::collection::vec(
            prop_oneof![any::<i64>(), -3_000_000_000..3_000_000_000i64, (-4..4i64).prop_map(|n| n * 1_000_000)], 1..9
        )) {
            let mut clock = Clock::default();
            for time in times.into_iter().map(Timestamp::from_nanos) {
                let mut out = Vec::new();
                clock.put(&mut out, time);
                prop_assert_eq!(String::from_utf8(out).unwrap(), time.to_string());
            }
        }
    }
}
