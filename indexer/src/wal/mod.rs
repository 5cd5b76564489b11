//! The write-ahead log: what was accepted and is not yet in a split, as it was received.
//!
//! `docs/formats/wal.md` describes the bytes. One thread writes: it takes all batches that wait, gives them their sequence numbers,
//! writes and syncs them together (group commit), and only then puts them into the hot part and answers. Does not know how a
//! body is read, nor splits: it is told up to which sequence number a partition is published.

mod bytes;
mod disk;
mod frame;
mod ledger;
mod log;
mod replay;
mod segment;
mod writer;

pub(crate) use disk::Disk;
#[cfg(test)]
pub(crate) use disk::Operation;
pub(crate) use frame::{Frame, Named, ReadLimits};
pub(crate) use ledger::Ledger;
pub(crate) use log::{Append, Log, Start};
pub(crate) use replay::{Damage, Replay, list};
