//! [`Marks`]: where in a text the query matched, so that people see why a line is there.
//!
//! What is marked is what was asked for and not excluded: words, phrases, wildcards and regular expressions where they occur, a value that
//! passed another test as a whole. A text of a tested field is marked in the message, too, where it stands as a word. Decides nothing: an event
//! without a mark matched all the same.

use std::ops::Range;

use locard_event::name;
use locard_filter::glob::{self, Piece};
use locard_filter::word::{char_at, char_before, is_bound, is_word_char};
use locard_filter::{Filter, Predicate, Test, ValueTest};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::Event;
use crate::pipe::Pipe;

/// Most places marked in one text: what matches everywhere needs no more.
const MAX_SPANS: usize = 1000;

/// Where a query matches.
#[derive(Default)]
pub(in crate::cli) struct Marks(Vec<Needle>);

/// One test that a match may have passed.
struct Needle {
    /// The field it asks; nothing: any.
    field: Option<Box<str>>,
    test: ValueTest,
    find: Find,
}

/// How the place is found.
enum Find {
    /// A regular expression, wherever it occurs.
    Anywhere(Regex),
    /// What this finds, if it is bounded by word ends; a side that is open reaches to the word's end instead.
    Bounded { regex: Regex, open: (bool, bool) },
    /// The whole value.
    Whole,
}

impl Marks {
    /// Those of a query. What cannot be read marks nothing: the server says what is wrong with it.
    pub(in crate::cli) fn of(query: &str) -> Self {
        let Ok(query) = crate::pipe::parse(query) else { return Self::default() };
        let mut needles = Vec::new();
        add(&query.filter, &mut needles);
        for pipe in &query.pipes {
            match pipe {
                Pipe::Where(filter) => add(filter, &mut needles),
                _ => break,
            }
        }
        Self(needles)
    }

    /// The places in the text of a field, in order and apart from each other.
    pub(super) fn spans(&self, field: &str, text: &str) -> Vec<Range<usize>> {
        let asked = self.0.iter().filter(|needle| needle.asks(field));
        joined(asked.flat_map(|needle| needle.spans(text)).collect())
    }

    /// The places in an event's message, those of the values of tested fields too.
    pub(super) fn in_message(&self, event: &Event, message: &str) -> Vec<Range<usize>> {
        let mut spans = self.spans(name::MESSAGE, message);
        for needle in &self.0 {
            let Some(value) = needle.field.as_deref().and_then(|field| event.get(field)) else { continue };
            texts(value, &mut |text| {
                if needle.test.matches_bytes(text.as_bytes()) {
                    spans.extend(occurrences(message, text));
                }
            });
        }
        joined(spans)
    }
}

impl Needle {
    fn asks(&self, field: &str) -> bool {
        let is_time = |name: &str| matches!(name, name::TIME | name::TIMESTAMP | name::INGESTED | name::ID);
        match &self.field {
            Some(asked) => **asked == *field,
            None => !is_time(field),
        }
    }

    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        match &self.find {
            Find::Anywhere(regex) => {
                regex.find_iter(text).map(|found| found.range()).take(MAX_SPANS).collect()
            }
            Find::Bounded { regex, open } => bounded(regex, *open, text),
            Find::Whole => Vec::from_iter(self.test.matches_bytes(text.as_bytes()).then_some(0..text.len())),
        }
    }
}

fn add(filter: &Filter, needles: &mut Vec<Needle>) {
    match filter {
        // What is excluded is not there to be marked.
        Filter::All | Filter::Not(_) => {}
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| add(part, needles)),
        Filter::Is(Predicate { field, test }) => {
            if let (Some(find), Ok(compiled)) = (find(test), ValueTest::new(test)) {
                needles.push(Needle { field: field.clone(), test: compiled, find });
            }
        }
    }
}

fn find(test: &Test) -> Option<Find> {
    Some(match test {
        Test::Contains(text) => {
            Find::Bounded { regex: compile(&regex::escape(text), true)?, open: (false, false) }
        }
        Test::Wildcard(pattern) => wildcard(&glob::pieces(pattern))?,
        Test::Regex { pattern, ignore_case } => Find::Anywhere(compile(pattern, *ignore_case)?),
        Test::Equals(_) | Test::Compare(..) | Test::Range(..) | Test::Cidr(_) => Find::Whole,
        Test::Exists | Test::Time(_) => return None,
    })
}

/// As few characters as do for a star within, none for one at an edge.
fn wildcard(pieces: &[Piece]) -> Option<Find> {
    let open = (pieces.first() == Some(&Piece::Any), pieces.last() == Some(&Piece::Any));
    let inner = pieces.get(usize::from(open.0)..pieces.len() - usize::from(open.1)).unwrap_or_default();
    let part = |piece: &Piece| match piece {
        Piece::Any => "(?s:.*?)".to_owned(),
        Piece::One => "(?s:.)".to_owned(),
        Piece::Literal(text) => regex::escape(text),
    };
    let regex: String = inner.iter().map(part).collect();
    (!regex.is_empty()).then_some(())?;
    Some(Find::Bounded { regex: compile(&regex, true)?, open })
}

fn compile(pattern: &str, ignore_case: bool) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(ignore_case).build().ok()
}

fn bounded(regex: &Regex, open: (bool, bool), text: &str) -> Vec<Range<usize>> {
    let (mut spans, mut from) = (Vec::new(), 0);
    while let Some(found) = regex.find_at(text, from) {
        let (start, end) = (found.start(), found.end());
        let fits = |at: usize, open: bool| open || is_bound(text.as_bytes(), at);
        if start < end && fits(start, open.0) && fits(end, open.1) {
            spans.push(grown(text, start..end, open));
            from = end;
        } else {
            from = start + char_at(text.as_bytes(), start).map_or(1, char::len_utf8);
        }
        if from >= text.len() || spans.len() == MAX_SPANS {
            break;
        }
    }
    spans
}

/// A side that a star left open, to the end of the word there.
fn grown(text: &str, Range { mut start, mut end }: Range<usize>, open: (bool, bool)) -> Range<usize> {
    let bytes = text.as_bytes();
    while let Some(char) = char_before(bytes, start).filter(|char| open.0 && is_word_char(*char)) {
        start -= char.len_utf8();
    }
    while let Some(char) = char_at(bytes, end).filter(|char| open.1 && is_word_char(*char)) {
        end += char.len_utf8();
    }
    start..end
}

fn texts(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => tell(text),
        Value::Array(values) => values.iter().for_each(|value| texts(value, tell)),
        _ => {}
    }
}

/// Where a text stands as a word of its own.
fn occurrences(message: &str, text: &str) -> Vec<Range<usize>> {
    let bound = |at: usize| is_bound(message.as_bytes(), at);
    let all = message.match_indices(text).map(|(at, text)| at..at + text.len());
    all.filter(|span| !span.is_empty() && bound(span.start) && bound(span.end)).take(MAX_SPANS).collect()
}

/// In order, and those that touch made one.
fn joined(mut spans: Vec<Range<usize>>) -> Vec<Range<usize>> {
    spans.retain(|span| !span.is_empty());
    spans.sort_by_key(|span| (span.start, span.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(text: &str, spans: &[Range<usize>]) -> String {
        let mut out = String::new();
        let mut at = 0;
        for span in spans {
            out.push_str(&format!("{}[{}]", &text[at..span.start], &text[span.clone()]));
            at = span.end;
        }
        out + &text[at..]
    }

    #[track_caller]
    fn check(query: &str, field: &str, text: &str, expected: &str) {
        assert_eq!(shown(text, &Marks::of(query).spans(field, text)), expected, "{query}");
    }

    #[test]
    fn words_are_marked_where_they_match() {
        check("root", "message", "root chroot ROOT: /root", "[root] chroot [ROOT]: /[root]");
        check("\"failed password\"", "message", "Failed password for x", "[Failed password] for x");
        check(
            "203.0.113.77",
            "message",
            "src=203.0.113.77:443 1203.0.113.77",
            "src=[203.0.113.77]:443 1203.0.113.77",
        );
        check("über", "message", "Über überall ÜBER", "[Über] überall [ÜBER]");
        check("aa", "message", "aaa aa", "aaa [aa]");
        check("a OR b -c", "message", "a b c", "[a] [b] c");
        check("* | where x | where b", "message", "a b x", "a [b] [x]");
    }

    #[test]
    fn wildcards_reach_to_the_end_of_the_word() {
        check("kinsin*", "message", "a kinsing2 b", "a [kinsing2] b");
        check("*.evil.example", "message", "at c2.evil.example now", "at [c2.evil.example] now");
        check("f*d", "message", "fed, feed fd!", "[fed], [feed] [fd]!");
        check("a?c", "message", "abc abbc", "[abc] abbc");
    }

    #[test]
    fn a_field_is_marked_where_it_was_asked() {
        check("user.name:bob", "user.name", "bob", "[bob]");
        check("user.name:bob", "message", "bob", "bob");
        check("user.name=bob", "user.name", "bobby", "bobby");
        check("n>5", "n", "7", "[7]");
        check("n>5", "n", "3", "3");
        check("source.ip:10.0.0.0/8", "source.ip", "10.1.2.3", "[10.1.2.3]");
        check("message:/CVE-\\d+/i", "message", "see cve-2024 x", "see [cve-2024] x");
        check("7", "_id", "0-7", "0-7");
        check("NOT bob", "message", "bob", "bob");
        check("(bob", "message", "bob", "bob");
    }

    #[test]
    fn what_a_field_says_is_marked_in_the_message() {
        let event = json!({"source.ip": "10.1.2.3", "user.name": ["bob", "eve"], "n": 22});
        let message = "22: bob from 10.1.2.3, not 110.1.2.3";
        let spans = |query| Marks::of(query).in_message(event.as_object().unwrap(), message);
        assert_eq!(
            shown(message, &spans("source.ip:10.0.0.0/8 user.name:bob n:22")),
            "22: [bob] from [10.1.2.3], not 110.1.2.3"
        );
        assert_eq!(shown(message, &spans("user.name:mallory")), message);
    }
}
