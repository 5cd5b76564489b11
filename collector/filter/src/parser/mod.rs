//! Text to [`Filter`]: a recursive descent parser over characters.
//!
//! [`cursor`] reads lexical pieces, [`grammar`] the boolean structure, [`operand`] one test, [`meaning`] what a value
//! means in its field, [`time`] dates and durations, [`fault`] says what is wrong. Nothing here knows the pipes.

mod cursor;
mod fault;
mod grammar;
mod meaning;
mod operand;
mod range;
mod regex;
mod time;

pub(crate) use cursor::is_name;
pub(crate) use fault::quoted;
pub(crate) use meaning::is_time;
pub(crate) use time::UNITS;
pub use time::{parse_duration, parse_time};

use cursor::{Cursor, starts_negation};

use crate::{Filter, SyntaxError, Test};

/// Longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// Most tests in one query.
pub const MAX_TERMS: usize = 1_000;
/// Deepest nesting of parentheses and NOT.
pub const MAX_DEPTH: usize = 64;
/// Most regular expressions in one query: each may compile to megabytes.
pub const MAX_REGEXES: usize = 16;
/// Longest patterns with wildcards together, in bytes.
pub const MAX_WILDCARDS_BYTES: usize = 4 * 1_024;
/// Longest pattern with wildcards, in bytes: matching may cost its length times the text's.
pub const MAX_WILDCARD_BYTES: usize = 1_024;

/// Reads a whole filter. An empty text is [`Filter::All`].
///
/// # Errors
/// The text is no filter; a pipe is one reason.
pub fn parse(text: &str) -> Result<Filter, SyntaxError> {
    let (filter, end) = parse_prefix(text)?;
    if end == text.len() { Ok(filter) } else { Err(fault::pipe_in_filter(end)) }
}

/// Reads the filter at the head of a query up to the first `|` outside quotes, slashes and parentheses; answers where that pipe
/// (or the end of the text) stands, so that the caller can read the pipes.
///
/// # Errors
/// The text before the pipe is no filter.
pub fn parse_prefix(text: &str) -> Result<(Filter, usize), SyntaxError> {
    parse_prefix_within(text, &mut Spent::default())
}

/// As [`parse_prefix`], for one of several filters of a query: the limits are on all of them together.
///
/// # Errors
/// As [`parse_prefix`].
pub fn parse_prefix_within(text: &str, spent: &mut Spent) -> Result<(Filter, usize), SyntaxError> {
    let before = spent.clone();
    read(text, spent).map_err(|error| match &error.fix {
        // What is offered as a fix must be one.
        Some(fix) if read(fix, &mut before.clone()).is_err() => SyntaxError { fix: None, ..error },
        _ => error,
    })
}

/// What the filters of a query have used up of its limits.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    terms: usize,
    regexes: usize,
    wildcard_bytes: usize,
}

impl Spent {
    fn add(&mut self, test: &Test, cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
        self.terms += 1;
        match test {
            Test::Regex { .. } => self.regexes += 1,
            Test::Wildcard(pattern) => self.wildcard_bytes += pattern.len(),
            _ => {}
        }
        if self.terms > MAX_TERMS {
            return Err(fault::too_many_terms(cursor));
        }
        if self.regexes > MAX_REGEXES {
            return Err(fault::too_many_regexes(cursor));
        }
        if self.wildcard_bytes > MAX_WILDCARDS_BYTES {
            return Err(fault::too_many_wildcards(cursor));
        }
        Ok(())
    }
}

fn read(text: &str, spent: &mut Spent) -> Result<(Filter, usize), SyntaxError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(fault::query_too_long(text));
    }
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0, spent };
    let filter = parser.whole()?;
    Ok((filter, parser.cursor.position()))
}

/// The state of one reading.
struct Parser<'a> {
    cursor: Cursor<'a>,
    /// How many groups and negations are open.
    depth: usize,
    /// What was read so far of what is limited.
    spent: &'a mut Spent,
}
