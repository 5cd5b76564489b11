//! The query server and the `locard` binary: search, pipes, the HTTP API, serving, the command line.

pub mod api;
pub mod pipe;
pub mod search;
