//! Aggregations: a tree of buckets and metrics, filled with documents or with combinations of values and how many documents have them.
//!
//! A tree that needs only a few fields is filled from the columns of splits; any other from events. Both fill the same states, which
//! are merged part by part, so that counts are exact. Memory is bounded; what does not fit is an error, never a smaller number.

mod bucket;
mod doc;
mod histogram;
mod metric;
mod number;
mod pipeline;
mod ranges;
mod read;
mod render;
mod scan;
mod script;
mod state;
mod top;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use locard_event::Timestamp;
use locard_indexer::View;
use serde_json::{Map, Value as Json};

use super::Es;
use super::error::Error;
use crate::search::{Coverage, Run, Wanted};
use bucket::Grouping;
use metric::Metric;
use pipeline::Pipe;

/// Most buckets in one answer, as `search.max_buckets`.
const MAX_BUCKETS: usize = 65_536;

/// What a node of the tree does with documents.
#[derive(Debug)]
enum Kind {
    /// Puts them into buckets.
    Buckets(Box<Grouping>),
    /// Makes a value of them.
    Metric(Metric),
}

/// One aggregation, and those within its buckets.
#[derive(Debug)]
struct Node {
    name: String,
    kind: Kind,
    subs: Vec<Node>,
    /// Aggregations of aggregations that are declared within.
    pipes: Vec<Pipe>,
    meta: Option<Json>,
}

/// The aggregations of a request.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Arc<Vec<Node>>,
    pipes: Vec<Pipe>,
}

impl Tree {
    /// Reads the member `aggs` of a body.
    pub(super) fn read(body: &Json, now: Timestamp) -> Result<Self, Error> {
        let (nodes, pipes) = read::level(body, now, 0)?;
        Ok(Self { nodes: Arc::new(nodes), pipes })
    }

    /// Fills the tree and shows it.
    pub(super) async fn run(
        &self,
        run: &mut Run,
        es: &Es,
        view: &View,
        wanted: Arc<Wanted>,
    ) -> Result<(Json, Coverage), Error> {
        let memory_bytes = es.searcher.limits.memory_bytes;
        let (states, coverage) = scan::fill(run, view, wanted, Arc::clone(&self.nodes), memory_bytes).await?;
        let nodes = Arc::clone(&self.nodes);
        let show = move || render::level(&nodes, &states, &mut render::Shown::default(), None);
        let mut shown: Map<String, Json> = run.blocking(show).await??;
        pipeline::beside(&self.pipes, &mut shown)?;
        Ok((Json::Object(shown), coverage))
    }
}
