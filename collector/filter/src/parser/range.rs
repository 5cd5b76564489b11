//! Ranges: `[a TO b]`, `{a TO b}` and mixtures.

use std::ops::Range;

use locard_event::{Value, name};

use super::cursor::Until;
use super::time::{self, Period};
use super::{Parser, fault, meaning};
use crate::{Bound, SyntaxError, Test, TimePoint, TimeRange};

/// One end as written; nothing for `*`.
type End = Option<(String, Range<usize>)>;

impl Parser<'_> {
    /// A range of values of `field`, its opening bracket being next.
    pub(super) fn range(&mut self, field: &str) -> Result<Test, SyntaxError> {
        let open = self.cursor.position();
        let inclusive_low = self.cursor.bump() == Some('[');
        let low = self.bound(open)?;
        self.expect_to(open)?;
        let high = self.bound(open)?;
        self.cursor.skip_spaces();
        let inclusive_high = match self.cursor.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err(fault::unclosed_range(&self.cursor, open)),
        };
        self.cursor.bump();
        let span = open..self.cursor.position();
        if matches!(field, name::ID | name::STREAM) {
            return Err(fault::ids_have_no_order(field, span));
        }
        if meaning::is_time(field) {
            return time_range(self.cursor.text(), (low, inclusive_low), (high, inclusive_high), span);
        }
        let (low, high) = (self.counted(field, low), self.counted(field, high));
        if let (Some(low), Some(high)) = (&low, &high)
            && is_reversed(&low.0, &high.0)
        {
            return Err(fault::reversed_range(self.cursor.text(), span, &low.1, &high.1));
        }
        Ok(Test::Range(bound(low, inclusive_low), bound(high, inclusive_high)))
    }

    /// A bare duration as its nanoseconds.
    fn counted(&self, field: &str, end: End) -> End {
        let (text, span) = end?;
        let quoted = self.cursor.text().get(span.clone()).is_some_and(|raw| raw.starts_with('"'));
        Some((if quoted { text } else { meaning::counted(field, text) }, span))
    }

    fn bound(&mut self, open: usize) -> Result<End, SyntaxError> {
        self.cursor.skip_spaces();
        let start = self.cursor.position();
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.phrase()?;
            return Ok(Some((text, start..self.cursor.position())));
        }
        let word = self.cursor.word(Until::RangeEnd)?;
        match (word.raw, &word.pattern) {
            ("", _) => Err(fault::missing_bound(&self.cursor, open)),
            ("*", _) => Ok(None),
            (_, Some(_)) => Err(fault::wildcard_in_range(word.span)),
            _ => Ok(Some((word.literal, word.span))),
        }
    }

    fn expect_to(&mut self, open: usize) -> Result<(), SyntaxError> {
        self.cursor.skip_spaces();
        let word = self.cursor.word(Until::RangeEnd)?;
        if word.raw == "TO" { Ok(()) } else { Err(fault::missing_to(&self.cursor, open, &word)) }
    }
}

fn bound(end: End, inclusive: bool) -> Bound {
    match end {
        None => Bound::Open,
        Some((text, _)) if inclusive => Bound::Inclusive(text.into()),
        Some((text, _)) => Bound::Exclusive(text.into()),
    }
}

/// Whether no value can lie between: told for two numbers, times or addresses, and for two texts that are none of these.
fn is_reversed(low: &str, high: &str) -> bool {
    let (low_value, high_value) = (Value::str(low), Value::str(high));
    if let (Some(low), Some(high)) = (low_value.as_f64(), high_value.as_f64()) {
        return low > high;
    }
    if let (Some(low), Some(high)) = (low_value.as_time(), high_value.as_time()) {
        return low > high;
    }
    match (low_value.as_ip(), high_value.as_ip()) {
        (Some(low), Some(high)) => low > high,
        (None, None) => low_value.as_f64().is_none() && high_value.as_f64().is_none() && low > high,
        _ => false,
    }
}

/// An inclusive end includes all that the time written there covers: `… TO 2026-03-01]` that whole day.
fn time_range(
    text: &str,
    low: (End, bool),
    high: (End, bool),
    span: Range<usize>,
) -> Result<Test, SyntaxError> {
    let (first, last) = (period(&low.0)?, period(&high.0)?);
    let starts = (first.map(|period| period.start), last.map(|period| period.start));
    let reversed = match starts {
        (Some(TimePoint::At(from)), Some(TimePoint::At(to))) => from > to,
        (Some(TimePoint::Now(from)), Some(TimePoint::Now(to))) => from > to,
        _ => false,
    };
    if let (Some(low), Some(high), true) = (&low.0, &high.0, reversed) {
        return Err(fault::reversed_range(text, span, &low.1, &high.1));
    }
    let from = first.map(|period| if low.1 { period.start } else { period.end });
    let to = last.map(|period| if high.1 { period.end } else { period.start });
    Ok(Test::Time(TimeRange { from, to }))
}

fn period(end: &End) -> Result<Option<Period>, SyntaxError> {
    let Some((text, span)) = end else { return Ok(None) };
    time::period(text).map(Some).ok_or_else(|| fault::bad_time(span.clone(), text))
}
