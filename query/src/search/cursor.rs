//! [`Cursor`]: where the next page begins.
//!
//! A cursor holds a position in the order, not an offset, so events that arrive meanwhile neither shift a page nor appear twice.
//! It also holds the instant the first page took for `now`, so that relative times mean the same on every page. It grants nothing:
//! whoever forges one sees only what a query of their own could show.

use std::fmt;
use std::str::FromStr;

use locard_event::{EventId, Timestamp};
use locard_store::{Order, Position};

/// First part of the text form; another form gets another number.
const VERSION: &str = "1";

/// Where the next page begins. Text form: `1.d.<now>.<filed>.<id>`, times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which way the pages run.
    pub(crate) order: Order,
    /// What `now` meant on the first page.
    pub(crate) now: Timestamp,
    /// The last event of the page before.
    pub(crate) after: Position,
}

/// The text was no cursor of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Descending => 'd',
            Order::Ascending => 'a',
        };
        write!(f, "{VERSION}.{order}.{}.{}.{}", self.now.nanos(), self.after.filed.nanos(), self.after.id)
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        Self::read(text).ok_or(ParseCursorError)
    }
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        if parts.next() != Some(VERSION) {
            return None;
        }
        let order = match parts.next()? {
            "d" => Order::Descending,
            "a" => Order::Ascending,
            _ => return None,
        };
        let now = Timestamp::from_nanos(parts.next()?.parse().ok()?);
        let filed = Timestamp::from_nanos(parts.next()?.parse().ok()?);
        let id: EventId = parts.next()?.parse().ok()?;
        let whole = parts.next().is_none();
        whole.then_some(Self { order, now, after: Position { filed, id } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for order in [Order::Ascending, Order::Descending] {
            let after = Position { filed: Timestamp::MIN, id: EventId::new(7, u64::MAX) };
            let cursor = Cursor { order, now: Timestamp::from_nanos(-5), after };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn garbage_is_no_cursor() {
        for text in [
            "",
            "1",
            "1.d",
            "2.d.0.0.0-0",
            "1.x.0.0.0-0",
            "1.d.0.0.0-0.",
            "1.d.0.0.zero",
            "☃",
            "1.d.0.1e3.0-0",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(ParseCursorError), "{text}");
        }
    }
}
