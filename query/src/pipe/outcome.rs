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

/// The names of columns as the members of one object: a name that is taken already gets its number behind it.
pub fn member_names(columns: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for (at, name) in columns.iter().enumerate() {
        let mut member = name.clone();
        let mut number = at + 1;
        while names.contains(&member) || (member != *name && columns.contains(&member)) {
            member = format!("{name}_{number}");
            number += 1;
        }
        names.push(member);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::member_names;

    #[test]
    fn no_two_members_have_one_name() {
        for (columns, expected) in [
            ("a b", "a b"),
            ("a a a", "a a_2 a_3"),
            ("a a a_2", "a a_3 a_2"),
            ("a_2 a", "a_2 a"),
            ("a_2 a_2 a_2_2", "a_2 a_2_3 a_2_2"),
        ] {
            let columns: Vec<String> = columns.split(' ').map(str::to_owned).collect();
            assert_eq!(member_names(&columns).join(" "), expected);
        }
    }
}
