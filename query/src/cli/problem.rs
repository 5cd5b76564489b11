//! [`Refusal`]: the server's `application/problem+json`, as a person reads it.

use std::fmt;

use serde::Deserialize;

use super::output::neutralise;

/// Why the server refused a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Seconds until it may be tried again.
    pub retry_after: Option<u64>,
    detail: String,
    hint: Option<String>,
    fix: Option<String>,
    span: Option<(usize, usize)>,
    query: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: Option<String>,
    hint: Option<String>,
    fix: Option<String>,
    span: Option<(usize, usize)>,
    line: Option<u64>,
}

impl Refusal {
    /// Reads an answer's body, whatever it is.
    pub(super) fn read(status: u16, retry_after: Option<u64>, body: &str) -> Self {
        let problem: Problem = serde_json::from_str(body).unwrap_or_default();
        let detail = problem.detail.unwrap_or_else(|| body.chars().take(200).collect());
        let detail = match problem.line {
            Some(line) => format!("line {line}: {detail}"),
            None => detail,
        };
        Self {
            status,
            retry_after,
            detail,
            hint: problem.hint,
            fix: problem.fix,
            span: problem.span,
            query: None,
        }
    }

    /// The same, knowing the query that was sent: its position is then shown.
    pub(super) fn of(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.trim().is_empty() {
            write!(f, "the server answered {}", self.status)?;
        } else {
            f.write_str(&neutralise(&self.detail))?;
        }
        if let (Some(query), Some(span)) = (&self.query, self.span) {
            f.write_str(&point_at(query, span))?;
        }
        for (label, text) in [("hint", &self.hint), ("try", &self.fix)] {
            if let Some(text) = text {
                write!(f, "\n  {label}: {}", neutralise(text))?;
            }
        }
        if self.status == 401 {
            f.write_str("\n  hint: name a file with a token by --token-file, or set LOCARD_TOKEN")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// The line of the query that holds the position, and a caret for every character of the span.
fn point_at(query: &str, (start, end): (usize, usize)) -> String {
    let start = floor(query, start);
    let line_start = query.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = query.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let before = query.get(line_start..start).unwrap_or_default().chars().count();
    let spanned = query.get(start..floor(query, end.max(start))).unwrap_or_default();
    let carets = spanned.lines().next().unwrap_or_default().chars().count().max(1);
    format!("\n  {}\n  {}{}", neutralise(line), " ".repeat(before), "^".repeat(carets))
}

/// The character boundary at or before a byte position.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(query: &str, body: &str, expected: &str) {
        assert_eq!(Refusal::read(400, None, body).of(query).to_string(), expected);
    }

    #[test]
    fn a_syntax_error_shows_where() {
        check(
            "level:error AND (host",
            r#"{"detail":"this group is not closed","span":[16,17],"hint":"add `)`","fix":"level:error AND (host)"}"#,
            "this group is not closed\n  level:error AND (host\n                  ^\n  hint: add `)`\n  try: level:error AND (host)",
        );
        check("é é x", r#"{"detail":"d","span":[3,5]}"#, "d\n  é é x\n    ^");
        check("one\ntwo", r#"{"detail":"d","span":[7,7]}"#, "d\n  two\n     ^");
        check("x", r#"{"detail":"d","span":[90,99]}"#, "d\n  x\n   ^");
    }

    #[test]
    fn other_refusals_say_what_the_server_says() {
        check("x", r#"{"detail":"too many"}"#, "too many");
        check("x", "plain \u{1b}[31mtext", "plain ␛[31mtext");
        check("x", "", "the server answered 400");
        check("x", r#"{"detail":"bad","line":3}"#, "line 3: bad");
    }
}
