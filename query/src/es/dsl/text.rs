//! Words, phrases, prefixes and patterns of one field, as filters.
//!
//! A text field is asked by its words, whatever the case; a keyword field by its whole value. Numbers, addresses and times are equal
//! to what is written for them, and no word of theirs is.

use locard_filter::{Comparison, Filter, Test};

use super::regexp::About;
use super::word::words;
use crate::es::error::Error;
use crate::es::field::{Field, Kind};

/// Matches nothing.
pub(super) fn nothing() -> Filter {
    Filter::Not(Box::new(Filter::All))
}

/// What the expressions that a query makes may be in number; each takes memory once compiled.
pub(super) const MAX_EXPRESSIONS: usize = 512;
/// Longest pattern, in characters, as `index.max_regex_length`.
const MAX_PATTERN_CHARS: usize = 1_000;

/// A value written whole, bounded on both sides.
fn whole(inner: &str) -> String {
    format!(r"(?s)\A(?:{inner})\z")
}

fn expression(pattern: String, ignore_case: bool) -> Test {
    Test::Regex { pattern: pattern.into(), ignore_case }
}

/// Whether the text is one of a number, an address or a time, which values of those types are equal to.
fn is_scalar(text: &str) -> bool {
    let value = locard_event::Value::str(text);
    value.as_f64().is_some()
        || value.as_ip().is_some()
        || value.as_time().is_some()
        || matches!(text, "true" | "false")
}

/// The value is exactly this, or an address within this network.
pub(super) fn equals(field: &Field, text: &str) -> Filter {
    let same = field.is(Test::Equals(text.into()));
    match text.parse() {
        Ok(network) if text.contains('/') => Filter::any_of([same, field.is(Test::Cidr(network))]),
        _ => same,
    }
}

/// One word of a text, or a value that is not text and equal to it.
pub(super) fn has_word(field: &Field, word: &str) -> Filter {
    let contains = field.is(Test::Contains(word.into()));
    if field.name.is_none() || !is_scalar(word) {
        return contains;
    }
    // `500` is no word of the number 500.5.
    let is_number = field.is(Test::Compare(Comparison::GreaterOrEqual, f64::MIN.to_string().into()));
    let in_text = contains.and(Filter::Not(Box::new(is_number)));
    Filter::any_of([field.is(Test::Equals(word.into())), in_text])
}

/// A `term`: not analysed. On a text field it is one word, which is in lower case there.
pub(super) fn term(field: &Field, text: &str, ignore_case: bool) -> Filter {
    match (field.kind, ignore_case) {
        (Kind::Keyword, false) => equals(field, text),
        (Kind::Keyword, true) => field.is(expression(whole(&regex::escape(text)), true)),
        (Kind::Text, _) => {
            let lower = if ignore_case { text.to_lowercase() } else { text.to_owned() };
            let found = words(&lower);
            let is_one_word = matches!(found.as_slice(), [word] if *word == lower);
            match (is_one_word, is_scalar(text)) {
                (true, _) => has_word(field, &lower),
                (false, true) => equals(field, text),
                (false, false) => match text.parse() {
                    Ok(network) if text.contains('/') => field.is(Test::Cidr(network)),
                    _ => nothing(),
                },
            }
        }
    }
}

/// A `match`: the words of the text, of which so many must be there.
pub(super) fn words_of(field: &Field, text: &str) -> Vec<Filter> {
    match field.kind {
        Kind::Keyword => vec![equals(field, text)],
        Kind::Text if is_scalar(text) && words(text).len() != 1 => vec![equals(field, text)],
        Kind::Text => words(text).iter().map(|word| has_word(field, word)).collect(),
    }
}

/// The words one after the other, marks and spaces between them; or as near to that as the slop says.
pub(super) fn phrase(field: &Field, text: &str, slop: usize, last_is_prefix: bool) -> Result<Filter, Error> {
    if slop > 0 && field.kind == Kind::Text && words(text).len() > 1 {
        return super::near::sloppy(field, text, slop, last_is_prefix);
    }
    Ok(in_order(field, text, last_is_prefix))
}

fn in_order(field: &Field, text: &str, last_is_prefix: bool) -> Filter {
    if field.kind == Kind::Keyword {
        return if last_is_prefix { prefix(field, text, false) } else { equals(field, text) };
    }
    let found = words(text);
    match (found.as_slice(), last_is_prefix) {
        ([], _) if is_scalar(text) => equals(field, text),
        ([], _) => nothing(),
        ([word], false) => has_word(field, word),
        ([word], true) => starts_word(field, word),
        (several, _) => {
            let inner: Vec<String> = several.iter().map(|word| regex::escape(word)).collect();
            let end = if last_is_prefix { "" } else { r"\b" };
            let in_order = field.is(expression(format!(r"\b{}{end}", inner.join(r"[^\w]+")), true));
            // Cheap to look up, and true of whatever the expression is.
            let sure = several.len() - usize::from(last_is_prefix);
            let single = several.iter().take(sure).map(|word| field.is(Test::Contains(word.as_str().into())));
            Filter::all_of(single.chain([in_order]))
        }
    }
}

/// A word that begins so, whatever the case.
pub(super) fn starts_word(field: &Field, start: &str) -> Filter {
    field.is(Test::Wildcard(format!("{}*", escape_wildcard(start)).into()))
}

fn escape_wildcard(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '*' | '?' | '\\') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    escaped
}

/// A `prefix`: not analysed.
pub(super) fn prefix(field: &Field, text: &str, ignore_case: bool) -> Filter {
    match field.kind {
        Kind::Keyword => field.is(expression(format!(r"(?s)\A{}", regex::escape(text)), ignore_case)),
        Kind::Text => {
            let start: String = text.chars().map(|char| About::Word.literal(char)).collect();
            by_words(field, format!(r"(?:\A|[^\w]){start}"), text, ignore_case)
        }
    }
}

/// A `wildcard` with `*` and `?`: not analysed, so that on a text field a capital finds none unless the case is ignored.
pub(super) fn wildcard(field: &Field, pattern: &str, ignore_case: bool) -> Result<Filter, Error> {
    bounded(pattern)?;
    let mut inner = String::new();
    let about = about(field);
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' => inner.push_str(&format!("{}*", about.any())),
            '?' => inner.push_str(about.any()),
            '\\' => inner.push_str(&about.literal(chars.next().unwrap_or('\\'))),
            other => inner.push_str(&about.literal(other)),
        }
    }
    Ok(match field.kind {
        Kind::Keyword => field.is(expression(whole(&inner), ignore_case)),
        Kind::Text => by_words(field, word_bounded(&inner), pattern, ignore_case),
    })
}

/// A `regexp` in Lucene's syntax, which is anchored; on a text field it is about one word.
pub(super) fn regexp(field: &Field, pattern: &str, ignore_case: bool) -> Result<Filter, Error> {
    bounded(pattern)?;
    let inner = super::regexp::translate(pattern, about(field))?;
    Ok(match field.kind {
        Kind::Keyword => field.is(expression(whole(&inner), ignore_case)),
        Kind::Text => by_words(field, word_bounded(&inner), pattern, ignore_case),
    })
}

fn about(field: &Field) -> About {
    match field.kind {
        Kind::Text => About::Word,
        Kind::Keyword => About::Value,
    }
}

/// An expression about the words of a text: those are in lower case, so one that asks for a capital finds none.
fn by_words(field: &Field, pattern: String, written: &str, ignore_case: bool) -> Filter {
    let mut chars = written.chars();
    let mut has_capital = false;
    while let Some(char) = chars.next() {
        match char {
            // A class as `\W`, no letter.
            '\\' => drop(chars.next()),
            other => has_capital |= other.is_uppercase(),
        }
    }
    if has_capital && !ignore_case { nothing() } else { field.is(expression(pattern, true)) }
}

fn word_bounded(inner: &str) -> String {
    format!(r"(?:\A|[^\w])(?:{inner})(?:\z|[^\w])")
}

fn bounded(pattern: &str) -> Result<(), Error> {
    if pattern.chars().count() <= MAX_PATTERN_CHARS {
        return Ok(());
    }
    let reason = format!(
        "The length of regex [{}] used in the Regexp Query request has exceeded the allowed maximum of \
         [{MAX_PATTERN_CHARS}]. This maximum can be set by changing the [index.max_regex_length] index level setting.",
        pattern.chars().count()
    );
    Err(Error::illegal(reason))
}
