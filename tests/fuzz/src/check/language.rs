//! Queries: what is parsed prints as what parses to the same, errors are in the text and their fixes parse, a filter and its negation share
//! no event, and pipes hold what [`super::piped`] says.

use std::borrow::Cow;

use locard_filter::{Filter, MAX_QUERY_BYTES, Matcher, SyntaxError};
use locard_query::pipe::{Query, parse};

use super::kind;
use super::piped::run;
use crate::ground::{Ground, NOW};

pub(crate) fn check(ground: &Ground, text: &str) -> Result<String, String> {
    let query = match parse(text) {
        Ok(query) => query,
        Err(error) => return check_error(text, &error),
    };
    if parse(text).as_ref() != Ok(&query) {
        return Err("it parses to something else the second time".to_owned());
    }
    check_printed(&query.filter)?;
    let query = query.resolve(NOW);
    let matcher = match check_negated(ground, &query.filter) {
        Ok(Some(matcher)) => matcher,
        Ok(None) => return Ok("too large an expression".to_owned()),
        Err(wrong) => return Err(wrong),
    };
    let found: Vec<Cow<'_, _>> =
        ground.events.iter().rev().filter(|event| matcher.matches(event)).map(Cow::Borrowed).collect();
    let shape = shape(&query);
    Ok(format!("{shape} {} {}", found.len().min(3), run(&query.pipes, &found, &ground.tables)?))
}

fn check_error(text: &str, error: &SyntaxError) -> Result<String, String> {
    if text.get(error.span.clone()).is_none() {
        return Err(format!("the error is at {:?}, which is not in the text", error.span));
    }
    if error.message.is_empty() || error.render(text).is_empty() {
        return Err("an error that says nothing".to_owned());
    }
    if let Some(fix) = &error.fix
        && let Err(worse) = parse(fix)
    {
        return Err(format!("the fix `{fix}` is none: {}", worse.message));
    }
    Ok(kind(&error.message))
}

/// What is printed parses to the same.
fn check_printed(filter: &Filter) -> Result<(), String> {
    let printed = filter.to_string();
    if printed.len() > MAX_QUERY_BYTES {
        return Ok(());
    }
    match locard_filter::parse(&printed) {
        Ok(again) if again == *filter => Ok(()),
        Ok(again) => Err(format!("{filter:?} is printed as `{printed}`, which is {again:?}")),
        Err(error) => Err(format!("{filter:?} is printed as `{printed}`: {}", error.message)),
    }
}

/// An event is found by a filter or by its negation. Nothing where an expression is too large to be compiled.
fn check_negated(ground: &Ground, filter: &Filter) -> Result<Option<Matcher>, String> {
    let Ok(matcher) = Matcher::new(filter) else { return Ok(None) };
    let negated = Matcher::new(&Filter::Not(Box::new(filter.clone()))).map_err(|error| error.message)?;
    match ground.events.iter().find(|event| matcher.matches(event) == negated.matches(event)) {
        None => Ok(Some(matcher)),
        Some(event) => {
            Err(format!("it and its negation say the same of {}", String::from_utf8_lossy(&event.message)))
        }
    }
}

/// The kinds of tests and pipes.
pub(super) fn shape(query: &Query) -> String {
    fn of(filter: &Filter, out: &mut String, depth: usize) {
        let name = |text: String| text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
        match filter {
            _ if depth > 3 => out.push('…'),
            Filter::All => out.push('*'),
            Filter::And(parts) | Filter::Or(parts) => {
                out.push(if matches!(filter, Filter::And(_)) { '&' } else { '|' });
                parts.iter().take(3).for_each(|part| of(part, out, depth + 1));
            }
            Filter::Not(part) => {
                out.push('!');
                of(part, out, depth + 1);
            }
            Filter::Is(predicate) => {
                out.push_str(if predicate.field.is_some() { ":" } else { "_" });
                out.push_str(&name(format!("{:?}", predicate.test)));
            }
        }
    }
    let mut out = String::new();
    of(&query.filter, &mut out, 0);
    for pipe in &query.pipes {
        out.push_str(&format!("{pipe:?}").chars().take_while(char::is_ascii_alphabetic).collect::<String>());
    }
    out
}
