//! [`Told`]: what is said on standard error beside an answer: that it is not all, that it is an estimate, what the query is likely to be wrong
//! about, what it cost. The answer itself does not depend on whether anybody reads this.

use std::io::Write;

use super::super::Outcome;
use super::super::output::neutralise;
use super::ask::{Answer, Matched, Scanned, Warning};

/// What was said, and what is known of the whole search.
#[derive(Default)]
pub(super) struct Told {
    pages: u64,
    printed: usize,
    partial: bool,
    matched: Option<Matched>,
    took_ms: u64,
    scanned: Scanned,
}

impl Told {
    /// Takes note of a page, and says what is to be said of it.
    pub(super) fn page(&mut self, out: &mut impl Write, answer: &Answer) {
        // Every page has the warnings of the same query.
        if self.pages == 0 {
            answer.warnings.iter().for_each(|warning| warn(out, warning));
            self.matched = answer.matched;
        }
        let inexact = answer.table.as_ref().and_then(|table| table.inexact_because.as_ref());
        for (what, because) in [("incomplete", answer.incomplete_because.as_ref()), ("inexact", inexact)] {
            if let Some(because) = because {
                writeln!(out, "locard: {what}: {}", neutralise(because)).unwrap_or_default();
            }
        }
        self.pages += 1;
        self.printed += answer.events.len() + answer.table.as_ref().map_or(0, |table| table.rows.len());
        self.partial |= answer.incomplete_because.is_some();
        self.took_ms += answer.took_ms;
        self.scanned.splits = self.scanned.splits.max(answer.scanned.splits);
        self.scanned.events += answer.scanned.events;
        self.scanned.bytes += answer.scanned.bytes;
    }

    /// Says that something is missing which no answer said.
    pub(super) fn incomplete(&mut self, out: &mut impl Write, because: &str) {
        writeln!(out, "locard: incomplete: {}", neutralise(because)).unwrap_or_default();
        self.partial = true;
    }

    /// How the command ends. Nothing in a part of the events is not nothing.
    pub(super) fn outcome(&self, found: bool) -> Outcome {
        match (found, self.partial) {
            (true, _) => Outcome::Found,
            (false, true) => Outcome::Unknown,
            (false, false) => Outcome::Nothing,
        }
    }

    /// Says what the search found and cost.
    pub(super) fn cost(&self, out: &mut impl Write) {
        let matched = match self.matched {
            Some(Matched { value, exact: true }) => format!("{value} events matched"),
            Some(Matched { value, exact: false }) => format!("at least {value} events matched"),
            None => "how many events matched is not known".to_owned(),
        };
        let Scanned { splits, events, bytes } = self.scanned;
        writeln!(
            out,
            "locard: {matched}, {} printed; {} ms in {} requests; looked at {splits} splits, {events} events, {bytes} bytes",
            self.printed, self.took_ms, self.pages
        )
        .unwrap_or_default();
    }
}

fn warn(out: &mut impl Write, warning: &Warning) {
    let mut text = format!("locard: warning: {}", neutralise(&warning.message));
    for (label, line) in [("hint", &warning.hint), ("try", &warning.fix)] {
        if let Some(line) = line {
            text.push_str(&format!("\n  {label}: {}", neutralise(line)));
        }
    }
    writeln!(out, "{text}").unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(pages: &[Value], expected: Expect) {
        let (mut told, mut out) = (Told::default(), Vec::new());
        for page in pages {
            told.page(&mut out, &serde_json::from_str(&page.to_string()).unwrap());
        }
        told.cost(&mut out);
        expected.assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn what_is_not_all_or_not_exact_is_said_to_be_so() {
        let table = json!({"columns": ["n"], "rows": [[7]], "inexact_because": "dc(\u{1b}) is an estimate"});
        check(
            &[json!({"table": table, "incomplete_because": "too late"})],
            expect![[r#"
                locard: incomplete: too late
                locard: inexact: dc(␛) is an estimate
                locard: how many events matched is not known, 1 printed; 0 ms in 1 requests; looked at 0 splits, 0 events, 0 bytes
            "#]],
        );
    }

    #[test]
    fn warnings_are_said_once_with_the_fix_and_costs_are_added_up() {
        let warning =
            json!({"message": "no event has a field `usr`", "hint": "did you mean `user`?", "fix": "user:a"});
        let page = json!({"events": [{}], "warnings": [warning], "matched": {"value": 2, "exact": true},
            "took_ms": 3, "scanned": {"splits": 2, "events": 5, "bytes": 10}});
        check(
            &[page.clone(), page],
            expect![[r#"
                locard: warning: no event has a field `usr`
                  hint: did you mean `user`?
                  try: user:a
                locard: 2 events matched, 2 printed; 6 ms in 2 requests; looked at 2 splits, 10 events, 20 bytes
            "#]],
        );
    }

    #[test]
    fn nothing_in_a_part_is_not_nothing() {
        let mut told = Told::default();
        assert_eq!(told.outcome(false), Outcome::Nothing);
        told.incomplete(&mut Vec::new(), "x");
        assert_eq!(told.outcome(false), Outcome::Unknown);
        assert_eq!(told.outcome(true), Outcome::Found);
    }
}
