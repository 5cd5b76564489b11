//! The answer to a delivery as JSON: what `/ingest/ndjson` sends, and what is kept for a repeat of the batch.

use locard_wire::{Ack, Rejected};
use serde::{Deserialize, Serialize};

/// `{"accepted":N,"rejected":[{"line":3,"reason":"…"}]}`.
#[derive(Serialize, Deserialize)]
struct Answer {
    accepted: u64,
    rejected: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    line: u64,
    reason: String,
}

/// The answer as JSON text.
pub(crate) fn print(ack: &Ack) -> String {
    let rejected = ack.rejected.iter().map(|r| Line { line: r.line, reason: r.reason.clone() }).collect();
    serde_json::to_string(&Answer { accepted: ack.accepted, rejected }).unwrap_or_default()
}

/// Reads what [`print`] wrote; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Ack> {
    let answer: Answer = serde_json::from_str(text).ok()?;
    let rejected =
        answer.rejected.into_iter().map(|line| Rejected { line: line.line, reason: line.reason }).collect();
    Some(Ack { accepted: answer.accepted, rejected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_round_trips() {
        let rejected = vec![Rejected { line: 3, reason: "no \"object\"".into() }];
        let ack = Ack { accepted: 2, rejected };
        assert_eq!(print(&ack), r#"{"accepted":2,"rejected":[{"line":3,"reason":"no \"object\""}]}"#);
        assert_eq!(parse(&print(&ack)), Some(ack));
        assert_eq!(parse("{}"), None);
    }
}
