//! [`State`]: what a tree has counted. Filled a document at a time, merged part by part.

use std::collections::HashMap;

use super::bucket::BucketKey;
use super::doc::Doc;
use super::{Kind, Node, metric};

/// What one aggregation has counted.
#[derive(Clone, Debug)]
pub(super) enum State {
    Buckets(HashMap<BucketKey, Bucket>),
    Metric(metric::State),
}

/// One bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) count: u64,
    pub(super) subs: Vec<State>,
}

/// The states of a level before the first document.
pub(super) fn empty(nodes: &[Node]) -> Vec<State> {
    let one = |node: &Node| match &node.kind {
        Kind::Buckets(_) => State::Buckets(HashMap::new()),
        Kind::Metric(metric) => State::Metric(metric.empty()),
    };
    nodes.iter().map(one).collect()
}

impl Bucket {
    /// A bucket of nothing.
    pub(super) fn empty(subs: &[Node]) -> Self {
        Self { count: 0, subs: empty(subs) }
    }
}

/// About how many bytes a new bucket takes, its key's text aside.
fn bytes(subs: &[Node]) -> usize {
    size_of::<(BucketKey, Bucket)>() * 2
        + subs.len() * (size_of::<State>() + size_of::<super::number::Numbers>())
}

/// Counts so many documents; says by how many bytes the states grew.
pub(super) fn add(nodes: &[Node], states: &mut [State], doc: Doc<'_>, times: u64) -> usize {
    nodes.iter().zip(states).map(|(node, state)| add_one(node, state, doc, times)).sum()
}

fn add_one(node: &Node, state: &mut State, doc: Doc<'_>, times: u64) -> usize {
    match (&node.kind, state) {
        (Kind::Metric(metric), State::Metric(state)) => metric.add(state, doc, times),
        (Kind::Buckets(grouping), State::Buckets(buckets)) => {
            let mut grown = 0;
            grouping.keys(doc, &mut |key| {
                if !buckets.contains_key(&key) {
                    grown += bytes(&node.subs) + key.heap_bytes();
                }
                let bucket = buckets.entry(key).or_insert_with(|| Bucket::empty(&node.subs));
                bucket.count += times;
                grown += add(&node.subs, &mut bucket.subs, doc, times);
            });
            grown
        }
        _ => 0,
    }
}

/// Adds what other states have counted; says by how many bytes these grew.
pub(super) fn merge(nodes: &[Node], states: &mut [State], others: Vec<State>) -> usize {
    nodes.iter().zip(states).zip(others).map(|((node, state), other)| merge_one(node, state, other)).sum()
}

fn merge_one(node: &Node, state: &mut State, other: State) -> usize {
    match (state, other) {
        (State::Metric(own), State::Metric(their)) => own.merge(their),
        (State::Buckets(own), State::Buckets(their)) => {
            let mut grown = 0;
            for (key, bucket) in their {
                if !own.contains_key(&key) {
                    grown += bytes(&node.subs) + key.heap_bytes();
                }
                let into = own.entry(key).or_insert_with(|| Bucket::empty(&node.subs));
                into.count += bucket.count;
                grown += merge(&node.subs, &mut into.subs, bucket.subs);
            }
            grown
        }
        _ => 0,
    }
}
