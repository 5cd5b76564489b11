//! [`Needs`] and [`Flow`]: what a pipeline must be fed, and when it has had enough.

use locard_store::GroupKey;

/// What a pipeline must be fed.
#[derive(Clone, Debug, PartialEq)]
pub enum Needs {
    /// How many events match: `push_count`.
    Count,
    /// The combinations of values that matching events have, in any order and in parts, with how many events have each:
    /// `push_group`. Or the events, in any order: `push_event`. Or some so and some so.
    Groups(Vec<GroupKey>),
    /// The patterns of matching events, and how many match: `push_pattern` and `push_count`. Or the events, in any order:
    /// `push_event`. Or some so and some so.
    Patterns,
    /// The matching events: `push_event`.
    Events {
        /// Whether they must come in the order of the search. If not, any order gives the same outcome.
        ordered: bool,
        /// No more than these first ones change the outcome. With `ordered` and nothing here: as many as it takes until
        /// [`Flow::Enough`], or a page if [`super::Pipeline::is_page`].
        at_most: Option<usize>,
    },
}

/// Whether more events can change the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Feed on.
    More,
    /// The rest would be ignored.
    Enough,
}
