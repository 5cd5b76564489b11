//! [`Outcome`]: what a pipeline makes of the events.

use locard_event::Event;
use serde_json::Value as Json;

use super::Shown;

/// What a pipeline makes of the events.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Events, in order.
    Events {
        /// Whole; what is to be shown of them is told by `shown`.
        events: Vec<Event>,
        /// What the pipe `fields` leaves of each.
        shown: Shown,
        /// Whether there are more that the page limit cut off (only after `sort`, which has no cursor).
        cut: bool,
    },
    /// Rows.
    Table(Table),
}

/// Rows made by a pipe.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names, one a column; not necessarily different.
    pub columns: Vec<String>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<Json>>,
    /// Why some number is an estimate; nothing if all are exact.
    pub inexact_because: Option<String>,
}
