//! The indexer: receive → dedupe → parse and normalise → write-ahead log → hot → split → merge → retain, and the tap.
//!
//! Data flows left to right; acks travel back as values. Does not know pipes, answers' shapes or credentials: it is handed a
//! [`Principal`].

mod accept;
mod answer;
mod background;
mod budget;
mod classify;
mod clock;
mod core;
mod dataset;
mod dedupe;
mod delivery;
mod door;
mod fault;
mod hold;
mod hot;
mod hot_bytes;
mod ids;
mod indexer;
mod interned;
mod lock;
mod merge;
mod metrics;
mod mix;
mod open;
mod policy;
mod principal;
mod problem;
mod receive;
mod resting;
mod retain;
mod rule;
mod seal;
mod settings;
mod spare;
mod status;
mod swap;
mod tenants;
#[cfg(test)]
mod tests;
mod wal;

pub use clock::Clock;
pub use dataset::DeleteError;
pub use delivery::{Bulk, Delivery, Door, Error, Form, HecFault, HecOrigin, Marks};
pub use door::{BulkAnswer, BulkItem, deliver_bulk, router};
pub use hold::{HoldError, NewHold};
pub use indexer::{Indexer, View};
pub use policy::{Keep, Retention};
pub use principal::{Permission, Principal, Tenant};
pub use problem::Problem;
pub use receive::{Action, ItemFault};
pub use rule::{Age, Rule};
pub use settings::{MAX_BODY_BYTES, Settings};
pub use status::{Kept, KeptClass, Status};
