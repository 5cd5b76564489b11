//! Envelopes that a runtime puts around an application's line.

use locard_event::Timestamp;

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
    pub content: std::borrow::Cow<'a, [u8]>,
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
    /// `stdout` or `stderr`, the value of `log.iostream`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Reads one CRI line (`2026-03-01T12:00:00.1+01:00 stdout F text`), without its line end. `None`: not CRI.
pub fn cri(_line: &[u8]) -> Option<Framed<'_>> {
    None
}

/// Reads one docker json-file line. `None`: not that format.
pub fn docker(_line: &[u8]) -> Option<Framed<'_>> {
    None
}
