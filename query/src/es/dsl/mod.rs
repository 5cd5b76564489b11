//! The query DSL, read into a [`Filter`]. What a filter cannot say exactly is refused by name.
//!
//! Scores are constant here, so what only changes them (`boost`, `should` beside `must`, functions) is read and has no effect.

mod compound;
mod leaf;
mod lucene;
mod many;
mod near;
mod range;
mod regexp;
mod simple;
mod text;
pub(super) mod word;

use locard_filter::{Filter, MAX_DEPTH, Predicate, Test};
use serde_json::{Map, Value as Json};

use super::error::Error;
use super::schema::{Meaning, Schema};
pub(super) use leaf::id;

/// Most tests in one query, as `index.max_terms_count`.
const MAX_TESTS: usize = 65_536;

/// Reads a query of the DSL. Times are fixed: they are as when the schema was made.
pub(super) fn read(query: &Json, schema: &Schema) -> Result<Filter, Error> {
    let filter = schema.read(|meaning| Reader { meaning, depth: 0 }.query(query))?;
    within_limits(&filter)?;
    Ok(filter)
}

/// A regular expression in Lucene's syntax, in that of the `regex` crate.
pub(super) fn regexp(pattern: &str) -> Result<String, Error> {
    regexp::translate(pattern, regexp::About::Value)
}

/// Reads the query in Lucene's syntax that `?q=` holds.
pub(super) fn read_text(
    text: &str,
    fields: &[String],
    all_words: bool,
    schema: &Schema,
) -> Result<Filter, Error> {
    let filter = schema.read(|meaning| {
        let setting = lucene::Setting::new(fields, all_words, meaning)?;
        lucene::read(text, &setting)
    })?;
    within_limits(&filter)?;
    Ok(filter)
}

/// Holds a query within what may be compiled and asked of every event.
fn within_limits(filter: &Filter) -> Result<(), Error> {
    let (mut tests, mut expressions) = (0usize, 0usize);
    count(filter, &mut tests, &mut expressions);
    if tests > MAX_TESTS {
        return Err(Error::new(
            http::StatusCode::BAD_REQUEST,
            "too_many_nested_clauses",
            format!("the query has {tests} tests, at most {MAX_TESTS} are allowed"),
        ));
    }
    if expressions > text::MAX_EXPRESSIONS {
        let most = text::MAX_EXPRESSIONS;
        return Err(Error::illegal(format!(
            "the query has {expressions} patterns and phrases, at most {most} are allowed"
        )));
    }
    Ok(())
}

fn count(filter: &Filter, tests: &mut usize, expressions: &mut usize) {
    match filter {
        Filter::All => {}
        Filter::And(parts) | Filter::Or(parts) => {
            parts.iter().for_each(|part| count(part, tests, expressions))
        }
        Filter::Not(part) => count(part, tests, expressions),
        Filter::Is(Predicate { test, .. }) => {
            *tests += 1;
            *expressions += usize::from(matches!(test, Test::Regex { .. } | Test::Wildcard(_)));
        }
    }
}

/// Reads one query after the other; knows what names mean and how deep it is.
#[derive(Debug)]
struct Reader<'a> {
    meaning: Meaning<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn query(&mut self, query: &Json) -> Result<Filter, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::illegal(format!("the query is nested deeper than {MAX_DEPTH}")));
        }
        let filter = self.one(query);
        self.depth -= 1;
        filter
    }

    fn one(&mut self, query: &Json) -> Result<Filter, Error> {
        let Json::Object(members) = query else {
            return Err(Error::parsing("[_na] query malformed, must start with start_object"));
        };
        let mut members = members.iter();
        let Some((name, body)) = members.next() else {
            return Err(Error::illegal("query malformed, empty clause found"));
        };
        if let Some((second, _)) = members.next() {
            return Err(Error::parsing(format!(
                "[{name}] malformed query, expected [END_OBJECT] but found [{second}]"
            )));
        }
        if let Some(filter) = leaf::read(name, body, self.meaning)? {
            return Ok(filter);
        }
        self.compound(name, body)
    }
}

/// The members of a body that must be an object.
fn object<'a>(name: &str, body: &'a Json) -> Result<&'a Map<String, Json>, Error> {
    body.as_object()
        .ok_or_else(|| Error::parsing(format!("[{name}] query malformed, no start_object after query name")))
}

/// Refuses what a body has beside these members.
fn known(name: &str, members: &Map<String, Json>, names: &[&str]) -> Result<(), Error> {
    match members.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(Error::parsing(format!("[{name}] query does not support [{unknown}]"))),
    }
}

/// A scalar as its text.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A switch, written as one or as text.
fn flag(members: &Map<String, Json>, name: &str) -> Result<bool, Error> {
    match members.get(name) {
        None | Some(Json::Null | Json::Bool(false)) => Ok(false),
        Some(Json::Bool(true)) => Ok(true),
        Some(Json::String(text)) if text == "true" => Ok(true),
        Some(Json::String(text)) if text == "false" => Ok(false),
        Some(other) => Err(Error::parsing(format!(
            "Failed to parse value [{other}] as only [true] or [false] are allowed."
        ))),
    }
}
