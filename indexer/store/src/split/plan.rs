//! A filter to the documents that surely match and those that may: what the index can say without reading an event.
//!
//! Both bounds are kept through `AND`, `OR` and `NOT`, so that only the documents between them have to be verified with the
//! matcher. A bound may be too generous, never too narrow: the property test against the matcher is its proof.

use std::sync::Arc;

use locard_event::{Event, EventId, Fields, Stream, Timestamp, Value, name};
use locard_filter::glob::{self, Piece};
use locard_filter::{Filter, Matcher, Predicate, Test, TimePoint, TimeRange, word};

use super::bits::Bits;
use super::fault::Result;
use super::index::{IndexReader, Words};
use super::object::Object;
use super::rows::{Row, RowIndex};
use super::terms::{self, Phrase, key};
use crate::Control;

/// A field with more different values than this is not scanned for a word: the words of all values say nearly as much.
const MAX_SCANNED_FOR_WORD: u64 = 20_000;
/// A scan that finds more terms than this says less than it costs.
const MAX_TERMS: usize = 20_000;
/// Numbers from here on are equal as floats without being equal.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;

/// What is known of the matching documents: all of `sure` match, and no others than those of `maybe`.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) sure: Bits,
    pub(crate) maybe: Bits,
}

impl Bounds {
    fn exact(bits: Bits) -> Self {
        Self { sure: bits.clone(), maybe: bits }
    }

    fn candidates(maybe: Bits, len: u32) -> Self {
        Self { sure: Bits::none(len), maybe }
    }

    fn and(&mut self, other: &Self) {
        self.sure.and(&other.sure);
        self.maybe.and(&other.maybe);
    }

    fn or(&mut self, other: &Self) {
        self.sure.or(&other.sure);
        self.maybe.or(&other.maybe);
    }

    fn not(mut self) -> Self {
        self.sure.negate();
        self.maybe.negate();
        Self { sure: self.maybe, maybe: self.sure }
    }
}

/// Plans filters on one split.
pub(crate) struct Planner<'a> {
    pub(crate) index: &'a IndexReader,
    pub(crate) object: &'a Object,
    pub(crate) rows: &'a RowIndex,
    pub(crate) streams: &'a [Arc<Stream>],
    pub(crate) control: &'a Control,
}

impl Planner<'_> {
    pub(crate) fn plan(&self, filter: &Filter) -> Result<Bounds> {
        self.control.check()?;
        Ok(match filter {
            Filter::All => self.everything(),
            Filter::And(parts) => {
                let mut bounds = self.everything();
                for part in parts {
                    bounds.and(&self.plan(part)?);
                    if bounds.maybe.is_none() {
                        break;
                    }
                }
                bounds
            }
            Filter::Or(parts) => {
                let mut bounds = Bounds::exact(self.none());
                for part in parts {
                    bounds.or(&self.plan(part)?);
                }
                bounds
            }
            Filter::Not(part) => self.plan(part)?.not(),
            Filter::Is(predicate) => self.predicate(predicate)?,
        })
    }

    fn predicate(&self, Predicate { field, test }: &Predicate) -> Result<Bounds> {
        match field.as_deref() {
            None => self.anywhere(test),
            Some(name::MESSAGE) => self.words_of(&[Words::Message], test),
            Some(name::STREAM) => {
                let ask = ValueTest::new(test)?;
                self.streams_where(|stream| ask.matches(&stream.id().to_string()))
            }
            Some(name::ID) => self.id(test),
            Some(name::TIME | name::TIMESTAMP) => self.time(test),
            Some(name::INGESTED) => Ok(self.unknown()),
            Some(field) => self.field(field, test),
        }
    }

    fn none(&self) -> Bits {
        Bits::none(self.index.documents())
    }

    fn all(&self) -> Bits {
        Bits::all(self.index.documents())
    }

    fn everything(&self) -> Bounds {
        Bounds::exact(self.all())
    }

    /// The index says nothing.
    fn unknown(&self) -> Bounds {
        self.candidates(self.all())
    }

    fn candidates(&self, maybe: Bits) -> Bounds {
        Bounds::candidates(maybe, self.index.documents())
    }

    /// The message, all labels, all values.
    fn anywhere(&self, test: &Test) -> Result<Bounds> {
        let mut bounds = self.words_of(&[Words::Message, Words::Values], test)?;
        let ask = ValueTest::new(test)?;
        bounds.or(&self.streams_where(|stream| stream.iter().any(|(_, label)| ask.matches(label)))?);
        Ok(bounds)
    }

    /// What words can say of a test on texts that always include the message.
    fn words_of(&self, places: &[Words], test: &Test) -> Result<Bounds> {
        Ok(match test {
            Test::Exists => self.everything(),
            Test::Contains(literal) => self.phrase(places, &Phrase::of(literal))?,
            Test::Wildcard(pattern) => self.wildcard(places, pattern)?,
            _ => self.unknown(),
        })
    }

    fn phrase(&self, places: &[Words], phrase: &Phrase) -> Result<Bounds> {
        if phrase.terms.is_empty() {
            return Ok(self.unknown());
        }
        let mut found = self.none();
        for place in places {
            found.or(&self.index.with_phrase(*place, phrase)?);
        }
        Ok(if phrase.exact { Bounds::exact(found) } else { self.candidates(found) })
    }

    fn wildcard(&self, places: &[Words], pattern: &str) -> Result<Bounds> {
        let clues = Clues::of(pattern);
        let mut found = self.none();
        for place in places {
            let mut here = self.all();
            for word in &clues.words {
                let phrase = Phrase { terms: vec![(0, terms::word_term(word).to_owned())], exact: false };
                here.and(&self.index.with_phrase(*place, &phrase)?);
            }
            if let Some(prefix) = &clues.prefix {
                match self.index.with_prefix(*place, terms::word_term(prefix), MAX_TERMS)? {
                    Some(bits) => here.and(&bits),
                    None => return Ok(self.candidates(self.all())),
                }
            }
            found.or(&here);
        }
        Ok(if clues.exact { Bounds::exact(found) } else { self.candidates(found) })
    }

    /// The documents of the streams that `ask` holds for.
    fn streams_where(&self, ask: impl Fn(&Stream) -> bool) -> Result<Bounds> {
        let chosen: Vec<usize> =
            self.streams.iter().enumerate().filter(|(_, stream)| ask(stream)).map(|(at, _)| at).collect();
        if chosen.len() == self.streams.len() {
            return Ok(self.everything());
        }
        let mut found = self.none();
        for ordinal in chosen {
            found.or(&self.index.with_key(&key::stream(ordinal as u32))?);
        }
        Ok(Bounds::exact(found))
    }

    fn id(&self, test: &Test) -> Result<Bounds> {
        let (Test::Equals(text) | Test::Contains(text)) = test else { return Ok(self.unknown()) };
        let Ok(id) = text.parse::<EventId>() else { return Ok(self.unknown()) };
        let mut found = self.none();
        if id.partition == self.object.header().partition
            && let Some(document) = self.rows.find(self.object, id.sequence)?
        {
            found.insert(document);
        }
        Ok(self.candidates(found))
    }

    /// The time as said is the time filed by, except where it was not credible.
    fn time(&self, test: &Test) -> Result<Bounds> {
        let Test::Time(TimeRange { from, to }) = test else { return Ok(self.unknown()) };
        let rank = |point: Option<TimePoint>, open: u32| match point {
            None => Ok(open),
            Some(TimePoint::At(filed)) => self.rows.rank(self.object, Row { filed, sequence: 0 }),
            Some(TimePoint::Now(_)) => Ok(open),
        };
        let mut sure = self.none();
        sure.insert_range(rank(*from, 0)?..rank(*to, self.index.documents())?);
        let suspect = self.index.with_key(&key::suspect())?;
        let mut maybe = sure.clone();
        maybe.or(&suspect);
        sure.and_not(&suspect);
        Ok(Bounds { sure, maybe })
    }

    /// A field, or the label of that name where the event has no such field.
    fn field(&self, field: &str, test: &Test) -> Result<Bounds> {
        let ask = ValueTest::new(test)?;
        let labels =
            self.streams_where(|stream| stream.get(field).is_some_and(|label| ask.matches(label)))?;
        let mut bounds = Bounds { sure: labels.sure, maybe: labels.maybe };
        if !key::is_nameable(field) {
            let unnameable = self.index.with_key(&key::unnameable())?;
            bounds.sure.and_not(&unnameable);
            bounds.maybe.or(&unnameable);
            return Ok(bounds);
        }
        let present = self.index.with_key(&key::present(field))?;
        let mut hidden = self.index.with_key(&key::only_null(field))?;
        hidden.or(&present);
        bounds.sure.and_not(&hidden);
        bounds.maybe.and_not(&hidden);
        bounds.or(&self.values(field, test, &ask, present)?);
        Ok(bounds)
    }

    /// The documents whose own field has a value that matches. `present` are those where it has any.
    fn values(&self, field: &str, test: &Test, ask: &ValueTest, present: Bits) -> Result<Bounds> {
        if present.is_none() {
            return Ok(Bounds::exact(present));
        }
        match test {
            Test::Exists => return Ok(Bounds::exact(present)),
            Test::Equals(literal) => return self.equal(field, literal),
            Test::Contains(literal) => {
                let phrase = Phrase::of(literal);
                let many = self.index.count_keys(&key::texts(field))? > MAX_SCANNED_FOR_WORD;
                if many && !phrase.terms.is_empty() {
                    let mut maybe = self.index.with_phrase(Words::Values, &phrase)?;
                    maybe.and(&present);
                    return Ok(self.candidates(maybe));
                }
            }
            _ => {}
        }
        let scan = |text: &[u8]| ask.matches_key(text);
        let found = self.index.scan_keys(&key::texts(field), MAX_TERMS, self.control, &mut { scan })?;
        Ok(match found {
            None => self.candidates(present),
            Some((sure, mut maybe)) => {
                maybe.or(&sure);
                Bounds { sure, maybe }
            }
        })
    }

    /// The same text, or the same number, address or time in another spelling.
    fn equal(&self, field: &str, literal: &str) -> Result<Bounds> {
        let mut found = self.index.with_key(&key::text(field, literal))?;
        let mut exact = !terms::is_cut(literal);
        if let Some(form) = terms::canonical(literal) {
            found.or(&self.index.with_key(&key::text(field, &form))?);
            found.or(&self.index.with_key(&key::canonical_text(field, &form))?);
            exact &= !terms::is_cut(&form) && !is_large_number(literal);
        }
        Ok(if exact { Bounds::exact(found) } else { self.candidates(found) })
    }
}

/// Whether a text is a number that floats cannot tell from its neighbours.
fn is_large_number(text: &str) -> bool {
    Value::str(text).as_f64().is_some_and(|number| number.abs() >= EXACT_FLOATS)
}

/// A test on a single text, as the matcher understands it.
struct ValueTest {
    matcher: Matcher,
    stream: Arc<Stream>,
}

/// A name that means nothing to anyone.
const ANY_FIELD: &str = "value";

impl ValueTest {
    fn new(test: &Test) -> Result<Self> {
        let predicate = Predicate { field: Some(ANY_FIELD.into()), test: test.clone() };
        let matcher = Matcher::new(&Filter::Is(predicate))?;
        Ok(Self { matcher, stream: Arc::new(Stream::new::<&str, &str>([])) })
    }

    fn matches(&self, text: &str) -> bool {
        let mut event = Event::new(Timestamp::default(), Arc::clone(&self.stream), "");
        event.fields = Fields::from_iter([(ANY_FIELD, text)]);
        self.matcher.matches(&event)
    }

    /// Whether the value of a key matches; nothing if the key does not hold all of it, or loses what kind of number it was.
    fn matches_key(&self, key: &[u8]) -> Option<bool> {
        let text = key::whole_value(key)?;
        if is_large_number(text) { None } else { Some(self.matches(text)) }
    }
}

/// What words a text must hold for a wildcard pattern to match in it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Clues {
    /// Whole words, folded.
    words: Vec<String>,
    /// What some word begins with, folded: the longest such.
    prefix: Option<String>,
    /// Whether the prefix is all the pattern says.
    exact: bool,
}

impl Clues {
    fn of(pattern: &str) -> Self {
        let pieces = glob::pieces(pattern);
        let mut clues = Self::default();
        for (at, piece) in pieces.iter().enumerate() {
            if let Piece::Literal(text) = piece {
                clues.add(text, at == 0, at + 1 == pieces.len());
            }
        }
        clues.exact = match pieces.as_slice() {
            [Piece::Literal(text), Piece::Any] => {
                text.chars().all(word::is_word_char) && !terms::is_ambiguous(&word::fold_str(text))
            }
            _ => false,
        };
        clues
    }

    /// `bound_start` and `bound_end`: whether the literal stands at that edge of the pattern.
    fn add(&mut self, text: &str, bound_start: bool, bound_end: bool) {
        for word in word::words(text.as_bytes()) {
            let range = word.range();
            let starts = bound_start || range.start > 0;
            let ends = bound_end || range.end < text.len();
            let folded = word.folded().into_owned();
            match (starts, ends) {
                (true, true) => self.words.push(folded),
                (true, false) if self.prefix.as_ref().is_none_or(|other| other.len() < folded.len()) => {
                    self.prefix = Some(folded);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, words: &[&str], prefix: Option<&str>, exact: bool) {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let expected = Clues { words, prefix: prefix.map(Into::into), exact };
        assert_eq!(Clues::of(pattern), expected, "{pattern}");
    }

    #[test]
    fn a_pattern_tells_which_words_there_must_be() {
        check("Kinsin*", &[], Some("kinsin"), true);
        check("*insing", &[], None, false);
        check("node-3*", &["node"], Some("3"), false);
        check("curl*http", &[], Some("curl"), false);
        check("curl *http x*", &["curl"], Some("x"), false);
        check("a b?c d", &["a", "d"], Some("b"), false);
        check("r??t", &[], Some("r"), false);
        check("*a-b*", &[], Some("b"), false);
        check("a=*", &["a"], None, false);
        check("=*", &[], None, false);
    }
}
