//! [`Coverage`]: what a search looked at, and what it could not.

use locard_indexer::View;
use locard_store::{Error, Stop};

use super::part::Part;

/// What a search looked at, and what it could not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    /// Splits looked into.
    pub(crate) splits: u64,
    /// Events looked at one by one.
    pub(crate) events: u64,
    /// Bytes read to do so.
    pub(crate) bytes: u64,
    /// Parts left out, or left half done, because the deadline passed.
    late: u64,
    /// Splits that could not be read, the first few by name.
    unreadable: Vec<String>,
    unreadable_more: u64,
    /// Other things left out, in words.
    omitted: Vec<String>,
}

/// How many unreadable splits are named.
const NAMED: usize = 3;

impl Coverage {
    /// Notes the splits that a view knows of and does not have.
    pub(crate) fn lacks(&mut self, view: &View) {
        for (split, reason) in &view.unreadable {
            tracing::warn!(%split, reason, "search.scan left out an unreadable split");
            self.name_unreadable(split.to_string());
        }
    }

    /// Notes how the work on a part ended.
    pub(crate) fn note(&mut self, part: &Part, done: Result<(), Error>) {
        let split = match part {
            Part::Hot(_) => None,
            Part::Split(split) => Some(split.meta().id),
        };
        match done {
            Ok(()) => self.splits += u64::from(split.is_some()),
            Err(Error::Stopped(Stop::Deadline | Stop::Cancelled)) => self.late += 1,
            Err(error) => {
                let name = split.map_or_else(|| "hot".to_owned(), |id| id.to_string());
                tracing::error!(split = name, %error, "search.scan cannot read a split");
                self.name_unreadable(name);
            }
        }
    }

    /// Notes parts that the deadline left out.
    pub(crate) fn late(&mut self, parts: usize) {
        self.late += parts as u64;
    }

    /// Adds what another scan of the same run lacked. What it cost is the run's, so the later number holds.
    pub(crate) fn add(&mut self, other: &Self) {
        self.splits = self.splits.max(other.splits);
        self.events = other.events;
        self.bytes = other.bytes;
        self.late = self.late.max(other.late);
        if self.unreadable.len() < other.unreadable.len() {
            self.unreadable.clone_from(&other.unreadable);
            self.unreadable_more = other.unreadable_more;
        }
        self.omitted.extend(other.omitted.iter().cloned());
    }

    /// Notes something else that was left out, in words.
    pub(crate) fn omit(&mut self, what: impl Into<String>) {
        self.omitted.push(what.into());
    }

    /// Whether every part was looked at.
    pub(crate) fn saw_everything(&self) -> bool {
        self.late == 0 && self.unreadable.is_empty()
    }

    /// Whether something was left out because the deadline passed.
    pub(crate) fn is_late(&self) -> bool {
        self.late > 0
    }

    /// Why the answer is not complete; nothing if it is.
    pub(crate) fn because(&self) -> Option<String> {
        let mut reasons = self.omitted.clone();
        if self.late > 0 {
            reasons.push(format!("the deadline passed with {} left to search", plural(self.late, "part")));
        }
        if !self.unreadable.is_empty() {
            let count = self.unreadable.len() as u64 + self.unreadable_more;
            let names = self.unreadable.join(", ");
            let and_more = if self.unreadable_more > 0 { ", …" } else { "" };
            reasons.push(format!("{} could not be read: {names}{and_more}", plural(count, "split")));
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn name_unreadable(&mut self, name: String) {
        if self.unreadable.len() < NAMED {
            self.unreadable.push(name);
        } else {
            self.unreadable_more += 1;
        }
    }
}

fn plural(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_left_out_is_complete_and_everything_else_is_said() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.because(), None);
        coverage.note(&Part::Hot(Vec::new()), Err(Error::Stopped(Stop::Deadline)));
        for n in 0..5u128 {
            let view =
                View { unreadable: vec![(uuid::Uuid::from_u128(n), "gone".into())], ..View::default() };
            coverage.lacks(&view);
        }
        let because = coverage.because().unwrap();
        assert!(because.starts_with("the deadline passed with 1 part left to search; 5 splits"), "{because}");
        assert!(because.ends_with("-000000000002, …"), "{because}");
        assert!(!coverage.saw_everything());
    }
}
