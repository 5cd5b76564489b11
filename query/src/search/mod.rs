//! Searching a tenant's view: hot part and splits alike, exact or labelled.
//!
//! `ask → plan → parts → run → answer`. Does not know HTTP; [`crate::api`] gives it a shape.

mod best;
mod context;
mod coverage;
mod covered;
mod cursor;
mod entity;
mod error;
mod event;
mod explain;
mod exported;
mod feed;
mod fields;
mod find;
mod gather;
mod limits;
mod line;
mod lookups;
mod metrics;
mod novelty;
mod part;
mod plan;
mod replay;
mod run;
mod searcher;
mod stages;
mod tail;
mod tally;
mod warn;
mod when;

pub use context::{Surrounded, Surroundings};
pub(crate) use coverage::Coverage;
pub use covered::Covered;
pub use entity::{AskEntity, Entity, Facet, Places};
pub use error::Error;
pub use explain::{Explained, Extent};
pub(crate) use exported::Place;
pub use fields::{AskValues, Field, Fields, Values};
pub(crate) use find::{Find, Found, find};
pub use limits::Limits;
pub(crate) use line::{Line, pieces};
pub use lookups::KeptTable;
pub use metrics::Metrics;
pub(crate) use part::{Part, Wanted, parts, position};
pub(crate) use plan::wanted;
pub use plan::{Ask, DEFAULT_LIMIT};
pub(crate) use run::{Run, lock};
pub use searcher::{Answer, Matched, Scanned, Searcher};
pub(crate) use searcher::{Lines, clock, is_paged};
pub use tail::{Lag, Tailed, Tailing};
pub use warn::Warning;
pub(crate) use when::{TIME_HINT, read_duration, read_time};
