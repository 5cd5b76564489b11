//! One entity, an address, a user, a host: what is known of it. How often and since when it occurs, with whom, doing what, and where else.
//!
//! Every part of the answer is a pipe of its own over one view, pushed down into splits as that pipe is; all of them share one turn and one
//! deadline, and each says itself whether it is all.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use locard_event::{Event, Value, name};
use locard_filter::{Filter, Matcher, Predicate, Test};
use locard_indexer::{Principal, View};
use locard_store::{Control, Error as StoreError, Order};

use super::Error;
use super::coverage::Coverage;
use super::feed::{Fed, Feed};
use super::find::{Find, find};
use super::part::{Part, Wanted, parts};
use super::plan::{Ask, Plan, deadline};
use super::run::{Run, lock};
use super::searcher::{Matched, Scanned, Searcher, scanned, within};
use crate::pipe::{Outcome, Pipeline, Setting, Table, Tables};

/// Whose most common values are told.
const FACETS: [&str; 12] = [
    name::HOST,
    "user.name",
    "event.action",
    "event.outcome",
    name::DATASET,
    name::PROCESS_NAME,
    "source.ip",
    "destination.ip",
    "client.ip",
    "server.ip",
    name::LEVEL,
    name::NAMESPACE,
];
/// Most fields in which a value is told to occur.
const MAX_PLACES: usize = 1_000;

/// Which entity.
#[derive(Clone, Debug, Default)]
pub struct AskEntity {
    /// The field whose value it is; nothing: any.
    pub field: Option<String>,
    /// What it is called.
    pub value: String,
    /// Whether events count that name it anywhere, be it in the message.
    pub anywhere: bool,
    /// Most values of each field, and most patterns.
    pub limit: usize,
}

/// What is known of an entity.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The filter that finds its events.
    pub filter: Filter,
    /// How many there are.
    pub matched: Matched,
    /// The one filed first.
    pub first: Option<Event>,
    /// The one filed last.
    pub last: Option<Event>,
    /// The most common values of fields: columns `value` and `count`.
    pub facets: Vec<(&'static str, Facet)>,
    /// The most common patterns of its messages.
    pub patterns: Facet,
    /// How many there are over time.
    pub timeline: Facet,
    /// In which fields the value occurs, if any count.
    pub places: Option<Places>,
    /// Why something is missing; nothing if it is all there.
    pub incomplete_because: Option<String>,
    /// From request to answer.
    pub took: Duration,
    /// What it cost.
    pub scanned: Scanned,
}

/// A table, and why it is not all; nothing if it is.
#[derive(Clone, Debug, Default)]
pub struct Facet {
    /// The rows.
    pub table: Table,
    /// Why something is missing.
    pub incomplete_because: Option<String>,
}

/// In which fields a value occurs, and in how many events each, the most first.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// By name.
    pub fields: Vec<(String, u64)>,
    /// Why something is missing.
    pub incomplete_because: Option<String>,
}

/// What all parts of an answer share.
struct Scene<'a> {
    run: &'a mut Run,
    view: &'a View,
    wanted: Arc<Wanted>,
    seen: Filter,
    setting: Setting,
    coverage: Coverage,
}

impl Searcher {
    /// What is known of an entity among the events that match.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.entity", skip_all, fields(principal = %principal.name))]
    pub async fn entity(&self, principal: &Principal, ask: &Ask, of: &AskEntity) -> Result<Entity, Error> {
        let mut run = Run::begin(&self.gate, &self.metrics, deadline(ask, &self.limits)).await?;
        let filter = filter(of);
        let (plan, view) = self.plan(&mut run, principal, ask, filter.clone()).await?;
        let Plan { wanted, asked, seen, now, .. } = plan;
        let setting = Setting {
            memory_bytes: self.limits.memory_bytes,
            page: 0,
            filed: within(&wanted.request),
            now,
            tables: Tables::default(),
        };
        let wanted = Arc::new(wanted);
        let mut scene =
            Scene { run: &mut run, view: &view, wanted, seen, setting, coverage: Coverage::default() };
        let (last, matched) = scene.one(Order::Descending).await?;
        let (first, _) = scene.one(Order::Ascending).await?;
        let mut facets = Vec::new();
        for field in FACETS.into_iter().filter(|field| of.field.as_deref() != Some(field)) {
            facets.push((field, scene.facet(&format!("* | top {} {field}", of.limit)).await?));
        }
        let patterns = scene.facet(&format!("* | patterns limit={}", of.limit)).await?;
        let timeline = scene.facet("* | timechart count() as count").await?;
        let places = if of.anywhere { Some(scene.places(&of.value).await?) } else { None };
        let Scene { coverage, .. } = scene;
        let incomplete_because = self.conclude(&mut run, &coverage);
        let (took, scanned) = (run.took(), scanned(&coverage, principal));
        let filter = asked.and(filter);
        Ok(Entity {
            filter,
            matched,
            first,
            last,
            facets,
            patterns,
            timeline,
            places,
            incomplete_because,
            took,
            scanned,
        })
    }
}

/// Built as a tree, not as text, so that no value of a hostile line is read as a query.
fn filter(of: &AskEntity) -> Filter {
    let is = |field: Option<&str>, test| Filter::Is(Predicate { field: field.map(Box::from), test });
    let value: Box<str> = of.value.as_str().into();
    match &of.field {
        Some(field) if !of.anywhere => is(Some(field), Test::Equals(value)),
        _ => is(None, Test::Contains(value)),
    }
}

impl Scene<'_> {
    /// The first event of an order, and how many there are.
    async fn one(&mut self, order: Order) -> Result<(Option<Event>, Matched), Error> {
        let find_one = Find {
            wanted: Arc::clone(&self.wanted),
            order,
            after: None,
            limit: 1,
            memory_bytes: self.setting.memory_bytes,
            count: order == Order::Descending,
        };
        let found = find::<Event>(self.run, self.view, find_one).await?;
        self.coverage.add(&found.coverage);
        let matched = Matched { value: found.matched, exact: found.coverage.saw_everything() };
        Ok((found.page.events.into_iter().next(), matched))
    }

    /// What one pipe makes of the events.
    async fn facet(&mut self, query: &str) -> Result<Facet, Error> {
        let (pipes, setting) = (crate::pipe::parse(query)?.pipes, self.setting.clone());
        let pipeline = self.run.blocking(move || Pipeline::new(&pipes, &setting)).await?;
        let pipeline = match pipeline {
            Ok(pipeline) => pipeline,
            Err(error) => return Ok(self.lacking(error.to_string())),
        };
        let feed = Feed {
            wanted: Arc::clone(&self.wanted),
            seen: self.seen.clone(),
            order: Order::Descending,
            after: None,
            limit: 0,
            memory_bytes: self.setting.memory_bytes,
            paged: false,
            count: false,
        };
        let Fed { pipeline, coverage, .. } = feed.run(self.run, self.view, pipeline).await?;
        self.coverage.add(&coverage);
        let incomplete_because = coverage.because();
        match self.run.blocking(|| pipeline.finish()).await? {
            Ok(Outcome::Table(table)) => Ok(Facet { table, incomplete_because }),
            Ok(Outcome::Events { .. }) => Ok(Facet::default()),
            Err(error) => Ok(self.lacking(error.to_string())),
        }
    }

    fn lacking(&mut self, because: String) -> Facet {
        self.coverage.omit(because.clone());
        Facet { table: Table::default(), incomplete_because: Some(because) }
    }

    /// Looks through all of its events for the fields that name it.
    async fn places(&mut self, value: &str) -> Result<Places, Error> {
        let parts = parts(self.view, &self.wanted, Order::Descending);
        let sum = Arc::new(Mutex::new(Naming { value: value.into(), ..Naming::default() }));
        let (into, wanted, control) =
            (Arc::clone(&sum), Arc::clone(&self.wanted), Arc::clone(&self.run.control));
        let work = move |part: &Part| name_part(part, &wanted, &control, &into);
        let mut coverage = self.run.scan(parts, work).await?;
        coverage.lacks(self.view);
        let Naming { named, full, .. } = std::mem::take(&mut *lock(&sum));
        if full {
            coverage.omit(format!("only {MAX_PLACES} fields that name it are told apart"));
        }
        self.coverage.add(&coverage);
        let mut fields: Vec<(String, u64)> =
            named.into_iter().map(|(name, (_, count))| (name.into(), count)).collect();
        fields.retain(|(_, count)| *count > 0);
        fields.sort_by(|(name, count), (other_name, other)| other.cmp(count).then(name.cmp(other_name)));
        Ok(Places { fields, incomplete_because: coverage.because() })
    }
}

/// What was counted before a stop counts too.
fn name_part(part: &Part, wanted: &Wanted, control: &Control, sum: &Mutex<Naming>) -> Result<(), StoreError> {
    let mut own = Naming { value: lock(sum).value.clone(), ..Naming::default() };
    let done = part.each(wanted, control, &mut |event| {
        own.add(event);
        ControlFlow::Continue(())
    });
    lock(sum).merge(own);
    done
}

/// Counts events by the fields that name a value.
#[derive(Debug, Default)]
struct Naming {
    value: Box<str>,
    /// The test of each name that was met, and how many events passed it.
    named: HashMap<Box<str>, (Option<Arc<Matcher>>, u64)>,
    full: bool,
}

impl Naming {
    fn add(&mut self, event: &Event) {
        let labels =
            event.stream.iter().map(|(label, _)| label).filter(|label| event.fields.get(label).is_none());
        let fields = event.fields.iter().map(|(field, _)| field);
        for name in fields.chain(labels).chain([name::MESSAGE]) {
            // Much shorter text cannot hold it, however its letters fold: no test is needed to know.
            let may_hold = event.get(name).is_some_and(|found| self.may_be_in(found.as_ref()));
            if may_hold && let Some((Some(test), count)) = self.test(name) {
                *count += u64::from(test.matches(event));
            }
        }
    }

    fn may_be_in(&self, found: &Value) -> bool {
        match found {
            Value::Str(text) => text.len() * 4 >= self.value.len(),
            _ => true,
        }
    }

    fn test(&mut self, name: &str) -> Option<&mut (Option<Arc<Matcher>>, u64)> {
        if !self.named.contains_key(name) {
            if self.named.len() >= MAX_PLACES {
                self.full = true;
                return None;
            }
            let test = Test::Contains(self.value.clone());
            let test = Matcher::new(&Filter::Is(Predicate { field: Some(name.into()), test })).ok();
            self.named.insert(name.into(), (test.map(Arc::new), 0));
        }
        self.named.get_mut(name)
    }

    fn merge(&mut self, other: Self) {
        self.full |= other.full;
        for (name, (_, more)) in other.named {
            if let Some((_, count)) = self.test(&name) {
                *count += more;
            }
        }
    }
}
