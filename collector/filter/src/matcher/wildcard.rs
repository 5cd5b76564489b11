//! [`Wildcard`]: a pattern with `*` and `?` searched case-insensitively and bounded by word ends.
//!
//! `*` is any run of characters, spaces included, so the earliest place of each part is the best one: no backtracking, and
//! the cost is at most the length of the pattern times that of the text.

use memchr::memmem;

use super::literal::positions;
use crate::glob::{self, Piece};
use crate::word;

/// A pattern made ready.
#[derive(Debug)]
pub(super) struct Wildcard {
    parts: Vec<Part>,
    /// The pattern begins, ends with `*`.
    open_start: bool,
    open_end: bool,
}

/// What stands between two `*`.
#[derive(Debug)]
enum Part {
    /// Characters only.
    Text(Box<memmem::Finder<'static>>),
    /// Characters, and `?` (none).
    Mixed(Vec<Option<char>>),
}

impl Wildcard {
    pub(super) fn new(pattern: &str) -> Self {
        let pieces = glob::pieces(pattern);
        let parts = pieces.split(|piece| *piece == Piece::Any).filter(|part| !part.is_empty()).map(Part::new);
        Self {
            parts: parts.collect(),
            open_start: pieces.first() == Some(&Piece::Any),
            open_end: pieces.last() == Some(&Piece::Any),
        }
    }

    pub(super) fn occurs_in(&self, bytes: &[u8], scratch: &mut Vec<u8>) -> bool {
        scratch.clear();
        word::fold_into(bytes, scratch);
        let hay = scratch.as_slice();
        let mut from = 0;
        for (index, part) in self.parts.iter().enumerate() {
            let bound_start = index == 0 && !self.open_start;
            let bound_end = index + 1 == self.parts.len() && !self.open_end;
            let fits = |&(start, end): &(usize, usize)| {
                (!bound_start || word::is_bound(hay, start)) && (!bound_end || word::is_bound(hay, end))
            };
            match part.find(hay, from, fits) {
                Some(end) => from = end,
                None => return false,
            }
        }
        true
    }
}

impl Part {
    fn new(pieces: &[Piece]) -> Self {
        if let [Piece::Literal(text)] = pieces {
            let finder = memmem::Finder::new(word::fold_str(text).as_bytes()).into_owned();
            return Self::Text(Box::new(finder));
        }
        let mut items = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => items.extend(text.chars().map(|char| Some(word::fold(char)))),
                Piece::One | Piece::Any => items.push(None),
            }
        }
        Self::Mixed(items)
    }

    /// The end of the first place at or after `from` that fits.
    fn find(&self, hay: &[u8], from: usize, fits: impl Fn(&(usize, usize)) -> bool) -> Option<usize> {
        match self {
            Self::Text(finder) => positions(finder, hay, from)
                .map(|at| (at, at + finder.needle().len()))
                .find(fits)
                .map(|(_, end)| end),
            Self::Mixed(items) => {
                let mut at = from;
                while at <= hay.len() {
                    if let Some(end) = match_at(items, hay, at)
                        && fits(&(at, end))
                    {
                        return Some(end);
                    }
                    at += step(hay, at);
                }
                None
            }
        }
    }
}

/// The end of the items if they stand at `at`.
fn match_at(items: &[Option<char>], hay: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    for item in items {
        if end >= hay.len() {
            return None;
        }
        match item {
            Some(char) if word::char_at(hay, end) != Some(*char) => return None,
            _ => end += step(hay, end),
        }
    }
    Some(end)
}

/// The length of the character at `at`; a byte that is part of none counts as one.
fn step(hay: &[u8], at: usize) -> usize {
    word::char_at(hay, at).map_or(1, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, hay: impl AsRef<[u8]>, expected: bool) {
        let hay = hay.as_ref();
        let found = Wildcard::new(pattern).occurs_in(hay, &mut Vec::new());
        assert_eq!(found, expected, "{pattern} in {}", hay.escape_ascii());
    }

    #[test]
    fn a_star_lifts_the_bound_at_its_edge() {
        check("kinsin*", "ran /tmp/Kinsing now", true);
        check("kinsin*", "xkinsing", false);
        check("*insing", "xkinsing", true);
        check("*insin", "xkinsing", false);
        check("*insin*", "xkinsing", true);
        check("node-3*", "node-30", true);
        check("node-3*", "node-4", false);
    }

    #[test]
    fn a_star_inside_crosses_anything() {
        check("curl*http", "curl -s http://x", true);
        check("curl*http", "curl -s https://x", false);
        check("curl*http", "curls http, curl https http", true);
        check("a*b*c", "a c b", false);
        check("a*a", "a", false);
        check("*a*a*", "aa", true);
    }

    #[test]
    fn a_question_mark_is_one_character() {
        check("r??t", "the ROOT", true);
        check("r??t", "rooot", false);
        check("?oot", "xroot", false);
        check("na?ve", "NaÏve", true);
        check("a?b", b"a\xFFb", true);
        check("a??b", b"a\xFFb", false);
        check(r"5\*?", "5*7", true);
        check(r"5\*?", "577", false);
    }
}
