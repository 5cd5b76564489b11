//! [`SyntaxError`]: what is wrong, where, and how to fix it.

use std::fmt::Write as _;
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

impl SyntaxError {
    /// An error at these bytes of the query text.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: None, fix: None }
    }

    /// The error with advice.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The error with a corrected query: `text` with `span` replaced. Nothing is offered when `span` is not of `text`.
    #[must_use]
    pub fn fix(self, text: &str, span: Range<usize>, replacement: &str) -> Self {
        let (Some(head), Some(tail)) = (text.get(..span.start), text.get(span.end..)) else { return self };
        Self { fix: Some(format!("{head}{replacement}{tail}")), ..self }
    }

    /// The query with carets under the offending part, then the message, the hint and the fix, a line each:
    /// what a terminal shows. Carets count characters, so they stand right for all but wide scripts.
    pub fn render(&self, text: &str) -> String {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or("").lines().next().unwrap_or("");
        let indent = before.get(line_start..).unwrap_or("").chars().count();
        let marked = text.get(self.span.clone()).and_then(|part| part.lines().next());
        let width = marked.map_or(1, |part| part.chars().count().max(1));
        // Not as a width in the format: that ends at 65,535 and breaks.
        let mut out = format!("{line}\n{}{} {}\n", " ".repeat(indent), "^".repeat(width), self.message);
        for (label, advice) in [("hint", &self.hint), ("fix", &self.fix)] {
            if let Some(advice) = advice {
                // Writing to a String cannot fail.
                let _unused = writeln!(out, "{label}: {advice}");
            }
        }
        out
    }
}
