//! Aggregations: a tree of buckets and metrics, filled with documents or with combinations of values and how many documents have them.
//!
//! A tree that needs only a few fields is filled from the columns of splits; any other from events. Both fill the same states, which
//! are merged part by part, so that counts are exact. Memory is bounded; what does not fit is an error, never a smaller number.

mod beyond;
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
mod typed;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use locard_filter::Filter;
use locard_indexer::{Principal, View};
use serde_json::{Map, Value as Json};

use super::Es;
use super::error::Error;
use super::schema::Schema;
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
    /// As the request says it.
    type_name: String,
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
    /// Those about all documents of the indices.
    globals: Arc<Vec<Node>>,
    pipes: Vec<Pipe>,
    /// Whether names have types before them.
    typed: bool,
}

/// What a tree is filled with.
pub(super) struct Filling<'a> {
    pub(super) es: &'a Es,
    pub(super) principal: &'a Principal,
    pub(super) view: &'a View,
    /// What the query finds.
    pub(super) wanted: Arc<Wanted>,
    /// Everything that it may find.
    pub(super) scope: Filter,
}

impl Tree {
    /// Reads the member `aggs` of a body.
    pub(super) fn read(body: &Json, schema: &Schema, typed: bool) -> Result<Self, Error> {
        let (mut nodes, pipes) = read::level(body, schema, 0)?;
        let globals = Arc::new(beyond::take_globals(&mut nodes));
        Ok(Self { nodes: Arc::new(nodes), globals, pipes, typed })
    }

    /// Fills the tree and shows it.
    pub(super) async fn run(&self, run: &mut Run, filling: Filling<'_>) -> Result<(Json, Coverage), Error> {
        let (mut globals, mut coverage) = self.beyond(run, &filling).await?;
        let Filling { es, view, wanted, .. } = filling;
        let memory_bytes = es.searcher.limits.memory_bytes;
        let (states, seen) = scan::fill(run, view, wanted, Arc::clone(&self.nodes), memory_bytes).await?;
        coverage.add(&seen);
        let nodes = Arc::clone(&self.nodes);
        let show = move || render::level(&nodes, &states, &mut render::Shown::default(), None);
        let mut shown: Map<String, Json> = run.blocking(show).await??;
        shown.append(&mut globals);
        pipeline::beside(&self.pipes, &mut shown)?;
        if self.typed {
            typed::level(&self.globals, &[], &mut shown);
            typed::level(&self.nodes, &self.pipes, &mut shown);
        }
        Ok((Json::Object(shown), coverage))
    }

    /// Looks at what the query does not find, where something needs it; shows what is about that alone.
    async fn beyond(
        &self,
        run: &mut Run,
        filling: &Filling<'_>,
    ) -> Result<(Map<String, Json>, Coverage), Error> {
        let trees = [self.nodes.as_slice(), self.globals.as_slice()];
        let values = beyond::values(trees);
        if values.is_none() && self.globals.is_empty() {
            return Ok((Map::new(), Coverage::default()));
        }
        let Filling { es, principal, view, scope, .. } = filling;
        let memory_bytes = es.searcher.limits.memory_bytes;
        let (_, all) = super::run::prepare(run, es, principal, scope.clone()).await?;
        let mut coverage = Coverage::default();
        if let Some(values) = values {
            let (found, seen) =
                scan::fill(run, view, Arc::clone(&all), Arc::new(values), memory_bytes).await?;
            coverage.add(&seen);
            beyond::tell(trees, found);
        }
        let (states, seen) = scan::fill(run, view, all, Arc::clone(&self.globals), memory_bytes).await?;
        coverage.add(&seen);
        let nodes = Arc::clone(&self.globals);
        let show = move || render::level(&nodes, &states, &mut render::Shown::default(), None);
        Ok((run.blocking(show).await??, coverage))
    }
}
