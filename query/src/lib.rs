//! The query server and the `locard` binary: search, pipes, the HTTP API, serving, the command line.

pub mod api;
pub mod cli;
pub mod config;
pub mod demo;
pub(crate) mod es;
mod export;
mod json;
pub mod pipe;
pub mod search;
pub mod serve;

/// The wall clock. Only the edges ask it; everything else is told the time.
pub(crate) fn now() -> locard_event::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    locard_event::Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
