//! [`SyntaxError`]: what is wrong, where, and how to fix it.

use std::ops::Range;

/// A query that cannot be read. `Display` is one sentence without the position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The offending bytes of the query text; empty at the end of the text.
    pub span: Range<usize>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// A whole corrected query, where one is evident.
    pub fix: Option<String>,
}
