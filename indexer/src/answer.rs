//! The answer to a delivery as JSON: what `/ingest/ndjson` sends, and, with more, what is kept for a repeat of the batch.

use locard_wire::{Ack, Rejected};
use serde::{Deserialize, Serialize};

/// `{"accepted":N,"rejected":[{"line":3,"reason":"…"}]}`, with `rejected_count` where the list does not hold all of them.
#[derive(Serialize, Deserialize)]
struct Answer {
    /// Kept only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    /// Kept only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<u64>,
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

/// The answer as JSON text, as a sender gets it.
pub(crate) fn print(ack: &Ack) -> String {
    write(ack, None, Vec::new())
}

/// The answer as it is kept.
pub(crate) fn keep(ack: &Ack) -> String {
    write(ack, ack.first, ack.conflicts.clone())
}

/// A kept answer that lacks the number of its first event, with it.
pub(crate) fn with_first(kept: &str, first: u64) -> String {
    kept.replacen('{', &format!("{{\"first\":{first},"), 1)
}

fn write(ack: &Ack, first: Option<u64>, conflicts: Vec<u64>) -> String {
    let rejected: Vec<_> =
        ack.rejected.iter().map(|r| Line { line: r.line, reason: r.reason.clone() }).collect();
    let rejected_count = Some(ack.rejected_count).filter(|count| *count != rejected.len() as u64);
    let accepted = ack.accepted;
    serde_json::to_string(&Answer { first, conflicts, accepted, rejected, rejected_count })
        .unwrap_or_default()
}

/// Reads what [`keep`] or [`print`] wrote; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Ack> {
    let answer: Answer = serde_json::from_str(text).ok()?;
    let rejected: Vec<_> = answer
        .rejected
        .iter()
        .map(|line| Rejected { line: line.line, reason: line.reason.clone() })
        .collect();
    let rejected_count = answer.rejected_count.unwrap_or(rejected.len() as u64);
    let Answer { first, conflicts, accepted, .. } = answer;
    Some(Ack { accepted, rejected, rejected_count, repeated: false, first, conflicts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_round_trips() {
        let rejected = vec![Rejected { line: 3, reason: "no \"object\"".into() }];
        let mut ack = Ack { accepted: 2, rejected, rejected_count: 1, ..Ack::default() };
        assert_eq!(print(&ack), r#"{"accepted":2,"rejected":[{"line":3,"reason":"no \"object\""}]}"#);
        assert_eq!(parse(&print(&ack)), Some(ack.clone()));
        ack.rejected_count = 8;
        assert!(print(&ack).ends_with(r#","rejected_count":8}"#));
        assert_eq!(parse(&print(&ack)), Some(ack));
        assert_eq!(parse("{}"), None);
        let kept = with_first(&keep(&Ack { conflicts: vec![5], ..Ack::default() }), 7);
        assert_eq!(parse(&kept), Some(Ack { first: Some(7), conflicts: vec![5], ..Ack::default() }));
    }
}
