//! [`Literal`]: a text searched case-insensitively and bounded by word ends.

use memchr::memmem;

use crate::word;

/// UTF-8 of the Kelvin sign, the only character outside ASCII that folds into it (to `k`).
const KELVIN: &[u8] = "\u{212A}".as_bytes();

/// A text searched case-insensitively and bounded by word ends.
#[derive(Debug)]
pub(super) struct Literal {
    finder: memmem::Finder<'static>,
    /// Set when the text is ASCII: then most texts need not be folded.
    ascii: Option<Ascii>,
    /// Whether it is the same in any case: nothing outside ASCII folds into it either.
    caseless: bool,
    wordy: bool,
}

/// The byte of an ASCII text that is searched for first, being rare in logs.
#[derive(Debug)]
struct Ascii {
    offset: usize,
    lower: u8,
    upper: u8,
    has_k: bool,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        let folded = word::fold_str(text);
        // What the text form of numbers, addresses and times is made of.
        let scalar = |byte: u8| byte.is_ascii_hexdigit() || b".:-+tz".contains(&byte);
        Self {
            ascii: Ascii::new(&folded),
            caseless: folded.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic()),
            wordy: !folded.bytes().all(scalar),
            finder: memmem::Finder::new(folded.as_bytes()).into_owned(),
        }
    }

    /// Whether the text holds a character that no number, address or time is written with.
    pub(super) fn is_wordy(&self) -> bool {
        self.wordy
    }

    pub(super) fn occurs_in(&self, bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
        let needle = self.finder.needle();
        match &self.ascii {
            _ if self.caseless => {
                positions(&self.finder, bytes, 0).any(|at| is_bounded(bytes, at, needle.len()))
            }
            Some(ascii) if !ascii.has_k || memmem::find(bytes, KELVIN).is_none() => {
                ascii.positions(bytes, needle).any(|at| is_bounded(bytes, at, needle.len()))
            }
            None if bytes.is_ascii() => false,
            _ => {
                scratch.clear();
                word::fold_into(bytes, scratch);
                positions(&self.finder, scratch, 0).any(|at| is_bounded(scratch, at, needle.len()))
            }
        }
    }
}

/// Every place where the needle occurs at or after `from`, overlaps included.
pub(super) fn positions<'h>(
    finder: &'h memmem::Finder<'_>,
    hay: &'h [u8],
    from: usize,
) -> impl Iterator<Item = usize> + 'h {
    let mut from = from;
    std::iter::from_fn(move || {
        let at = from + finder.find(hay.get(from..)?)?;
        from = at + 1;
        Some(at)
    })
}

pub(super) fn is_bounded(bytes: &[u8], at: usize, length: usize) -> bool {
    word::is_bound(bytes, at) && word::is_bound(bytes, at + length)
}

impl Ascii {
    fn new(folded: &str) -> Option<Self> {
        if !folded.is_ascii() {
            return None;
        }
        let (offset, lower) = folded.bytes().enumerate().min_by_key(|(_, byte)| commonness(*byte))?;
        Some(Self { offset, lower, upper: lower.to_ascii_uppercase(), has_k: folded.contains('k') })
    }

    /// Every place where the needle occurs in any case.
    fn positions<'h>(&'h self, hay: &'h [u8], needle: &'h [u8]) -> impl Iterator<Item = usize> + 'h {
        let matches = move |rare: usize| {
            let at = rare.checked_sub(self.offset)?;
            hay.get(at..at + needle.len())?.eq_ignore_ascii_case(needle).then_some(at)
        };
        let single = (self.lower == self.upper).then(|| memchr::memchr_iter(self.lower, hay));
        let both = (self.lower != self.upper).then(|| memchr::memchr2_iter(self.lower, self.upper, hay));
        single.into_iter().flatten().chain(both.into_iter().flatten()).filter_map(matches)
    }
}

/// How common a byte is in log lines, roughly: the order of letters in English, then digits, then marks.
fn commonness(byte: u8) -> usize {
    const RISING: &[u8] = b"~^`\\$#!&%|+*;?<>@{}'()qzjxkvwybg=_\"[],hpfumdlc987/643-5:.2nrsatio10e ";
    RISING.iter().position(|known| *known == byte).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(literal: &str, hay: impl AsRef<[u8]>, expected: bool) {
        let hay = hay.as_ref();
        let found = Literal::new(literal).occurs_in(hay, &mut Vec::new());
        assert_eq!(found, expected, "{literal} in {}", hay.escape_ascii());
    }

    #[test]
    fn a_literal_is_bounded_by_word_ends_and_blind_to_case() {
        check("failed password", "sshd: Failed Password for root", true);
        check("failed pass", "Failed password", false);
        check("203.0.113.77", "src=203.0.113.77:443", true);
        check("203.0.113.77", "1203.0.113.77", false);
        check("203.0.113.77", "203.0.113.770 203.0.113.77", true);
        check("root", "uid_root", false);
        check("=", "a=b", true);
        check("=b", "a=b", true);
        check("=b", "a=bc", false);
        check("aa", "aaa", false);
        check("a-a", "xa-a-a", true);
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        check("ärger", "viel ÄRGER hier", true);
        check("ärger", "viel Aerger", false);
        check("rger", "ÄRGER", false);
        check("kelvin", "300 \u{212A}ELVIN", true);
        check("kelvin", "300 kelvin \u{212A}", true);
        check("straße", "STRASSE", false);
        check("ſ", "s", false);
    }

    #[test]
    fn invalid_bytes_end_words() {
        check("root", b"\xFFroot\xC3", true);
        check("ö", b"\xFF\xC3\x96\xFF", true);
        check("root", b"\xC3\xA9root", false);
    }
}
