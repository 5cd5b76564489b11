//! The collector against a small indexer of the tests' own: what arrives is compared with what was written, line by line.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic, helpers included"
)]

mod binary;
mod containers;
mod files;
mod indexer;
mod journal;
mod node;
mod restarts;
mod shipping;
mod tls;
