//! [`Seal`]: counts and digests what is handed over, so that whoever receives it can tell whether it is all there.

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Most different reasons that are told.
const MAX_REASONS: usize = 8;

/// What is known of what was handed over so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seal {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    digest: Sha256,
    incomplete: Vec<String>,
    inexact: Option<String>,
    /// Where one can go on.
    pub(crate) cursor: Option<String>,
}

/// What is said of something that was handed over.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) incomplete_because: Option<String>,
    pub(crate) inexact_because: Option<String>,
    pub(crate) cursor: Option<String>,
}

impl Seal {
    pub(crate) fn take_in(&mut self, pieces: &[Bytes]) {
        for piece in pieces {
            self.digest.update(piece);
            self.bytes += piece.len() as u64;
        }
    }

    /// Notes why something is missing. The same reason may come with every page.
    pub(crate) fn lacks(&mut self, because: &str) {
        if self.incomplete.len() < MAX_REASONS && !self.incomplete.iter().any(|known| known == because) {
            self.incomplete.push(because.to_owned());
        }
    }

    /// Notes why a number is an estimate.
    pub(crate) fn estimates(&mut self, because: &str) {
        self.inexact.get_or_insert_with(|| because.to_owned());
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let hex = self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Verdict {
            count: self.count,
            bytes: self.bytes,
            sha256: hex,
            incomplete_because: (!self.incomplete.is_empty()).then(|| self.incomplete.join("; ")),
            inexact_because: self.inexact.clone(),
            cursor: self.cursor.clone(),
        }
    }
}

impl Verdict {
    /// What a file can say of itself: all but its own bytes.
    pub(super) fn said(&self) -> [(&'static str, Option<String>); 5] {
        [
            ("count", Some(self.count.to_string())),
            ("complete", Some(self.incomplete_because.is_none().to_string())),
            ("incomplete_because", self.incomplete_because.clone()),
            ("inexact_because", self.inexact_because.clone()),
            ("cursor", self.cursor.clone()),
        ]
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "count": self.count,
            "complete": self.incomplete_because.is_none(),
            "incomplete_because": self.incomplete_because,
            "inexact_because": self.inexact_because,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "cursor": self.cursor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_all_pieces() {
        let mut seal = Seal::default();
        seal.take_in(&[Bytes::from_static(b"he"), Bytes::from_static(b"llo")]);
        seal.lacks("a");
        seal.lacks("b");
        seal.lacks("a");
        let verdict = seal.verdict();
        assert_eq!(verdict.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        assert_eq!((verdict.bytes, verdict.incomplete_because.as_deref()), (5, Some("a; b")));
    }
}
