//! [`EventId`]: the permanent name of an event.

use std::fmt;
use std::str::FromStr;

/// The permanent link, export cursor, context order and evidence leaf of one event.
///
/// The sequence is gapless per partition and given when the event is accepted. A partition belongs to one
/// tenant. Text form: `partition-sequence`, both decimal, as in `0-184467`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Which sequence this is, one per tenant on a single node.
    pub partition: u32,
    /// Position in the partition, from 0, without gaps.
    pub sequence: u64,
}

impl EventId {
    /// An id from its two parts.
    pub const fn new(partition: u32, sequence: u64) -> Self {
        Self { partition, sequence }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.partition, self.sequence)
    }
}

/// The text was not `partition-sequence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseIdError;

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event id looks like 0-184467")
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let (partition, sequence) = text.split_once('-').ok_or(ParseIdError)?;
        if !is_digits(partition) || !is_digits(sequence) {
            return Err(ParseIdError);
        }
        Ok(Self {
            partition: partition.parse().map_err(|_| ParseIdError)?,
            sequence: sequence.parse().map_err(|_| ParseIdError)?,
        })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_rejects_everything_else() {
        let id = EventId::new(3, 184_467);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "-", "0-", "-1", "0--1", "+0-1", "0-1-2", "0-99999999999999999999"] {
            assert_eq!(bad.parse::<EventId>(), Err(ParseIdError), "{bad}");
        }
    }
}
