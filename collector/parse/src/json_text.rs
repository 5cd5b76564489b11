//! Just enough JSON to take a string out of an object as bytes.
//!
//! Container runtimes may write strings that are not UTF-8, which serde refuses and evidence must not lose. This does not
//! validate numbers, and knows nothing of the meaning of a member.

use std::borrow::Cow;

/// How deep [`skip_value`] follows arrays and objects.
pub(crate) const MAX_DEPTH: usize = 64;

/// What follows JSON white space.
pub(crate) fn skip_space(input: &[u8]) -> &[u8] {
    input.trim_ascii_start()
}

/// Reads a quoted string; gives its decoded bytes and what follows. A lone surrogate becomes U+FFFD.
pub(crate) fn string(input: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let (b'"', input) = input.split_first()? else { return None };
    let (plain, rest) = input.split_at_checked(memchr::memchr2(b'"', b'\\', input)?)?;
    if let [b'"', rest @ ..] = rest {
        return Some((Cow::Borrowed(plain), rest));
    }
    let mut decoded = Vec::with_capacity(input.len().min(plain.len() * 2 + 64));
    decoded.extend_from_slice(plain);
    let rest = unescape(rest, &mut decoded)?;
    Some((Cow::Owned(decoded), rest))
}

/// Decodes up to and including the closing quote.
fn unescape<'a>(mut input: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (plain, rest) = input.split_at_checked(memchr::memchr2(b'"', b'\\', input)?)?;
        decoded.extend_from_slice(plain);
        input = match rest {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', b'u', rest @ ..] => unicode(rest, decoded)?,
            [b'\\', escape, rest @ ..] => {
                decoded.push(simple_escape(*escape)?);
                rest
            }
            _ => return None,
        };
    }
}

fn simple_escape(escape: u8) -> Option<u8> {
    Some(match escape {
        b'"' | b'\\' | b'/' => escape,
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        _ => return None,
    })
}

/// Decodes four hex digits, and a second `\u` when the first is a high surrogate.
fn unicode<'a>(input: &'a [u8], decoded: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (first, rest) = hex4(input)?;
    let (code, rest) = match (first, rest) {
        (0xD800..=0xDBFF, [b'\\', b'u', tail @ ..]) => match hex4(tail)? {
            (second @ 0xDC00..=0xDFFF, tail) => {
                (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), tail)
            }
            _ => (first, rest),
        },
        _ => (first, rest),
    };
    let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    decoded.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    Some(rest)
}

fn hex4(input: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = input.split_at_checked(4)?;
    let mut code = 0;
    for digit in digits {
        code = code * 16 + char::from(*digit).to_digit(16)?;
    }
    Some((code, rest))
}

/// What follows one value of any kind, no deeper than [`MAX_DEPTH`].
pub(crate) fn skip_value(input: &[u8]) -> Option<&[u8]> {
    let mut rest = skip_space(input);
    let mut depth = 0usize;
    loop {
        rest = match rest.first()? {
            b'"' => string(rest)?.1,
            b'{' | b'[' if depth < MAX_DEPTH => {
                depth += 1;
                rest.get(1..)?
            }
            b'}' | b']' if depth > 0 => {
                depth -= 1;
                rest.get(1..)?
            }
            b',' | b':' if depth > 0 => rest.get(1..)?,
            b'{' | b'[' | b'}' | b']' | b',' | b':' => return None,
            _ => skip_bare(rest)?,
        };
        if depth == 0 {
            return Some(rest);
        }
        rest = skip_space(rest);
    }
}

/// A number, `true`, `false` or `null`.
fn skip_bare(input: &[u8]) -> Option<&[u8]> {
    let length = input
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'+'))
        .count();
    (length > 0).then(|| input.get(length..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: Option<&[u8]>) {
        assert_eq!(string(input).map(|(text, _)| text.into_owned()).as_deref(), expected);
    }

    #[test]
    fn strings_decode_to_bytes() {
        check(br#""plain" rest"#, Some(b"plain"));
        check(br#""a\"b\\c\/\n\t\r\b\f""#, Some(b"a\"b\\c/\n\t\r\x08\x0c"));
        check(br#""\u00e9\ud83d\ude00""#, Some("é😀".as_bytes()));
        check(b"\"raw \xff\"", Some(b"raw \xff"));
        check(br#""lone \ud83d x""#, Some("lone \u{fffd} x".as_bytes()));
        check(br#""lone \ud83d\u0041""#, Some("lone \u{fffd}A".as_bytes()));
        for broken in [br#""open"#.as_slice(), br#""\"#, br#""\q""#, br#""\u12""#, b"x"] {
            check(broken, None);
        }
    }

    #[test]
    fn any_value_is_skipped_up_to_a_depth() {
        for (input, rest) in [(r#"{"a":[1,-2.5e3,"]"]},x"#, ",x"), ("null}", "}"), (" 12 ", " ")] {
            assert_eq!(skip_value(input.as_bytes()), Some(rest.as_bytes()), "{input}");
        }
        assert_eq!(skip_value("[".repeat(100).as_bytes()), None);
        assert_eq!(skip_value(b","), None);
    }
}
