//! What of an event becomes a term, and how a literal is looked up: shared by writing and planning, so that they agree.
//!
//! *Words* (message and values apart, with positions): a position grows by the kind of separator before the word, so that
//! `203.0.113.7` is found exactly, and not `203 0 113 7`. *Keys*: whole values per field, presence of fields, streams.

use std::borrow::Cow;
use std::ops::Range;

use locard_event::Value;
use locard_filter::word::{self, Word};
use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Longest term, in bytes: longer words and values are cut, found by their beginning and verified.
const MAX_BYTES: usize = 200;
/// Longest field name that has keys of its own.
const MAX_NAME_BYTES: usize = 255;
/// Stands between the values that are indexed as one text. It is no word character.
pub(crate) const BETWEEN_VALUES: char = '\u{10FFFF}';
/// The step over any separator without a step of its own: two separators of this kind may differ.
const OTHER_STEP: usize = 7;
/// The step from one value to the next: farther than any other.
const VALUE_STEP: usize = 8;

/// Cuts `text` to what a term may hold. The flag says whether something was lost.
fn cut(text: &str) -> (&str, bool) {
    let mut end = MAX_BYTES.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (text.get(..end).unwrap_or_default(), end < text.len())
}

/// Whether a key cannot hold all of `text`.
pub(crate) fn is_cut(text: &str) -> bool {
    cut(text).1
}

/// The term of a folded word.
pub(crate) fn word_term(folded: &str) -> &str {
    cut(folded).0
}

/// Whether the term may stand for other, longer words than this one.
pub(crate) fn is_ambiguous(folded: &str) -> bool {
    folded.len() > MAX_BYTES - 4
}

/// How far the position moves over `separator`; at most 6 means that no other separator does the same.
fn step(separator: &str) -> usize {
    match separator {
        " " => 1,
        "." => 2,
        "-" => 3,
        ":" => 4,
        "=" => 5,
        "/" => 6,
        other if other.contains(BETWEEN_VALUES) => VALUE_STEP,
        _ => OTHER_STEP,
    }
}

/// A literal as the words it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrase {
    /// Terms and their positions relative to the first.
    pub(crate) terms: Vec<(usize, String)>,
    /// Whether these words at these positions are the literal, and nothing else.
    pub(crate) exact: bool,
}

impl Phrase {
    /// The words of `literal`.
    pub(crate) fn of(literal: &str) -> Self {
        let mut phrase = Self { terms: Vec::new(), exact: true };
        let (mut position, mut end) = (0, 0);
        for word in word::words(literal.as_bytes()) {
            let separator = literal.get(end..word.start).unwrap_or_default();
            if phrase.terms.is_empty() {
                phrase.exact &= separator.is_empty();
            } else {
                let step = step(separator);
                phrase.exact &= step < OTHER_STEP;
                position += step;
            }
            end = word.range().end;
            let folded = word.folded();
            phrase.exact &= !is_ambiguous(&folded);
            phrase.terms.push((position, word_term(&folded).to_owned()));
        }
        phrase.exact &= end == literal.len() && !phrase.terms.is_empty();
        phrase
    }
}

/// Feeds tantivy with the words of a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct WordTokenizer {
    token: Token,
}

/// Name under which [`WordTokenizer`] is registered; part of the format.
pub(crate) const TOKENIZER: &str = "locard.words.1";

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, words: word::words(text.as_bytes()), end: None, token: &mut self.token }
    }
}

pub(crate) struct WordStream<'a> {
    text: &'a str,
    words: word::Words<'a>,
    /// Where the last word ended.
    end: Option<usize>,
    token: &'a mut Token,
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some(word) = self.words.next() else { return false };
        let Range { start, end } = word.range();
        self.token.position = match self.end {
            None => 0,
            Some(before) => self.token.position + step(self.text.get(before..start).unwrap_or_default()),
        };
        (self.token.offset_from, self.token.offset_to) = (start, end);
        self.end = Some(end);
        set_term(&mut self.token.text, &word);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

fn set_term(term: &mut String, word: &Word<'_>) {
    term.clear();
    term.push_str(word_term(&word.folded()));
}

/// A term of the key field. The first byte is its kind.
pub(crate) mod key {
    use super::{Cow, MAX_NAME_BYTES, Value, canonical, cut};

    const STREAM: u8 = b's';
    const PRESENT: u8 = b'v';
    const ONLY_NULL: u8 = b'0';
    const TEXT: u8 = b't';
    const CANONICAL: u8 = b'c';
    const UNNAMEABLE: u8 = b'u';
    const SUSPECT: u8 = b'q';
    /// Ends a value that was cut. No UTF-8 text holds it.
    const CUT: u8 = 0xff;

    /// The event is of this stream of the split.
    pub(crate) fn stream(ordinal: u32) -> Vec<u8> {
        let mut key = vec![STREAM];
        key.extend_from_slice(&ordinal.to_be_bytes());
        key
    }

    /// The event is filed under another time than the one its source says.
    pub(crate) fn suspect() -> Vec<u8> {
        vec![SUSPECT]
    }

    /// The event has a field whose name has no keys of its own.
    pub(crate) fn unnameable() -> Vec<u8> {
        vec![UNNAMEABLE]
    }

    /// Whether a field of this name has keys.
    pub(crate) fn is_nameable(name: &str) -> bool {
        name.len() <= MAX_NAME_BYTES && !name.contains('\0')
    }

    /// The field has a value that is not null.
    pub(crate) fn present(name: &str) -> Vec<u8> {
        named(PRESENT, name)
    }

    /// The field is there and has no value but null.
    pub(crate) fn only_null(name: &str) -> Vec<u8> {
        named(ONLY_NULL, name)
    }

    fn named(kind: u8, name: &str) -> Vec<u8> {
        let mut key = Vec::with_capacity(name.len() + 2);
        key.push(kind);
        key.extend_from_slice(name.as_bytes());
        key.push(0);
        key
    }

    /// What all keys of values of the field `name` begin with.
    pub(crate) fn texts(name: &str) -> Vec<u8> {
        named(TEXT, name)
    }

    /// The field has a value with this text.
    pub(crate) fn text(name: &str, value: &str) -> Vec<u8> {
        with_value(TEXT, name, value)
    }

    /// The field has a number, address or time whose canonical text is this and whose own text is another.
    pub(crate) fn canonical_text(name: &str, value: &str) -> Vec<u8> {
        with_value(CANONICAL, name, value)
    }

    fn with_value(kind: u8, name: &str, value: &str) -> Vec<u8> {
        let (value, was_cut) = cut(value);
        let mut key = named(kind, name);
        key.extend_from_slice(value.as_bytes());
        if was_cut {
            key.push(CUT);
        }
        key
    }

    /// The value a key of [`texts`] stands for, after the field's prefix; nothing if it was cut.
    pub(crate) fn whole_value(rest: &[u8]) -> Option<&str> {
        std::str::from_utf8(rest).ok()
    }

    /// Calls `add` with every key of one field.
    pub(crate) fn of_field(name: &str, value: &Value, add: &mut dyn FnMut(Vec<u8>)) {
        if !is_nameable(name) {
            return add(unnameable());
        }
        let mut is_present = false;
        each_text(value, &mut |text| {
            is_present = true;
            add(self::text(name, text));
            if let Some(form) = canonical(text).filter(|form| form != text) {
                add(canonical_text(name, &form));
            }
        });
        add(if is_present { present(name) } else { only_null(name) });
    }

    /// Calls `visit` with the text of every element that is not null.
    pub(crate) fn each_text(value: &Value, visit: &mut dyn FnMut(&str)) {
        match value {
            Value::Null => {}
            Value::List(values) => values.iter().for_each(|value| each_text(value, visit)),
            single => {
                let text: Cow<'_, str> = single.text();
                visit(&text);
            }
        }
    }
}

/// The one spelling of a text that is a number, an address or a time: equal values have equal ones.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let value = Value::str(text);
    if let Some(number) = value.as_f64() {
        // Adding zero makes the negative zero positive.
        return Some((number + 0.0).to_string());
    }
    if let Some(ip) = value.as_ip() {
        return Some(ip.to_string());
    }
    value.as_time().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(literal: &str, exact: bool, terms: &[(usize, &str)]) {
        let phrase = Phrase::of(literal);
        let found: Vec<(usize, &str)> = phrase.terms.iter().map(|(at, term)| (*at, term.as_str())).collect();
        assert_eq!((found.as_slice(), phrase.exact), (terms, exact), "{literal}");
    }

    #[test]
    fn a_literal_is_exact_where_its_positions_tell_all() {
        check("Failed", true, &[(0, "failed")]);
        check("Failed Password", true, &[(0, "failed"), (1, "password")]);
        check("203.0.113.7", true, &[(0, "203"), (2, "0"), (4, "113"), (6, "7")]);
        check("a  b", false, &[(0, "a"), (7, "b")]);
        check("=a", false, &[(0, "a")]);
        check("a=", false, &[(0, "a")]);
        check("--", false, &[]);
        check("", false, &[]);
        check(&"x".repeat(300), false, &[(0, &"x".repeat(200))]);
    }

    #[test]
    fn the_tokenizer_steps_as_a_phrase_does() {
        let text = "Src=203.0.113.7:443, ok\u{10FFFF}next";
        let mut tokenizer = WordTokenizer::default();
        let mut stream = tokenizer.token_stream(text);
        let mut terms = Vec::new();
        while stream.advance() {
            terms.push((stream.token().position, stream.token().text.clone()));
        }
        assert_eq!(terms, Phrase::of(text).terms);
        assert_eq!(terms.last(), Some(&(5 + 6 + 4 + 7 + 8, "next".into())));
    }

    #[test]
    fn equal_values_have_one_canonical_text() {
        for (one, other) in [
            ("200", "2e2"),
            ("0", "-0"),
            ("2001:db8::1", "2001:DB8:0::1"),
            ("2025-11-24T16:00:00Z", "2025-11-24T17:00:00+01:00"),
        ] {
            assert!(canonical(one).is_some());
            assert_eq!(canonical(one), canonical(other), "{one} {other}");
        }
        assert_eq!(canonical("root"), None);
    }
}
