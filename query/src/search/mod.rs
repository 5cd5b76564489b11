//! Searching a tenant's view: hot part and splits alike, exact or labelled.

mod metrics;

pub use metrics::Metrics;
