//! Why a command failed.

use std::io;
use std::path::PathBuf;

use super::problem::Refusal;
use crate::config::Invalid;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system gave no threads.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    WriteFile {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("cannot write the result")]
    Write(#[from] io::Error),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] Invalid),
    /// The server cannot run.
    #[error(transparent)]
    Serve(#[from] crate::serve::Error),
    /// The server cannot be reached, or hung up.
    #[error("cannot reach {url}")]
    Connect {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The server said no.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// The server answered what no server of this version does.
    #[error("the answer of {url} cannot be read: {reason}")]
    Answer {
        /// Where.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server took the others of a file's events, but not these.
    #[error("{events} of {}'s events were refused: {because}", path.display())]
    Rejected {
        /// Which file.
        path: PathBuf,
        /// How many.
        events: u64,
        /// Why, in the server's words, the first of them.
        because: String,
    },
    /// The server will not go on with a tail.
    #[error("the tail ended: {0}")]
    TailEnded(String),
    /// Asked for what does not exist yet.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The arguments do not make sense together.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// The same, knowing the query that was sent: a refusal then shows where in it.
    pub(super) fn of_query(self, query: &str) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(Box::new(refusal.of(query))),
            other => other,
        }
    }
}
