//! [`ItemFault`]: why a document, or a whole body, is refused, in Elasticsearch's words.

use super::action::Action;
use crate::delivery::Error;

/// Longest piece of a name or an id that is shown in a reason.
const SHOWN_CHARS: usize = 128;

/// Why one document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFault {
    /// As HTTP has it.
    pub status: u16,
    /// Elasticsearch's name of it.
    pub kind: &'static str,
    /// In words.
    pub reason: String,
}

impl ItemFault {
    pub(super) fn new(kind: &'static str, reason: String) -> Self {
        Self { status: 400, kind, reason }
    }

    /// There is a document of this id.
    pub(crate) fn conflict(id: &str) -> Self {
        let reason = format!(
            "[{}]: version conflict, document already exists (current version [1]); events are never changed",
            shown(id)
        );
        Self { status: 409, kind: "version_conflict_engine_exception", reason }
    }

    /// Nothing is done with what is there already.
    pub(super) fn unsupported(action: Action) -> Self {
        let reason = format!("events are never changed: [{}] is not supported", action.name());
        Self::new("illegal_argument_exception", reason)
    }
}

/// The whole body is refused.
pub(super) fn malformed(line: Option<u64>, reason: String) -> Error {
    Error::Malformed { line, reason }
}

/// What is shown of a name or an id.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect::<String>().escape_debug().to_string()
}
