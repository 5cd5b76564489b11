//! [`Error`]: why a search has no answer at all. An answer that lacks something is no error: it says so itself.

use std::time::Duration;

use locard_filter::SyntaxError;

use crate::pipe::PipeError;

/// Why a search has no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The query cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The pipes cannot do what they are asked to.
    #[error(transparent)]
    Pipe(#[from] PipeError),
    /// A parameter makes no sense.
    #[error("{reason}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// Too many searches run already.
    #[error("too many {what} are running")]
    Busy {
        /// `searches` or `tails`.
        what: &'static str,
        /// When to try again.
        retry_after: Duration,
    },
    /// There is no such event, or this principal may not see it.
    #[error("there is no such event")]
    NotFound,
    /// The event may be in a split that cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A part of the search broke. The cause is logged where it happened.
    #[error("the search failed")]
    Failed,
}
