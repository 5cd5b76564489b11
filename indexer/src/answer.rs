//! The answer to a delivery as JSON: what `/ingest/ndjson` sends, and what is kept for a repeat of the batch.

use locard_wire::{Ack, Rejected};
use serde::{Deserialize, Serialize};

/// `{"accepted":N,"rejected":[{"line":3,"reason":"…"}]}`, with `rejected_count` where the list does not hold all of them.
#[derive(Serialize, Deserialize)]
struct Answer {
    accepted: u64,
    rejected: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejected_count: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    line: u64,
    reason: String,
}

/// The answer as JSON text.
pub(crate) fn print(ack: &Ack) -> String {
    let rejected: Vec<_> =
        ack.rejected.iter().map(|r| Line { line: r.line, reason: r.reason.clone() }).collect();
    let rejected_count = Some(ack.rejected_count).filter(|count| *count != rejected.len() as u64);
    serde_json::to_string(&Answer { accepted: ack.accepted, rejected, rejected_count }).unwrap_or_default()
}

/// Reads what [`print`] wrote; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Ack> {
    let answer: Answer = serde_json::from_str(text).ok()?;
    let rejected: Vec<_> =
        answer.rejected.into_iter().map(|line| Rejected { line: line.line, reason: line.reason }).collect();
    let rejected_count = answer.rejected_count.unwrap_or(rejected.len() as u64);
    Some(Ack { accepted: answer.accepted, rejected, rejected_count, repeated: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_round_trips() {
        let rejected = vec![Rejected { line: 3, reason: "no \"object\"".into() }];
        let mut ack = Ack { accepted: 2, rejected, rejected_count: 1, repeated: false };
        assert_eq!(print(&ack), r#"{"accepted":2,"rejected":[{"line":3,"reason":"no \"object\""}]}"#);
        assert_eq!(parse(&print(&ack)), Some(ack.clone()));
        ack.rejected_count = 8;
        assert!(print(&ack).ends_with(r#","rejected_count":8}"#));
        assert_eq!(parse(&print(&ack)), Some(ack));
        assert_eq!(parse("{}"), None);
    }
}
