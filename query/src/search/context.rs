//! What surrounds one event: its neighbours in the same stream, or among events that share some fields with it.

use std::sync::Arc;
use std::time::Duration;

use locard_event::{Event, EventId, Timestamp, Value, name};
use locard_filter::{Filter, Predicate, Test};
use locard_indexer::{Principal, View};
use locard_store::{Order, Position};

use super::Error;
use super::best::Page;
use super::coverage::Coverage;
use super::find::{Find, find};
use super::metrics::End;
use super::part::{Wanted, position};
use super::plan::{reversed_range, wanted};
use super::run::Run;
use super::searcher::{Scanned, Searcher, clock, scanned};

/// Which surroundings are asked for.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Most events before.
    pub before: usize,
    /// Most events after.
    pub after: usize,
    /// Labels and fields in which neighbours equal the event; none means the same stream.
    pub by: Vec<String>,
    /// A further filter on the neighbours; empty means all.
    pub q: String,
}

/// An event among its neighbours.
#[derive(Clone, Debug)]
pub struct Surrounded {
    /// Oldest first, by (filed time, id), the event itself among them.
    pub events: Vec<Event>,
    /// Where it stands.
    pub index: usize,
    /// Whether there are neighbours before the first.
    pub more_before: bool,
    /// Whether there are neighbours after the last.
    pub more_after: bool,
    /// What they share: names and the event's values.
    pub by: Vec<(String, Value)>,
    /// Why something is missing; nothing if it is all there.
    pub incomplete_because: Option<String>,
    /// From request to answer.
    pub took: Duration,
    /// What it cost.
    pub scanned: Scanned,
}

impl Searcher {
    /// The event with this id among its neighbours.
    ///
    /// # Errors
    /// As [`Searcher::event`] and [`Searcher::search`].
    #[tracing::instrument(name = "search.context", skip_all, fields(principal = %principal.name))]
    pub async fn context(
        &self,
        principal: &Principal,
        id: EventId,
        ask: &Surroundings,
    ) -> Result<Surrounded, Error> {
        let clock = clock();
        let asked = locard_filter::parse(&ask.q)?;
        if let Some(predicate) = asked.reversed_at(clock) {
            return Err(reversed_range(predicate, clock));
        }
        let asked = asked.resolve(clock);
        let event = self.event(principal, id).await?;
        let by = shared(&event, &ask.by);
        let filter = by.iter().fold(asked, |filter, (name, value)| filter.and(equals(name, value)));
        let all = Timestamp::MIN..Timestamp::MAX;
        let at = position(&event).ok_or(Error::NotFound)?;

        let mut run = Run::begin(&self.gate, &self.metrics, self.limits.deadline).await?;
        let (asker, indexer) = (principal.clone(), Arc::clone(&self.indexer));
        let plan = move || (wanted(filter, all, &asker, clock), indexer.view(&asker.tenant));
        let (wanted, view) = run.prepare(plan).await?;
        let wanted = Arc::new(wanted.inspect_err(|_| run.ended(End::Refused))?);
        let side =
            |order, limit| Side { wanted: &wanted, at, order, limit, memory_bytes: self.limits.memory_bytes };
        let (before, mut coverage) = side(Order::Descending, ask.before).look(&mut run, &view).await?;
        let (after, rest) = side(Order::Ascending, ask.after).look(&mut run, &view).await?;
        coverage.add(&rest);
        let incomplete_because = self.conclude(&mut run, &coverage);
        let (took, scanned) = (run.took(), scanned(&coverage, principal));
        Ok(Surrounded { incomplete_because, took, scanned, by, ..join(before, event, after) })
    }
}

/// One side of the event.
pub(super) struct Side<'a> {
    pub(super) wanted: &'a Arc<Wanted>,
    pub(super) at: Position,
    pub(super) order: Order,
    pub(super) limit: usize,
    pub(super) memory_bytes: usize,
}

impl Side<'_> {
    /// The nearest on this side. Asked for none, one is looked for all the same, to tell whether there are more.
    pub(super) async fn look(&self, run: &mut Run, view: &View) -> Result<(Page, Coverage), Error> {
        let find_this = Find {
            wanted: Arc::clone(self.wanted),
            order: self.order,
            after: Some(self.at),
            limit: self.limit.max(1),
            memory_bytes: self.memory_bytes,
            count: false,
        };
        let mut found = find(run, view, find_this).await?;
        if found.page.events.len() > self.limit {
            found.page.events.truncate(self.limit);
            found.page.more = true;
        }
        Ok((found.page, found.coverage))
    }
}

fn join(before: Page, event: Event, after: Page) -> Surrounded {
    let index = before.events.len();
    let events = before.events.into_iter().rev().chain([event]).chain(after.events).collect();
    Surrounded {
        events,
        index,
        more_before: before.more,
        more_after: after.more,
        by: Vec::new(),
        incomplete_because: None,
        took: Duration::ZERO,
        scanned: Scanned::default(),
    }
}

/// What neighbours share with the event; a name that the event lacks is shared by lacking it.
pub(super) fn shared(event: &Event, by: &[String]) -> Vec<(String, Value)> {
    let stream = [name::STREAM.to_owned()];
    let names = if by.is_empty() { &stream } else { by };
    let value = |name: &String| event.get(name).map_or(Value::Null, std::borrow::Cow::into_owned);
    names.iter().map(|name| (name.clone(), value(name))).collect()
}

/// Built as a tree, not as text, so that no value of a hostile line is read as a query.
pub(super) fn equals(name: &str, value: &Value) -> Filter {
    let is = |test| Filter::Is(Predicate { field: Some(name.into()), test });
    let texts = value.elements().iter().filter(|element| !matches!(element, Value::Null));
    let tests = texts.map(|element| is(Test::Equals(element.text().into())));
    match tests.reduce(Filter::and) {
        Some(filter) => filter,
        None => Filter::Not(Box::new(is(Test::Exists))),
    }
}
