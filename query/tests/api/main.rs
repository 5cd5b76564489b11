//! The HTTP API over a real indexer in a temporary directory: no sockets, no stubs.
#![expect(unreachable_pub, reason = "a test crate has no readers outside")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests state data and may panic"
)]

mod context;
mod description;
mod documents;
mod entity;
mod explain;
mod export;
mod faces;
mod fields;
mod holds;
mod isolation;
mod lines;
mod manual;
mod paging;
mod parquet;
mod pipes;
mod pushdown;
mod requests;
mod server;
mod stages;
mod tail;
mod truth;
