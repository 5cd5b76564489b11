//! [`Needs`] and [`Flow`]: what a pipeline must be fed, and when it has had enough.

/// What a pipeline must be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// How many events match: `push_count`.
    Count,
    /// When the matching events are filed: `push_time`, in any order.
    Times,
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
