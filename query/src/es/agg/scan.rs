//! Filling a tree from the parts of a view: from the columns of splits where a few fields are enough, else from events.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use locard_event::{Timestamp, Value, name};
use locard_indexer::View;
use locard_store::{Control, Error as StoreError, GroupKey, Order};

use super::bucket::{Grouping, SourceOf};
use super::doc::Doc;
use super::histogram::{TimeHistogram, gcd};
use super::metric::{self, Function, Metric};
use super::state::{self, State};
use super::{Kind, Node};
use crate::es::error::Error;
use crate::es::run::too_much;
use crate::search::{Coverage, Part, Run, Wanted, lock, parts};

/// Most fields whose combinations are counted together.
const MAX_FIELDS: usize = 6;
/// All forks together may hold this share of the memory.
const FORKS_SHARE: usize = 16;

/// What a tree needs of events, if it is little.
#[derive(Clone, Debug, Default)]
struct Needs {
    fields: BTreeSet<Box<str>>,
    /// Times at this resolution, in nanoseconds; 0: no times.
    resolution: i64,
}

impl Needs {
    fn of(nodes: &[Node]) -> Option<Self> {
        let mut needs = Self::default();
        nodes.iter().try_for_each(|node| needs.node(node))?;
        (needs.fields.len() <= MAX_FIELDS).then_some(needs)
    }

    fn node(&mut self, node: &Node) -> Option<()> {
        match &node.kind {
            Kind::Metric(metric) if metric.needs_events() => return None,
            Kind::Metric(Metric { field, .. }) if field.is_empty() => {}
            Kind::Metric(metric) => self.field(&metric.field)?,
            Kind::Buckets(grouping) => self.grouping(grouping)?,
        }
        node.subs.iter().try_for_each(|sub| self.node(sub))
    }

    fn grouping(&mut self, grouping: &Grouping) -> Option<()> {
        match grouping {
            Grouping::Terms(terms) | Grouping::Rare(terms) => self.field(&terms.field),
            Grouping::MultiTerms(terms) => terms.fields.iter().try_for_each(|(field, _)| self.field(field)),
            Grouping::Time(histogram) => self.time(histogram),
            Grouping::AutoTime(_, histogram) => self.time(histogram.get()?),
            Grouping::Numbers(histogram) => self.field(&histogram.field),
            Grouping::Ranges(ranges) => self.field(&ranges.field),
            Grouping::Filters(_) => None,
            Grouping::Composite(composite) => {
                composite.sources.iter().try_for_each(|source| match &source.of {
                    SourceOf::Terms(field) => self.field(field),
                    SourceOf::Time(histogram) => self.time(histogram),
                    SourceOf::Numbers(histogram) => self.field(&histogram.field),
                })
            }
            Grouping::Missing(field) => self.field(field),
            Grouping::Everything | Grouping::Global => Some(()),
        }
    }

    /// What is nearly unique is better looked at event by event.
    fn field(&mut self, field: &str) -> Option<()> {
        let unique = [name::TIMESTAMP, name::TIME, name::INGESTED, name::MESSAGE, name::ID];
        if unique.contains(&field) {
            return None;
        }
        self.fields.insert(field.into());
        Some(())
    }

    fn time(&mut self, histogram: &TimeHistogram) -> Option<()> {
        if !matches!(&*histogram.field, name::TIMESTAMP | name::TIME) {
            return self.field(&histogram.field);
        }
        self.resolution = gcd(self.resolution, histogram.resolution()?);
        Some(())
    }

    fn keys(&self) -> Vec<GroupKey> {
        let origin = Timestamp::from_nanos(0);
        let time = (self.resolution > 0).then_some(GroupKey::Bucket { origin, span_nanos: self.resolution });
        time.into_iter().chain(self.fields.iter().map(|field| GroupKey::Field(field.clone()))).collect()
    }

    fn names(&self) -> Vec<Box<str>> {
        let time = (self.resolution > 0).then_some(name::TIMESTAMP.into());
        time.into_iter().chain(self.fields.iter().cloned()).collect()
    }
}

/// What the threads fill.
struct Filling {
    nodes: Arc<Vec<Node>>,
    needs: Option<Needs>,
    wanted: Arc<Wanted>,
    sum: Mutex<(Vec<State>, usize)>,
    memory_bytes: usize,
    /// Whether more is needed than there may be.
    full: AtomicBool,
}

/// Fills a tree.
pub(super) async fn fill(
    run: &mut Run,
    view: &View,
    wanted: Arc<Wanted>,
    nodes: Arc<Vec<Node>>,
    memory_bytes: usize,
) -> Result<(Vec<State>, Coverage), Error> {
    let mut coverage = Coverage::default();
    for field in undecided(&nodes) {
        let extremes = Arc::new(extremes(&field));
        let (states, seen) =
            scan(run, view, Arc::clone(&wanted), Arc::clone(&extremes), memory_bytes).await?;
        coverage = seen;
        decide(&nodes, &field, span(&extremes, &states));
    }
    let (states, seen) = scan(run, view, wanted, nodes, memory_bytes).await?;
    coverage.add(&seen);
    Ok((states, coverage))
}

async fn scan(
    run: &mut Run,
    view: &View,
    wanted: Arc<Wanted>,
    nodes: Arc<Vec<Node>>,
    memory_bytes: usize,
) -> Result<(Vec<State>, Coverage), Error> {
    let parts = parts(view, &wanted, Order::Descending);
    let (needs, sum) = (Needs::of(&nodes), Mutex::new((state::empty(&nodes), 0)));
    let filling = Arc::new(Filling { nodes, needs, wanted, sum, memory_bytes, full: AtomicBool::new(false) });
    let (work, control) = (Arc::clone(&filling), Arc::clone(&run.control));
    let mut coverage = run.scan(parts, move |part| work.part(part, &control)).await?;
    coverage.lacks(view);
    if filling.full.load(Ordering::Relaxed) {
        return Err(too_much(memory_bytes));
    }
    let states = std::mem::take(&mut lock(&filling.sum).0);
    Ok((states, coverage))
}

impl Filling {
    fn part(&self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let mut fork = Fork { into: self, states: state::empty(&self.nodes), bytes: 0 };
        let done = match (part, &self.needs) {
            (Part::Split(split), Some(needs)) => {
                let (keys, names) = (needs.keys(), needs.names());
                let has_time = needs.resolution > 0;
                split.tally(&self.wanted.request, &keys, control, &mut |values, events| {
                    let mut values = values.to_vec();
                    if let (true, Some(first)) = (has_time, values.first_mut())
                        && let Value::Int(bucket) = first
                    {
                        *first = Value::Time(Timestamp::from_nanos(bucket.saturating_mul(needs.resolution)));
                    }
                    fork.add(Doc::Row(&names, &values), events)
                })
            }
            _ => part.each(&self.wanted, control, &mut |event| fork.add(Doc::Event(event), 1)),
        };
        fork.pour();
        done
    }
}

/// A thread at work on a part.
struct Fork<'a> {
    into: &'a Filling,
    states: Vec<State>,
    bytes: usize,
}

impl Fork<'_> {
    fn add(&mut self, doc: Doc<'_>, times: u64) -> ControlFlow<()> {
        self.bytes += state::add(&self.into.nodes, &mut self.states, doc, times);
        if self.bytes > self.into.memory_bytes / FORKS_SHARE {
            self.pour();
        }
        if self.into.full.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Merges what was counted so far.
    fn pour(&mut self) {
        let states = std::mem::replace(&mut self.states, state::empty(&self.into.nodes));
        self.bytes = 0;
        let mut sum = lock(&self.into.sum);
        let (into, bytes) = &mut *sum;
        if into.is_empty() && !self.into.nodes.is_empty() {
            // The answer is being made already: this thread came too late.
            return;
        }
        *bytes += state::merge(&self.into.nodes, into, states);
        if *bytes > self.into.memory_bytes {
            self.into.full.store(true, Ordering::Relaxed);
        }
    }
}

/// The fields whose histograms wait for what they span.
fn undecided(nodes: &[Node]) -> BTreeSet<Box<str>> {
    let mut fields = BTreeSet::new();
    for node in nodes {
        if let Kind::Buckets(grouping) = &node.kind
            && let Grouping::AutoTime(auto, histogram) = &**grouping
            && histogram.get().is_none()
        {
            fields.insert(auto.of.field.clone());
        }
        fields.extend(undecided(&node.subs));
    }
    fields
}

fn decide(nodes: &[Node], field: &str, span: Option<(i64, i64)>) {
    for node in nodes {
        if let Kind::Buckets(grouping) = &node.kind
            && let Grouping::AutoTime(auto, histogram) = &**grouping
            && *auto.of.field == *field
        {
            histogram.get_or_init(|| auto.choose(span));
        }
        decide(&node.subs, field, span);
    }
}

/// A tree that finds the first and the last time.
fn extremes(field: &str) -> Vec<Node> {
    let metric = Metric { function: Function::Stats, field: field.into(), missing: None, format: None };
    vec![Node {
        name: "span".into(),
        type_name: "stats".into(),
        kind: Kind::Metric(metric),
        subs: Vec::new(),
        pipes: Vec::new(),
        meta: None,
    }]
}

fn span(nodes: &[Node], states: &[State]) -> Option<(i64, i64)> {
    let (Some(Node { kind: Kind::Metric(metric), .. }), Some(State::Metric(state))) =
        (nodes.first(), states.first())
    else {
        return None;
    };
    let value = |state: &metric::State, name: &str| metric.value(state, name, None);
    Some((value(state, "min")? as i64, value(state, "max")? as i64))
}
