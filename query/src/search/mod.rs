//! Searching a tenant's view: hot part and splits alike, exact or labelled.
//!
//! `ask → plan → parts → run → answer`. Does not know HTTP; [`crate::api`] gives it a shape.

mod best;
mod context;
mod coverage;
mod covered;
mod cursor;
mod error;
mod event;
mod feed;
mod fields;
mod find;
mod gather;
mod limits;
mod metrics;
mod novelty;
mod part;
mod plan;
mod replay;
mod run;
mod searcher;
mod tail;
mod tally;
mod when;

pub use context::{Surrounded, Surroundings};
pub use covered::Covered;
pub use error::Error;
pub use fields::{AskValues, Field, Fields, Values};
pub use limits::Limits;
pub use metrics::Metrics;
pub use plan::{Ask, DEFAULT_LIMIT};
pub use searcher::{Answer, Matched, Scanned, Searcher};
pub(crate) use searcher::{Lines, is_paged};
pub use tail::{Lag, Tailed, Tailing};
pub(crate) use when::{TIME_HINT, read_duration, read_time};
