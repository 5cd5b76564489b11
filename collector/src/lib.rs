//! The node collector: read → frame → label → (drop) → batch → ship. No tantivy, no axum in its tree.
//!
//! Log files are their own buffer: what is kept is how far each was read (`checkpoint`), and a batch is read again exactly if it
//! is not known whether it arrived. Start reading at [`run`].

mod batch;
mod checkpoint;
pub mod config;
mod delivery;
mod discover;
mod frame;
pub mod metrics;
mod metrics_page;
mod run;
mod schedule;
mod settings;
mod ship;
mod source;
mod tail;

pub use checkpoint::StateError;
pub use metrics::Metrics;
pub use run::{RunError, run};
pub use settings::{Destination, Limits, Settings, SettingsError};
pub use ship::ShipError;
pub use source::file::is_syslog_name;
