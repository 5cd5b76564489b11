//! Splits, the catalog and blobs. The only crate that knows their formats, SQL, or a blob store.
//!
//! A *split* is an immutable, searchable set of events of one partition; the *catalog* says which splits there are and how far
//! they cover the write-ahead log. This crate does not know how events arrive, and nothing of HTTP or pipes.

mod blob;
mod catalog;
mod class;
mod control;
mod error;
mod split;
mod store;

pub use catalog::{
    BatchRow, Catalog, Document, Hold, IdRange, IdRow, MAX_DOCUMENTS, Partition, Publication, Release,
};
pub use class::Class;
pub use control::{Control, Stop};
pub use error::Error;
pub use split::{
    First, GroupKey, Having, KeyFilter, Order, PatternRow, Position, Request, Row, Rows, Split, SplitMeta,
    Top, Write, pattern_of,
};
pub use store::{Settings, Store};

#[cfg(test)]
mod testing;
