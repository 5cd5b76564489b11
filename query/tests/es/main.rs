//! The Elasticsearch API over a real indexer in a temporary directory.
#![expect(unreachable_pub, reason = "a test crate has no readers outside")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests state data and may panic"
)]

mod aggregations;
mod documents;
mod dsl;
mod fields;
mod paging;
mod queries;
mod security;
#[path = "../api/server.rs"]
#[allow(dead_code, reason = "shared with the tests of the other face")]
mod server;
