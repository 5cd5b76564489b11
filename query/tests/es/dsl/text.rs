//! What terms, words, phrases and patterns find, by the documentation of Elasticsearch: a keyword is one term, a text is its words in
//! lower case, and a number, an address or a truth is equal or not.

use regex::Regex;
use serde_json::Value;

use super::documents::values;

/// Fields whose strings are whole terms.
pub(super) fn is_keyword(field: &str) -> bool {
    field.ends_with(".keyword") || matches!(field, "user.name" | "source.ip")
}

/// The words of a text, in lower case.
pub(super) fn words(text: &str) -> Vec<String> {
    let is_mark = |char: char| !char.is_alphanumeric() && char != '_';
    text.split(is_mark).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The terms of each value.
pub(super) fn terms(document: &Value, field: &str) -> Vec<Vec<String>> {
    let terms = |value: &Value| match value {
        Value::String(text) if is_keyword(field) => vec![text.clone()],
        Value::String(text) => words(text),
        other => vec![other.to_string()],
    };
    values(document, field).into_iter().map(terms).collect()
}

fn any_term(document: &Value, field: &str, test: impl Fn(&str) -> bool) -> bool {
    terms(document, field).iter().flatten().any(|term| test(term))
}

/// A term is there.
pub(super) fn has_term(document: &Value, field: &str, wanted: &str, ignore_case: bool) -> bool {
    let number = wanted.parse::<f64>().ok();
    values(document, field).into_iter().any(|value| match value {
        Value::Number(value) => number == value.as_f64(),
        Value::String(text) if field == "source.ip" && wanted.contains('/') => {
            let network: ipnet::IpNet = wanted.parse().unwrap();
            network.contains(&text.parse::<std::net::IpAddr>().unwrap())
        }
        _ if ignore_case => any_term(document, field, |term| term.to_lowercase() == wanted.to_lowercase()),
        _ => any_term(document, field, |term| term == wanted),
    })
}

/// How many of the words of a query text are there, of how many.
pub(super) fn matched(document: &Value, field: &str, text: &str) -> (usize, usize) {
    let wanted = analysed(field, text);
    let found = wanted.iter().filter(|word| has_term(document, field, word, false)).count();
    (found, wanted.len())
}

pub(super) fn analysed(field: &str, text: &str) -> Vec<String> {
    if is_keyword(field) || field == "n" { vec![text.to_owned()] } else { words(text) }
}

/// The words follow one another within one value; the last one may be a beginning.
pub(super) fn has_phrase(document: &Value, field: &str, text: &str, last_is_prefix: bool) -> bool {
    let wanted = analysed(field, text);
    let Some((last, before)) = wanted.split_last() else { return false };
    terms(document, field).iter().any(|terms| {
        terms.windows(wanted.len()).any(|window| {
            let (end, start) = window.split_last().unwrap();
            start == before && (end == last || (last_is_prefix && end.starts_with(last.as_str())))
        })
    })
}

pub(super) fn has_prefix(document: &Value, field: &str, prefix: &str, ignore_case: bool) -> bool {
    any_term(document, field, |term| {
        if ignore_case {
            term.to_lowercase().starts_with(&prefix.to_lowercase())
        } else {
            term.starts_with(prefix)
        }
    })
}

/// `*` is any characters, `?` one; a backslash takes what follows as it is. Not analysed: terms of texts are in lower case.
pub(super) fn has_wildcard(document: &Value, field: &str, pattern: &str, ignore_case: bool) -> bool {
    let fold = |text: &str| if ignore_case { text.to_lowercase() } else { text.to_owned() };
    let pattern: Vec<char> = fold(pattern).chars().collect();
    any_term(document, field, |term| wild(&pattern, &fold(term).chars().collect::<Vec<_>>()))
}

fn wild(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (['*', rest @ ..], text) => (0..=text.len()).any(|skip| wild(rest, &text[skip..])),
        (['\\', char, rest @ ..], [first, others @ ..]) => char == first && wild(rest, others),
        (['\\', ..], _) => false,
        (['?', rest @ ..], [_, others @ ..]) => wild(rest, others),
        ([char, rest @ ..], [first, others @ ..]) => char == first && wild(rest, others),
        (_, []) => false,
    }
}

/// The whole term.
pub(super) fn has_regexp(document: &Value, field: &str, pattern: &str) -> bool {
    let whole = Regex::new(&format!("^(?s:{pattern})$")).unwrap();
    any_term(document, field, |term| whole.is_match(term))
}
