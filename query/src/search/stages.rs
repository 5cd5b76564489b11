//! Pipes that need more than the events that matched: `context` looks around them, `join` does another search first, `lookup` reads a table.
//!
//! A query falls into stages at every `context`. The first is fed from the view, each later one with the events around those that came
//! through the one before. All of it is one run: one turn, one deadline, one view.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use locard_event::{Event, Timestamp, Value, name};
use locard_filter::Filter;
use locard_indexer::{Principal, View};
use locard_store::{Order, Position};

use super::Error;
use super::context::{Side, equals, shared};
use super::coverage::Coverage;
use super::feed::{Fed, Feed};
use super::part::{Wanted, position};
use super::plan::Plan;
use super::run::Run;
use super::searcher::{Searcher, is_paged, within};
use crate::pipe::{
    Context, Flow, Join, JoinTable, Outcome, Pipe, PipeError, Pipeline, Query, Setting, Shown, Tables,
};

/// Most events whose surroundings one `context` looks up.
const MAX_CENTRES: usize = 1_000;
/// Most rows of the other search of a join.
const MAX_JOIN_ROWS: usize = 50_000;
/// Most fields of the other search of a join.
const MAX_JOIN_COLUMNS: usize = 256;
/// The other search of a join may hold this share of a search's memory.
const JOIN_SHARE: usize = 4;

/// What pipes made, and of what.
pub(crate) struct Piped {
    pub(crate) outcome: Outcome,
    pub(crate) matched: u64,
    pub(crate) coverage: Coverage,
    /// Where the next page begins.
    pub(crate) last: Option<Position>,
}

/// What all stages of a query share.
struct Scene<'a> {
    searcher: &'a Searcher,
    view: &'a View,
    wanted: Arc<Wanted>,
    /// What the principal may see.
    seen: Filter,
    order: Order,
    filed: Range<Timestamp>,
    now: Timestamp,
    tables: Tables,
    count: bool,
}

impl Searcher {
    /// Runs the pipes of a plan. Without `count`, no more are counted than were come across.
    pub(crate) async fn pipe(
        &self,
        run: &mut Run,
        principal: &Principal,
        view: &View,
        plan: Plan,
        count: bool,
    ) -> Result<Piped, Error> {
        let Plan { wanted, seen, order, after, limit, now, pipes, .. } = plan;
        if after.is_some() && !is_paged(&pipes) {
            return Err(pageless());
        }
        let lookups = self.lookups(principal, &pipes).await?;
        let filed = within(&wanted.request);
        let tables = Tables { lookups, joins: Vec::new() };
        let mut scene =
            Scene { searcher: self, view, wanted: Arc::new(wanted), seen, order, filed, now, tables, count };
        let mut coverage = Coverage::default();
        for join in pipes.iter().filter_map(as_join) {
            let table = scene.join(run, join, &mut coverage).await?;
            scene.tables.joins.push(Arc::new(table));
        }
        let mut stages = pipes.split_inclusive(|pipe| matches!(pipe, Pipe::Context(_)));
        let first = stages.next().unwrap_or_default();
        let mut piped = scene.first(run, first, after, limit).await?;
        piped.coverage.add(&coverage);
        let mut around = context_of(first);
        for stage in stages.map(Some).chain([None]) {
            let Some(context) = around else { break };
            let stage = stage.unwrap_or_default();
            piped = scene.next(run, piped, context, stage, limit).await?;
            around = context_of(stage);
        }
        if let Outcome::Events { events, cut: true, .. } = &piped.outcome {
            let count = events.len();
            let because = format!("only the first {count} in this order are shown; write `| limit` for more");
            piped.coverage.omit(because);
        }
        Ok(piped)
    }
}

fn as_join(pipe: &Pipe) -> Option<&Join> {
    match pipe {
        Pipe::Join(join) => Some(join),
        _ => None,
    }
}

/// The `context` that a stage ends with.
fn context_of(stage: &[Pipe]) -> Option<&Context> {
    match stage.last() {
        Some(Pipe::Context(context)) => Some(context),
        _ => None,
    }
}

/// A stage without the `context` at its end.
fn without_context(stage: &[Pipe]) -> &[Pipe] {
    match stage.split_last() {
        Some((Pipe::Context(_), pipes)) => pipes,
        _ => stage,
    }
}

impl Scene<'_> {
    fn setting(&self, page: usize) -> Setting {
        Setting {
            memory_bytes: self.searcher.limits.memory_bytes,
            page,
            filed: self.filed.clone(),
            now: self.now,
            tables: self.tables.clone(),
        }
    }

    /// The stage that is fed from the view.
    async fn first(
        &self,
        run: &mut Run,
        stage: &[Pipe],
        after: Option<Position>,
        limit: usize,
    ) -> Result<Piped, Error> {
        let limit = if context_of(stage).is_some() { MAX_CENTRES } else { limit };
        let (pipes, setting) = (without_context(stage).to_vec(), self.setting(limit));
        self.feed(run, Arc::clone(&self.wanted), pipes, after, setting).await
    }

    async fn feed(
        &self,
        run: &mut Run,
        wanted: Arc<Wanted>,
        pipes: Vec<Pipe>,
        after: Option<Position>,
        setting: Setting,
    ) -> Result<Piped, Error> {
        let (limit, memory_bytes) = (setting.page, setting.memory_bytes);
        let paged = is_paged(&pipes);
        let pipeline = run.prepare(move || Pipeline::new(&pipes, &setting)).await??;
        let (seen, order) = (self.seen.clone(), self.order);
        let count = self.count;
        let feed = Feed { wanted, seen, order, after, limit, memory_bytes, paged, count };
        let Fed { pipeline, matched, coverage, last } = feed.run(run, self.view, pipeline).await?;
        let outcome = run.blocking(|| pipeline.finish()).await??;
        Ok(Piped { outcome, matched, coverage, last })
    }

    /// The stage behind a `context`.
    async fn next(
        &self,
        run: &mut Run,
        before: Piped,
        context: &Context,
        stage: &[Pipe],
        limit: usize,
    ) -> Result<Piped, Error> {
        let Piped { outcome, matched, mut coverage, last } = before;
        let Outcome::Events { events, cut, .. } = outcome else {
            return Ok(Piped { outcome, matched, coverage, last: None });
        };
        if cut || last.is_some() {
            let count = events.len();
            coverage.omit(format!("only the surroundings of the first {count} events are looked up"));
        }
        let events = self.around(run, events, context, &mut coverage).await?;
        let limit = if context_of(stage).is_some() { MAX_CENTRES } else { limit };
        let (pipes, setting) = (without_context(stage).to_vec(), self.setting(limit));
        let outcome = run.blocking(move || through(&events, &pipes, &setting)).await??;
        Ok(Piped { outcome, matched, coverage, last: None })
    }

    /// Events and those around them, each once, in the order of the search.
    async fn around(
        &self,
        run: &mut Run,
        centres: Vec<Event>,
        context: &Context,
        coverage: &mut Coverage,
    ) -> Result<Vec<Event>, Error> {
        let memory_bytes = self.searcher.limits.memory_bytes;
        let by: Vec<String> = context.by.iter().map(|name| name.to_string()).collect();
        let mut found: BTreeMap<Position, Event> = BTreeMap::new();
        let mut bytes = 0;
        let centres: Vec<(Position, Event)> =
            centres.into_iter().filter_map(|event| Some((position(&event)?, event))).collect();
        for (at, event) in &centres {
            let shared = shared(event, &by);
            let filter =
                shared.iter().fold(self.seen.clone(), |all, (name, value)| all.and(equals(name, value)));
            let wanted = run.prepare(move || neighbours(filter)).await??;
            let sides = [(Order::Descending, context.before), (Order::Ascending, context.after)];
            for (order, limit) in sides.into_iter().filter(|(_, limit)| *limit > 0) {
                let side = Side { wanted: &wanted, at: *at, order, limit, memory_bytes };
                let (page, more) = side.look(run, self.view).await?;
                coverage.add(&more);
                for event in page.events {
                    let Some(at) = position(&event) else { continue };
                    bytes += event.heap_bytes();
                    found.insert(at, event);
                }
            }
            if bytes > memory_bytes {
                let key = "limits.search_bytes";
                coverage
                    .omit(format!("the surroundings take more than {memory_bytes} bytes of memory ({key})"));
                break;
            }
        }
        // What came through may have been changed on its way.
        found.extend(centres);
        let found = found.into_values();
        Ok(match self.order {
            Order::Ascending => found.collect(),
            Order::Descending => found.rev().collect(),
        })
    }

    /// What the other search of a join finds.
    async fn join(&self, run: &mut Run, join: &Join, coverage: &mut Coverage) -> Result<JoinTable, Error> {
        let Query { filter, pipes } = (*join.query).clone();
        let filter = filter.resolve(self.now).and(self.seen.clone());
        let filed = self.wanted.request.filed.clone();
        let wanted = run.prepare(move || Wanted::new(filter, filed)).await??;
        let mut setting = self.setting(MAX_JOIN_ROWS);
        setting.memory_bytes /= JOIN_SHARE;
        let piped = self.feed(run, Arc::new(wanted), pipes, None, setting).await?;
        coverage.add(&piped.coverage);
        let (table, cut) = table(piped.outcome, &join.on);
        if cut || piped.last.is_some() {
            coverage.omit(format!("the search within `join` was cut at {} rows", table.rows.len()));
        }
        Ok(table)
    }
}

fn neighbours(filter: Filter) -> Result<Arc<Wanted>, Error> {
    Ok(Arc::new(Wanted::new(filter, Timestamp::MIN..Timestamp::MAX)?))
}

/// Takes events through pipes.
fn through(events: &[Event], pipes: &[Pipe], setting: &Setting) -> Result<Outcome, PipeError> {
    // One more than a page tells whether that is all there is.
    let page = setting.page;
    let mut pipeline = Pipeline::new(pipes, &Setting { page: page.saturating_add(1), ..setting.clone() })?;
    if pipeline.needs() == crate::pipe::Needs::Count {
        pipeline.push_count(events.len() as u64);
        return pipeline.finish();
    }
    for event in events {
        if pipeline.push_event(event)? == Flow::Enough {
            break;
        }
    }
    let limited = pipes.iter().any(|pipe| matches!(pipe, Pipe::Limit(_)));
    Ok(match pipeline.finish()? {
        Outcome::Events { mut events, shown, cut } if !limited => {
            let more = events.len() > page;
            events.truncate(page);
            Outcome::Events { events, shown, cut: cut || more }
        }
        outcome => outcome,
    })
}

/// What was found as a table, and whether some of it was left out.
fn table(outcome: Outcome, on: &[Box<str>]) -> (JoinTable, bool) {
    match outcome {
        Outcome::Table(table) => {
            let cut = table.rows.len() > MAX_JOIN_ROWS;
            let rows = table.rows.into_iter().take(MAX_JOIN_ROWS);
            let rows = rows.map(|row| row.iter().map(value).collect()).collect();
            (JoinTable { columns: table.columns, rows }, cut)
        }
        Outcome::Events { events, shown, cut } => {
            let mut table =
                JoinTable { columns: on.iter().map(|name| name.to_string()).collect(), rows: Vec::new() };
            let mut places: HashMap<String, usize> =
                table.columns.iter().enumerate().map(|(at, name)| (name.clone(), at)).collect();
            for event in &events {
                table.rows.push(row(event, &shown, &mut table.columns, &mut places));
            }
            (table, cut)
        }
    }
}

fn row(
    event: &Event,
    shown: &Shown,
    columns: &mut Vec<String>,
    places: &mut HashMap<String, usize>,
) -> Vec<Value> {
    let labels = event.stream.iter().map(|(label, _)| label);
    let names = event.fields.iter().map(|(field, _)| field).chain(labels).chain([name::MESSAGE]);
    let names: Vec<&str> = names.filter(|name| shown.shows(name)).collect();
    for name in names {
        if columns.len() < MAX_JOIN_COLUMNS && !places.contains_key(name) {
            places.insert(name.to_owned(), columns.len());
            columns.push(name.to_owned());
        }
    }
    let get = |column: &String| event.get(column).filter(|_| shown.shows(column));
    columns.iter().map(|column| get(column).map_or(Value::Null, std::borrow::Cow::into_owned)).collect()
}

/// A cell of an answer as a value again.
fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null | serde_json::Value::Object(_) => Value::Null,
        serde_json::Value::Bool(truth) => (*truth).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64().map_or(Value::Null, Value::Float),
        },
        serde_json::Value::String(text) => Value::ip_or_str(text),
        serde_json::Value::Array(values) => Value::List(values.iter().map(value).collect()),
    }
}

fn pageless() -> Error {
    Error::Parameter {
        name: "cursor",
        reason: "these pipes make one answer, not pages".into(),
        hint: "leave `cursor` out".into(),
    }
}
