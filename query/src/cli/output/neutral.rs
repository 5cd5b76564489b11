//! [`neutralise`]: log content without power over the terminal that shows it.
//!
//! Escape sequences can move the cursor, set the clipboard or hide text; direction marks can make a line read as another. Both
//! are shown as symbols instead (CVE-2023-32712 is the kind of thing this is about).

use std::borrow::Cow;

/// The text with every control character and direction mark made visible. Tabs stay.
pub(in crate::cli) fn neutralise(text: &str) -> Cow<'_, str> {
    replace(text, |c| c == '\t')
}

/// As [`neutralise`], and line ends stay.
pub(in crate::cli) fn neutralise_lines(text: &str) -> Cow<'_, str> {
    replace(text, |c| matches!(c, '\t' | '\n'))
}

fn replace(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_powerful(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_powerful(c) && !keep(c) { show(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Whether a terminal may do something other than show it.
pub(super) fn is_powerful(c: char) -> bool {
    // Controls, then the characters of Unicode Bidirectional Algorithm §2 and line separators.
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn show(c: char, out: &mut String) {
    match u32::from(c) {
        // The block Control Pictures has a symbol for each.
        code @ 0..0x20 => out.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}')),
        0x7f => out.push('\u{2421}'),
        code => out.push_str(&format!("<U+{code:04X}>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_powerful_is_left() {
        for (text, expected) in [
            ("plain é 漢 😀\ttab", "plain é 漢 😀\ttab"),
            ("\u{1b}]52;c;aGk=\u{7}", "␛]52;c;aGk=␇"),
            ("a\r\nb", "a␍␊b"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("user\u{202e}gpj.exe", "user<U+202E>gpj.exe"),
            ("\u{7f}\0", "␡␀"),
        ] {
            assert_eq!(neutralise(text), expected);
        }
        assert_eq!(neutralise_lines("a\n\u{1b}b"), "a\n␛b");
    }

    #[test]
    fn of_all_characters_only_harmless_ones_come_out() {
        let every: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        assert!(!neutralise(&every).chars().any(|c| is_powerful(c) && c != '\t'));
    }
}
