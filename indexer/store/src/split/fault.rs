//! [`Fault`]: why a split cannot be read, before anyone knows which split it was.

use std::io;

use super::bytes::Malformed;
use crate::{Error, Stop};
use locard_filter::SyntaxError;

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// Why a split cannot be read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The bytes are not what was written.
    Corrupt(String),
    /// The operating system refused.
    Io(io::Error),
    /// The search was told to stop.
    Stopped(Stop),
    /// The filter cannot be compiled.
    Filter(SyntaxError),
}

impl Fault {
    /// The same for the caller. `corruption` is what the object itself has noticed, which explains errors of the index.
    pub(crate) fn of_split(self, split: uuid::Uuid, corruption: Option<String>) -> Error {
        match (self, corruption) {
            (Self::Stopped(stop), _) => stop.into(),
            (Self::Filter(error), _) => error.into(),
            (_, Some(reason)) | (Self::Corrupt(reason), None) => Error::Corrupt { split, reason },
            (Self::Io(source), None) if source.kind() == io::ErrorKind::NotFound => Error::NotFound,
            (Self::Io(source), None) => Error::io("reading a split", source),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Corrupt("it ends too early".into()),
            _ => Self::Io(error),
        }
    }
}

impl From<Malformed> for Fault {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

impl From<SyntaxError> for Fault {
    fn from(error: SyntaxError) -> Self {
        Self::Filter(error)
    }
}
