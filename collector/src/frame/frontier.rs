//! [`Frontier`]: what is unfinished at an offset. Kept in the state, so its JSON is a format on disk.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use locard_event::Timestamp;
use locard_parse::frame::Iostream;
use serde::{Deserialize, Serialize};

/// What is unfinished at an offset: together they say how reading goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Frontier {
    /// Start of the raw line whose middle the offset is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line_start: Option<u64>,
    /// Lines of which only parts were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pending: Vec<Pending>,
}

/// Start, end, and start of the raw line it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece(pub u64, pub u64, pub u64);

/// A line of which only parts were read: where they are, not what they say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// `stdout`, `stderr`, or nothing for plain lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) iostream: Option<String>,
    /// Its beginning went out already, cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continuation: bool,
    /// The parts in this file.
    pub(crate) pieces: Vec<Piece>,
    /// The part that ended the previous generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carried: Option<Carried>,
}

/// The beginning of a line whose end is in the next generation of its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// `stdout` or `stderr`.
    pub(crate) iostream: String,
    /// Nanoseconds since the epoch.
    pub(crate) time: i64,
    /// The bytes in base64: at most `max_line_bytes`, and rare.
    pub(crate) content: String,
    /// Its beginning went out already, cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) continuation: bool,
}

impl Carried {
    pub(super) fn new(iostream: Iostream, time: Timestamp, content: &[u8], continuation: bool) -> Self {
        let content = BASE64.encode(content);
        Self { iostream: iostream.name().to_owned(), time: time.nanos(), content, continuation }
    }

    /// The bytes. The state is checksummed, so text that is no base64 was written by someone else: nothing.
    pub(super) fn bytes(&self) -> Vec<u8> {
        BASE64.decode(&self.content).unwrap_or_default()
    }
}

pub(super) fn iostream(name: Option<&str>) -> Option<Iostream> {
    match name {
        Some("stdout") => Some(Iostream::Stdout),
        Some("stderr") => Some(Iostream::Stderr),
        _ => None,
    }
}

impl Frontier {
    /// A frontier at the start of a file whose previous generation ended in the middle of lines.
    pub(crate) fn carrying(carried: Vec<Carried>) -> Self {
        let pending = carried.into_iter().map(|carried| Pending {
            iostream: Some(carried.iostream.clone()),
            continuation: carried.continuation,
            pieces: Vec::new(),
            carried: Some(carried),
        });
        Self { line_start: None, pending: pending.collect() }
    }

    /// Whether there are parts of lines that were not sent yet.
    pub(crate) fn has_parts(&self) -> bool {
        self.pending.iter().any(|pending| !pending.pieces.is_empty() || pending.carried.is_some())
    }

    /// Whether nothing is unfinished.
    pub(crate) fn is_clean(&self) -> bool {
        self.line_start.is_none() && self.pending.is_empty()
    }
}
