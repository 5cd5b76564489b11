//! [`normalise`]: what a line says, as ECS fields.

use locard_event::{Event, Timestamp};

/// What is known besides the line.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// When the line was received: gives a year to RFC 3164 times, and a time to lines that have none.
    pub received: Timestamp,
    /// `event.time` was given by the source (a runtime's envelope, an OTLP time); a time in the line does not replace it.
    pub time_known: bool,
}

/// Reads the message of `event` by its dataset and its looks, and adds fields; those already there win. Never fails: what no
/// format fits stays a line; what looks like a format and is broken gets `error.message`.
pub fn normalise(_event: &mut Event, _context: Context) {}
