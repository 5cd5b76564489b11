//! [`BatchId`] and [`Ack`].

use std::fmt;
use std::str::FromStr;

/// Names a batch so that a repeat is harmless: a source and the range of its offsets, `source/first-last`.
///
/// `source` is 1 to 256 visible ASCII bytes and may itself contain `/`; the last `/` separates.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BatchId {
    /// Who counts the offsets.
    pub source: Box<str>,
    /// First offset in the batch.
    pub first: u64,
    /// Last offset in the batch (for byte ranges: one past the end).
    pub last: u64,
}

/// The text was not `source/first-last` with `first <= last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a batch id looks like source/first-last, with first not above last and a source of 1 to 256 visible ASCII bytes"
)]
pub struct ParseBatchIdError;

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}-{}", self.source, self.first, self.last)
    }
}

impl FromStr for BatchId {
    type Err = ParseBatchIdError;

    fn from_str(text: &str) -> Result<Self, ParseBatchIdError> {
        let (source, range) = text.rsplit_once('/').ok_or(ParseBatchIdError)?;
        let (first, last) = range.split_once('-').ok_or(ParseBatchIdError)?;
        // `parse` alone takes a sign.
        let number = |digits: &str| match digits.bytes().all(|b| b.is_ascii_digit()) {
            true => digits.parse::<u64>().map_err(|_| ParseBatchIdError),
            false => Err(ParseBatchIdError),
        };
        let (first, last) = (number(first)?, number(last)?);
        let visible = source.bytes().all(|b| b.is_ascii_graphic());
        if source.is_empty() || source.len() > 256 || !visible || first > last {
            return Err(ParseBatchIdError);
        }
        Ok(Self { source: source.into(), first, last })
    }
}

/// What an indexer answers once a batch is durable and searchable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// How many events were accepted.
    pub accepted: u64,
    /// Lines that were refused, with the reason; the others were accepted.
    pub rejected: Vec<Rejected>,
    /// How many were refused in all; the list may hold fewer of them.
    pub rejected_count: u64,
    /// Whether this is the answer that an earlier batch of the same name got: nothing was added now.
    pub repeated: bool,
    /// Sequence number of the first event accepted; the others follow without a gap.
    pub first: Option<u64>,
    /// Documents refused because there was one of their id: bit n % 64 of number n / 64 stands for document n, from 0.
    pub conflicts: Vec<u64>,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// 1-based number of the line in the body.
    pub line: u64,
    /// Why.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in ["a/0-0", "node-1/var/log/x.log/7-4096", "5f1d/0-18446744073709551615"] {
            assert_eq!(text.parse::<BatchId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_batch_id_is_refused() {
        let long = format!("{}/0-1", "a".repeat(257));
        for text in [
            "", "a", "/0-1", "a/1-0", "a/-1", "a/1-", "a/+1-2", "a/0x1-2", "a b/0-1", "é/0-1", "a/0-1-2",
            &long,
        ] {
            assert_eq!(text.parse::<BatchId>(), Err(ParseBatchIdError), "{text}");
        }
        assert!("a/0-18446744073709551616".parse::<BatchId>().is_err());
    }
}
