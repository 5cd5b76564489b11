//! [`Error`]: why the store could not do what was asked, by what the caller can do about it.

use std::io;

use crate::Stop;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The disk is full: free some space, or let retention do it.
    #[error("no space left")]
    NoSpace,
    /// Another process uses the store.
    #[error("another process uses the store")]
    Busy,
    /// An object's bytes are not what was written.
    #[error("split {split} is corrupt: {reason}")]
    Corrupt {
        /// Name of the split.
        split: uuid::Uuid,
        /// What does not fit.
        reason: String,
    },
    /// The search was told to stop.
    #[error(transparent)]
    Stopped(#[from] Stop),
    /// The filter cannot be compiled.
    #[error(transparent)]
    Filter(#[from] locard_filter::SyntaxError),
    /// The operating system refused.
    #[error("{context}")]
    Io {
        /// What was being done.
        context: String,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The catalog refused.
    #[error("the catalog failed")]
    Catalog(#[source] sqlx::Error),
    /// A part of the store contradicts another one.
    #[error("{0}")]
    Conflict(String),
}

/// SQLite's `SQLITE_FULL`.
const SQLITE_FULL: &str = "13";

impl Error {
    /// An error of the operating system while doing `context`.
    pub(crate) fn io(context: impl Into<String>, source: io::Error) -> Self {
        if is_no_space(&source) { Self::NoSpace } else { Self::Io { context: context.into(), source } }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let is_full =
            error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(SQLITE_FULL));
        if is_full || is_no_space(&error) { Self::NoSpace } else { Self::Catalog(error) }
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::NotFound,
            other if is_no_space(&other) => Self::NoSpace,
            other => Self::Io { context: "using the blob store".into(), source: io::Error::other(other) },
        }
    }
}

/// Whether a full disk is at the bottom of `error`.
pub(crate) fn is_no_space(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let source = error.downcast_ref::<io::Error>();
        if source.is_some_and(|error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        }) {
            return true;
        }
        // An `io::Error` that wraps another one hides it from `source`.
        let wrapped =
            source.and_then(io::Error::get_ref).map(|inner| inner as &(dyn std::error::Error + 'static));
        next = wrapped.or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> io::Error {
        io::Error::from_raw_os_error(28)
    }

    #[test]
    fn a_full_disk_is_told_through_every_layer() {
        assert!(matches!(Error::io("x", full()), Error::NoSpace));
        assert!(matches!(Error::io("x", io::Error::other(full())), Error::NoSpace));
        assert!(matches!(Error::from(sqlx::Error::Io(full())), Error::NoSpace));
        assert!(matches!(Error::io("x", io::Error::from_raw_os_error(5)), Error::Io { .. }));
    }
}
