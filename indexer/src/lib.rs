//! The indexer: receive → dedupe → parse and normalise → write-ahead log → hot → split → merge → retain, and the tap.
//!
//! Data flows left to right; acks travel back as values. Does not know pipes, answers' shapes or credentials: it is handed a
//! [`Principal`].

mod door;
mod indexer;
mod principal;
mod problem;

pub use door::router;
pub use indexer::{Delivery, Door, Error, Indexer, Settings, Status, View};
pub use principal::{Permission, Principal, Tenant};
pub use problem::Problem;
