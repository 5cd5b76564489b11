//! Searching a tenant's view: hot part and splits alike, exact or labelled.
//!
//! `ask → plan → parts → run → answer`. Does not know HTTP; [`crate::api`] gives it a shape.

mod best;
mod coverage;
mod cursor;
mod error;
mod find;
mod limits;
mod metrics;
mod part;
mod plan;
mod run;
mod searcher;
mod when;

pub use error::Error;
pub use limits::Limits;
pub use metrics::Metrics;
pub use plan::{Ask, DEFAULT_LIMIT, MAX_QUERY_BYTES};
pub use searcher::{Answer, Matched, Scanned, Searcher};
pub(crate) use when::read_duration;
