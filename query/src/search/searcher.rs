//! [`Searcher`]: the handle that faces search with.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use locard_event::{Event, Timestamp};
use locard_indexer::{Indexer, Principal};
use tokio::sync::Semaphore;

use super::coverage::Coverage;
use super::find::{Find, Found, find};
use super::metrics::Outcome;
use super::part::position;
use super::plan::{Ask, Plan};
use super::run::Run;
use super::{Error, Limits, Metrics};

/// The handle that faces search with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Searcher {
    pub(crate) indexer: Arc<Indexer>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) tail_gate: Arc<Semaphore>,
}

/// How many events the filter matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The count.
    pub value: u64,
    /// Whether it is all of them, or at least as many.
    pub exact: bool,
}

/// What a search cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Splits looked into.
    pub splits: u64,
    /// Events looked at one by one.
    pub events: u64,
    /// Bytes read to do so.
    pub bytes: u64,
}

/// An answer: complete, or it says why not.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In the order asked for.
    pub events: Vec<Event>,
    /// All that match, on whatever page.
    pub matched: Matched,
    /// Why something is missing; nothing if it is all there.
    pub incomplete_because: Option<String>,
    /// Where the next page begins; nothing on the last one.
    pub cursor: Option<String>,
    /// From request to answer.
    pub took: Duration,
    /// What it cost.
    pub scanned: Scanned,
}

impl Searcher {
    /// A searcher over an indexer's events.
    pub fn new(indexer: Arc<Indexer>, limits: Limits, metrics: Metrics) -> Self {
        let gate = Arc::new(Semaphore::new(limits.concurrency));
        let tail_gate = Arc::new(Semaphore::new(limits.tails));
        Self { indexer, limits, metrics, gate, tail_gate }
    }

    /// Searches.
    ///
    /// # Errors
    /// See [`Error`]. A search that ran out of time or could not read a split is an answer, and says so.
    #[tracing::instrument(name = "search.run", skip_all, fields(principal = %principal.name))]
    pub async fn search(&self, principal: &Principal, ask: &Ask) -> Result<Answer, Error> {
        let plan = self.plan(principal, ask)?;
        let mut run = Run::begin(&self.gate, &self.metrics, plan.deadline).await?;
        let view = self.indexer.view(&principal.tenant);
        let Plan { order, after, limit, now, .. } = plan;
        let memory_bytes = self.limits.memory_bytes;
        let wanted = Arc::new(plan.wanted);
        let found =
            find(&mut run, &view, Find { wanted, order, after, limit, memory_bytes, count: true }).await?;
        let last = found.page.events.last().filter(|_| found.page.more).and_then(position);
        let cursor = last.map(|after| super::cursor::Cursor { order, now, after }.to_string());
        Ok(self.answer(&mut run, found, cursor))
    }

    pub(crate) fn plan(&self, principal: &Principal, ask: &Ask) -> Result<Plan, Error> {
        let span = tracing::info_span!("search.plan");
        let plan = span.in_scope(|| Plan::new(ask, principal, &self.limits, clock()));
        if plan.is_err() {
            self.metrics.ended(Outcome::Refused, 0.0);
        }
        plan
    }

    fn answer(&self, run: &mut Run, found: Found, cursor: Option<String>) -> Answer {
        let incomplete_because = self.conclude(run, &found.coverage);
        Answer {
            events: found.page.events,
            matched: Matched { value: found.matched, exact: found.coverage.saw_everything() },
            incomplete_because,
            cursor,
            took: run.took(),
            scanned: scanned(&found.coverage),
        }
    }

    /// Tells the metrics how a search ended; answers why it is incomplete.
    pub(crate) fn conclude(&self, run: &mut Run, coverage: &Coverage) -> Option<String> {
        let because = coverage.because();
        run.ended(if because.is_none() { Outcome::Complete } else { Outcome::Incomplete });
        self.metrics.splits.inc_by(coverage.splits);
        because
    }
}

pub(crate) fn scanned(coverage: &Coverage) -> Scanned {
    Scanned { splits: coverage.splits, events: coverage.events, bytes: coverage.bytes }
}

/// The time now. Searches take it once and pass it on.
pub(crate) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
