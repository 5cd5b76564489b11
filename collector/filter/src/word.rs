//! What a word is: a run of letters, digits and `_`. Shared by the matcher and by every index.
//!
//! Letters and digits are those of Unicode. Bytes that are not UTF-8 separate words. Case is folded one character
//! at a time, so that a text and its words fold alike and byte ranges can be mapped back.

use std::borrow::Cow;
use std::ops::Range;

/// Whether `char` belongs to words: Unicode letters and digits, and `_`.
pub fn is_word_char(char: char) -> bool {
    match char {
        '_' => true,
        ascii if ascii.is_ascii() => ascii.is_ascii_alphanumeric(),
        other => other.is_alphanumeric(),
    }
}

/// The lower-case form of `char`, or itself where that would be more than one character (only `İ`).
pub fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => char,
    }
}

/// The text with every character folded.
pub fn fold_str(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(fold).collect() }
}

/// Appends `bytes` to `out` with every character folded; bytes that are not UTF-8 stay as they are.
pub fn fold_into(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_ascii() {
        let start = out.len();
        out.extend_from_slice(bytes);
        return out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
    }
    out.reserve(bytes.len());
    let mut buffer = [0; 4];
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            out.extend_from_slice(fold(char).encode_utf8(&mut buffer).as_bytes());
        }
        out.extend_from_slice(chunk.invalid());
    }
}

/// Whether a word may begin or end at `at`: not between two characters of one word.
pub fn is_bound(bytes: &[u8], at: usize) -> bool {
    !(char_before(bytes, at).is_some_and(is_word_char) && char_at(bytes, at).is_some_and(is_word_char))
}

/// The character that begins at `at`, if the bytes there are one.
pub fn char_at(bytes: &[u8], at: usize) -> Option<char> {
    let first = *bytes.get(at)?;
    if first.is_ascii() {
        return Some(char::from(first));
    }
    let length = match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    one_char(bytes.get(at..at + length)?)
}

/// The character that ends before `at`, if the bytes there are one.
pub fn char_before(bytes: &[u8], at: usize) -> Option<char> {
    let last = *bytes.get(at.checked_sub(1)?)?;
    if last.is_ascii() {
        return Some(char::from(last));
    }
    (2..=4).find_map(|length| one_char(bytes.get(at.checked_sub(length)?..at)?))
}

fn one_char(bytes: &[u8]) -> Option<char> {
    let mut chars = std::str::from_utf8(bytes).ok()?.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// The words of `bytes`, in order.
pub fn words(bytes: &[u8]) -> Words<'_> {
    let mut chunks = bytes.utf8_chunks();
    let chunk = chunks.next();
    let text = chunk.as_ref().map_or("", std::str::Utf8Chunk::valid);
    let skip = chunk.map_or(0, |chunk| chunk.invalid().len());
    Words { chunks, text, at: 0, base: 0, skip }
}

/// One word of a byte string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// Byte offset of its first character.
    pub start: usize,
    /// As written.
    pub raw: &'a str,
}

impl<'a> Word<'a> {
    /// Where it stands.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.raw.len()
    }

    /// The word with every character folded; borrowed where it is so already.
    pub fn folded(&self) -> Cow<'a, str> {
        if self.raw.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
            Cow::Borrowed(self.raw)
        } else {
            Cow::Owned(fold_str(self.raw))
        }
    }
}

/// Iterator of [`words`].
#[derive(Clone, Debug)]
pub struct Words<'a> {
    chunks: std::str::Utf8Chunks<'a>,
    /// The valid text being read, where in it, and where it begins in the whole.
    text: &'a str,
    at: usize,
    base: usize,
    /// Invalid bytes that follow `text`.
    skip: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let start = run_end(self.text, self.at, false);
            let end = run_end(self.text, start, true);
            self.at = end;
            if start < end {
                return self.text.get(start..end).map(|raw| Word { start: self.base + start, raw });
            }
            let chunk = self.chunks.next()?;
            self.base += self.text.len() + self.skip;
            (self.text, self.skip, self.at) = (chunk.valid(), chunk.invalid().len(), 0);
        }
    }
}

/// For every byte: 1 a word character of ASCII, 2 part of a longer character, 0 neither.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0usize;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "byte is below 256, and this runs in the compiler")]
        {
            class[byte] = match byte as u8 {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => 1,
                0x80.. => 2,
                _ => 0,
            };
        }
        byte += 1;
    }
    class
};

/// The end of the run of characters from `from` on that are (`inside`) or are not word characters.
fn run_end(text: &str, from: usize, inside: bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        let (is_word, length) = match CLASS.get(usize::from(byte)) {
            Some(2) => match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(char) => (is_word_char(char), char.len_utf8()),
                None => return at,
            },
            class => (class == Some(&1), 1),
        };
        if is_word != inside {
            return at;
        }
        at += length;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: &[(usize, &str)]) {
        let found: Vec<_> = words(input).map(|word| (word.start, word.folded().into_owned())).collect();
        let found: Vec<_> = found.iter().map(|(start, word)| (*start, word.as_str())).collect();
        assert_eq!(found, expected, "{}", input.escape_ascii());
        for word in words(input) {
            assert_eq!(&input[word.range()], word.raw.as_bytes());
        }
    }

    #[test]
    fn a_word_is_a_run_of_letters_digits_and_underscores() {
        check(b"", &[]);
        check(b" .- ", &[]);
        check(b"Failed password_x for root", &[(0, "failed"), (7, "password_x"), (18, "for"), (22, "root")]);
        check(b"src=203.0.113.7", &[(0, "src"), (4, "203"), (8, "0"), (10, "113"), (14, "7")]);
        check("ÄRGER, naïve 東京".as_bytes(), &[(0, "ärger"), (8, "naïve"), (15, "東京")]);
    }

    #[test]
    fn invalid_bytes_separate_words() {
        check(b"ab\xFFCD", &[(0, "ab"), (3, "cd")]);
        check(b"\xC3", &[]);
        check(b"\xE2\x84x\xFF\xFF y", &[(2, "x"), (6, "y")]);
        check("é\u{ff}".as_bytes(), &[(0, "éÿ")]);
    }

    #[test]
    fn bounds_agree_with_the_iterator() {
        for text in
            ["a bc é東 _x", "", "a", "ß.ß"].map(str::as_bytes).into_iter().chain([b"a\xFFb\xC3".as_slice()])
        {
            for word in words(text) {
                let Range { start, end } = word.range();
                assert!(is_bound(text, start) && is_bound(text, end));
                for (inner, _) in word.raw.char_indices().skip(1) {
                    assert!(!is_bound(text, start + inner));
                }
            }
        }
    }

    #[test]
    fn folding_keeps_words_words_and_is_idempotent() {
        for char in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            assert_eq!(is_word_char(char), is_word_char(fold(char)), "{char:?}");
            assert_eq!(fold(fold(char)), fold(char), "{char:?}");
        }
    }

    #[test]
    fn only_the_kelvin_sign_folds_into_ascii() {
        let into_ascii: Vec<char> = (0x80..=u32::from(char::MAX))
            .filter_map(char::from_u32)
            .filter(|&char| fold(char).is_ascii())
            .collect();
        assert_eq!(into_ascii, ['\u{212A}']);
    }
}
