//! What an aggregation needs beyond the documents that a query finds: `global` counts all of the indices, and `terms` with a
//! `min_doc_count` of 0 shows every value that is there.

use std::collections::HashMap;
use std::sync::Arc;

use super::bucket::{BucketKey, Grouping, Terms};
use super::state::State;
use super::{Kind, Node};

/// Takes the aggregations out of a level that are not about what a query finds.
pub(super) fn take_globals(nodes: &mut Vec<Node>) -> Vec<Node> {
    let (globals, rest) = std::mem::take(nodes)
        .into_iter()
        .partition(|node: &Node| matches!(&node.kind, Kind::Buckets(it) if matches!(**it, Grouping::Global)));
    *nodes = rest;
    globals
}

/// Those of a tree that show values without documents.
fn shows_all(nodes: &[Node]) -> Vec<&Terms> {
    let mut found = Vec::new();
    for node in nodes {
        if let Kind::Buckets(grouping) = &node.kind
            && let Grouping::Terms(terms) = &**grouping
            && terms.least == 0
        {
            found.push(terms);
        }
        found.extend(shows_all(&node.subs));
    }
    found
}

/// A tree that finds every value for those that show them; nothing if none does.
pub(super) fn values(trees: [&[Node]; 2]) -> Option<Vec<Node>> {
    let nodes: Vec<Node> = trees.into_iter().flat_map(shows_all).map(plain).collect();
    (!nodes.is_empty()).then_some(nodes)
}

/// The same without what is within.
fn plain(terms: &Terms) -> Node {
    Node {
        name: String::new(),
        type_name: "terms".to_owned(),
        kind: Kind::Buckets(Box::new(Grouping::Terms(terms.clone()))),
        subs: Vec::new(),
        pipes: Vec::new(),
        meta: None,
    }
}

/// Tells those that show every value which there are.
pub(super) fn tell(trees: [&[Node]; 2], found: Vec<State>) {
    for (terms, state) in trees.into_iter().flat_map(shows_all).zip(found) {
        let State::Buckets(buckets) = state else { continue };
        terms.all.get_or_init(|| Arc::new(buckets.into_keys().collect()));
    }
}

impl Terms {
    /// The buckets, and an empty one for each value that is there without any.
    pub(super) fn with_all(
        &self,
        buckets: &HashMap<BucketKey, super::state::Bucket>,
        subs: &[Node],
    ) -> Option<HashMap<BucketKey, super::state::Bucket>> {
        let all = self.all.get()?;
        let mut full = buckets.clone();
        for key in all.iter().filter(|key| !buckets.contains_key(*key)) {
            full.insert(key.clone(), super::state::Bucket::empty(subs));
        }
        Some(full)
    }
}
