//! What a value means: in which field it stands decides whether it is a time, an id, a network or text.

use std::net::IpAddr;

use ipnet::IpNet;
use locard_event::{EventId, name};

use super::cursor::{Cursor, Word};
use super::{MAX_WILDCARD_BYTES, fault, time};
use crate::{Comparison, SyntaxError, Test, TimeRange};

/// Whether tests of `field` are tests of one of the event's own times.
pub(crate) fn is_time(field: &str) -> bool {
    matches!(field, name::TIME | name::TIMESTAMP | name::INGESTED)
}

/// An unescaped `*`, or several.
pub(super) fn is_star(word: &Word<'_>) -> bool {
    !word.raw.is_empty() && word.raw.bytes().all(|byte| byte == b'*')
}

/// A bare word, in `field` or anywhere.
pub(super) fn of_word(cursor: &Cursor<'_>, field: Option<&str>, word: Word<'_>) -> Result<Test, SyntaxError> {
    if is_star(&word) {
        return Ok(Test::Exists);
    }
    match field {
        Some(field) if is_time(field) => return time_of(cursor, word.span.start, &word.literal),
        Some(field @ (name::ID | name::STREAM)) => {
            return identity(cursor, field, word.span.start, word.literal);
        }
        _ => {}
    }
    if let Some(pattern) = word.pattern {
        if pattern.len() > MAX_WILDCARD_BYTES {
            return Err(fault::pattern_too_long(word.span));
        }
        return Ok(Test::Wildcard(pattern.into()));
    }
    match network(cursor, field, &word)? {
        Some(network) => Ok(Test::Cidr(network)),
        None => Ok(Test::Contains(word.literal.into())),
    }
}

/// A quoted phrase in `field`.
pub(super) fn of_phrase(
    cursor: &Cursor<'_>,
    field: &str,
    start: usize,
    text: String,
) -> Result<Test, SyntaxError> {
    match field {
        time if is_time(time) => time_of(cursor, start, &text),
        name::ID | name::STREAM => identity(cursor, field, start, text),
        _ if text.is_empty() => Err(fault::empty_phrase_in(field, start..cursor.position())),
        _ => Ok(Test::Contains(text.into())),
    }
}

/// The operand of `field=`.
pub(super) fn of_whole(
    cursor: &Cursor<'_>,
    field: &str,
    start: usize,
    text: String,
) -> Result<Test, SyntaxError> {
    match field {
        time if is_time(time) => time_of(cursor, start, &text),
        name::ID | name::STREAM => identity(cursor, field, start, text),
        _ => Ok(Test::Equals(text.into())),
    }
}

/// A duration where values are ordered is its nanoseconds, the unit of `event.duration`; any other text is itself.
pub(super) fn counted(field: &str, text: String) -> String {
    match time::parse_duration(&text) {
        Some(nanos) if !is_time(field) => nanos.to_string(),
        _ => text,
    }
}

/// The operand of `field>=` and its like.
pub(super) fn of_comparison(
    cursor: &Cursor<'_>,
    field: &str,
    comparison: Comparison,
    start: usize,
    text: String,
) -> Result<Test, SyntaxError> {
    let span = start..cursor.position();
    if matches!(field, name::ID | name::STREAM) {
        return Err(fault::ids_have_no_order(field, span));
    }
    if !is_time(field) {
        return Ok(Test::Compare(comparison, text.into()));
    }
    let period = time::period(&text).ok_or_else(|| fault::bad_time(span, &text))?;
    Ok(Test::Time(match comparison {
        Comparison::Greater => TimeRange { from: Some(period.end), to: None },
        Comparison::GreaterOrEqual => TimeRange { from: Some(period.start), to: None },
        Comparison::Less => TimeRange { from: None, to: Some(period.start) },
        Comparison::LessOrEqual => TimeRange { from: None, to: Some(period.end) },
    }))
}

/// `_time:1h` is the last hour and later, `_time:2026-03-01` that day.
fn time_of(cursor: &Cursor<'_>, start: usize, text: &str) -> Result<Test, SyntaxError> {
    let span = start..cursor.position();
    if let Some(nanos) = time::parse_duration(text) {
        return Ok(Test::Time(TimeRange { from: Some(crate::TimePoint::Now(-nanos)), to: None }));
    }
    let period = time::period(text).ok_or_else(|| fault::bad_time(span.clone(), text))?;
    if period.start == period.end {
        return Err(fault::instant_is_empty(span));
    }
    Ok(Test::Time(TimeRange { from: Some(period.start), to: Some(period.end) }))
}

fn identity(cursor: &Cursor<'_>, field: &str, start: usize, text: String) -> Result<Test, SyntaxError> {
    let well_formed = match field {
        name::ID => text.parse::<EventId>().is_ok(),
        _ => text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
    };
    if !well_formed {
        return Err(fault::bad_identity(field, start..cursor.position()));
    }
    Ok(Test::Equals(text.to_ascii_lowercase().into()))
}

/// The network a word denotes. A word that only looks like one is an error, lest it silently match nothing.
fn network(cursor: &Cursor<'_>, field: Option<&str>, word: &Word<'_>) -> Result<Option<IpNet>, SyntaxError> {
    let Some((address, prefix)) = word.literal.split_once('/') else { return Ok(None) };
    let is_prefix = (1..=3).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let is_address = address.parse::<IpAddr>().is_ok();
    if !is_prefix || !(is_address || field.is_some() && is_short_address(address)) {
        return Ok(None);
    }
    match word.literal.parse() {
        Ok(network) => Ok(Some(network)),
        Err(_) => Err(fault::bad_network(cursor, word, address, prefix)),
    }
}

/// Two to four dotted numbers, as in `10.0/16` or `10.0.0.256/24`.
fn is_short_address(text: &str) -> bool {
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    (2..=4).contains(&text.split('.').count()) && text.split('.').all(number)
}
