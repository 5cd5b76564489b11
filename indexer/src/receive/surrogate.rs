//! Half characters in JSON: `"\ud83d"` without its other half, which JavaScript writes when it cuts a text.
//!
//! JSON's grammar allows the escape (RFC 8259 §8.2), but it stands for no character and no text can hold it, so that parsers refuse
//! the line. Here such an escape becomes that of U+FFFD. Knows strings and escapes, nothing else of JSON.

/// The text with every half character replaced; nothing if there is none.
pub(super) fn mend(text: &str) -> Option<String> {
    let mut mended: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = text.get(at..)?.find('\\') {
        let escape = at + found;
        at = match unit(text, escape) {
            None => escape + 2,
            Some(0xd800..0xdc00) if matches!(unit(text, escape + 6), Some(0xdc00..0xe000)) => escape + 12,
            Some(0xd800..0xe000) => {
                let out = mended.get_or_insert_default();
                out.push_str(text.get(copied..escape)?);
                out.push_str(r"\ufffd");
                copied = escape + 6;
                copied
            }
            Some(_) => escape + 6,
        };
    }
    mended.map(|out| out + text.get(copied..).unwrap_or_default())
}

/// The UTF-16 unit that is escaped here.
fn unit(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix(r"\u")?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(mend(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn halves_are_replaced_and_whole_characters_stay() {
        check(r#"{"a":"x"}"#, None);
        check(r#"{"a":"😀 \ud83d\ude00 é\u00e9 \n"}"#, None);
        check(r#"{"a":"\ud83d"}"#, Some(r#"{"a":"\ufffd"}"#));
        check(r#"{"a":"é \ude00\ud83d\ud83d\ude00 é"}"#, Some(r#"{"a":"é \ufffd\ufffd\ud83d\ude00 é"}"#));
        check(r#"{"a":"\\ud83d \\\ud83d"}"#, Some(r#"{"a":"\\ud83d \\\ufffd"}"#));
        for broken in [r"\", r"\u", r"\ud8", r"\ud8é", "", r"\\"] {
            check(broken, None);
        }
    }
}
