//! Envelopes that a runtime puts around an application's line, and joining the parts of long lines.
//!
//! Does not know files: whoever reads one passes lines without their line end, and the offset each line began at.

mod cri;
mod docker;
mod joiner;
mod journald;

use std::borrow::Cow;

use locard_event::Timestamp;

pub use cri::cri;
pub use docker::docker;
pub use joiner::{Joined, Joiner};
pub use journald::{JournalEntry, journald};

/// One line out of its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed<'a> {
    /// When the runtime saw it.
    pub time: Timestamp,
    /// `stdout` or `stderr`.
    pub iostream: Iostream,
    /// A further part of the same line follows (`P` in CRI; docker: no line end in `log`).
    pub partial: bool,
    /// The application's bytes, without line end.
    pub content: Cow<'a, [u8]>,
}

/// Which of the two standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Iostream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Iostream {
    /// Both, in order.
    pub const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    /// `stdout` or `stderr`, the value of `log.iostream`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// From its name.
    pub fn parse(name: &[u8]) -> Option<Self> {
        match name {
            b"stdout" => Some(Self::Stdout),
            b"stderr" => Some(Self::Stderr),
            _ => None,
        }
    }
}
