//! [`Searcher`]: the handle that faces search with.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use locard_event::{Event, Timestamp};
use locard_filter::Filter;
use locard_indexer::{Indexer, Principal, View};
use locard_store::Request;
use tokio::sync::Semaphore;

use super::coverage::Coverage;
use super::cursor::Cursor;
use super::exported::known;
use super::find::{Find, SHARE, find};
use super::line::Line;
use super::metrics::End;
use super::part::{Hit, position};
use super::plan::{Ask, Plan, deadline};
use super::run::Run;
use super::stages::Piped;
use super::warn::{Warning, warnings};
use super::{Error, Limits, Metrics};
use crate::pipe::{Outcome, Pipe, Shown, time_range};

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
    /// What was found, or what pipes made of it.
    pub outcome: Outcome,
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
    /// What the query is likely to be wrong about.
    pub warnings: Vec<Warning>,
}

/// A page of events, written out.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<Line>,
    pub(crate) matched: Matched,
    pub(crate) incomplete_because: Option<String>,
    pub(crate) cursor: Option<String>,
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
        let mut run = Run::begin(&self.gate, &self.metrics, deadline(ask, &self.limits)).await?;
        let planned = self.plan(&mut run, principal, ask, Filter::All).await?;
        let q = ask.q.clone();
        let (planned, warnings) = run
            .prepare(move || {
                let warnings = warnings(&q, &planned.0, &planned.1);
                (planned, warnings)
            })
            .await?;
        let answer = self.page(run, principal, planned, ask.moment.is_none()).await?;
        Ok(Answer { warnings, ..answer })
    }

    /// A later page of a stream: waits for its turn, and does not count what matches; `matched` is what was come across.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.next", skip_all, fields(principal = %principal.name))]
    pub async fn next(&self, principal: &Principal, ask: &Ask) -> Result<Answer, Error> {
        let deadline = deadline(ask, &self.limits);
        let mut run = Run::begin_patiently(&self.gate, &self.metrics, deadline).await?;
        let planned = self.plan(&mut run, principal, ask, Filter::All).await?;
        self.page(run, principal, planned, false).await
    }

    async fn page(
        &self,
        mut run: Run,
        principal: &Principal,
        (plan, view): (Plan, View),
        count: bool,
    ) -> Result<Answer, Error> {
        let Plan { order, after, limit, now, .. } = plan;
        let memory_bytes = self.limits.memory_bytes;
        let (outcome, matched, coverage, last) = if plan.pipes.is_empty() {
            let wanted = Arc::new(plan.wanted);
            let found =
                find::<Event>(&mut run, &view, Find { wanted, order, after, limit, memory_bytes, count })
                    .await?;
            let last = found.page.events.last().filter(|_| found.page.more).and_then(position);
            let outcome = Outcome::Events { events: found.page.events, shown: Shown::All, cut: false };
            (outcome, found.matched, found.coverage, last)
        } else {
            let piped = self.pipe(&mut run, principal, &view, plan, count).await;
            if matches!(piped, Err(Error::Pipe(_) | Error::Parameter { .. })) {
                run.ended(End::Refused);
            }
            let Piped { outcome, matched, coverage, last } = piped?;
            (outcome, matched, coverage, last)
        };
        let cursor = last.map(|after| Cursor { order, now, after }.to_string());
        Ok(self.answer(&mut run, principal, outcome, matched, &coverage, cursor))
    }

    /// As [`Searcher::search`], or as [`Searcher::next`] where it is not the first page, of a query without pipes: events written out,
    /// at most about `max_bytes` of them.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.lines", skip_all, fields(principal = %principal.name))]
    pub(crate) async fn lines(
        &self,
        principal: &Principal,
        ask: &Ask,
        is_first: bool,
        max_bytes: usize,
    ) -> Result<Lines, Error> {
        let deadline = deadline(ask, &self.limits);
        let mut run = match is_first {
            true => Run::begin(&self.gate, &self.metrics, deadline).await?,
            false => Run::begin_patiently(&self.gate, &self.metrics, deadline).await?,
        };
        let (plan, view) = self.plan(&mut run, principal, ask, Filter::All).await?;
        let Plan { order, after, limit, now, wanted, .. } = plan;
        // Each part may hold a share of it.
        let memory_bytes = self.limits.memory_bytes.min(max_bytes.saturating_mul(SHARE));
        let wanted = Arc::new(wanted);
        // An export counts what it hands out.
        let count = is_first && ask.moment.is_none();
        let find_these = Find { wanted, order, after, limit, memory_bytes, count };
        let found = find::<Line>(&mut run, &view, find_these).await?;
        let last = found.page.events.last().filter(|_| found.page.more).and_then(Line::position);
        let cursor = last.map(|after| Cursor { order, now, after }.to_string());
        let matched = Matched { value: found.matched, exact: found.coverage.saw_everything() };
        let incomplete_because = self.conclude(&mut run, &found.coverage);
        Ok(Lines { lines: found.page.events, matched, incomplete_because, cursor })
    }

    /// Plans what is asked, among the events that match `filter` too, and takes the view it is asked of. Compiling regular expressions
    /// may take long, and a view may have to wait for who changes it: both are done in a search's turn, and where they hold nobody up.
    pub(crate) async fn plan(
        &self,
        run: &mut Run,
        principal: &Principal,
        ask: &Ask,
        filter: Filter,
    ) -> Result<(Plan, View), Error> {
        let (principal, ask, limits) = (principal.clone(), ask.clone(), self.limits.clone());
        let indexer = Arc::clone(&self.indexer);
        let plan = move || {
            let _span = tracing::info_span!("search.plan").entered();
            let plan = Plan::new(&ask, &principal, &limits, clock())?.narrow(filter)?;
            Ok((plan, known(indexer.view(&principal.tenant), ask.moment)))
        };
        let plan = run.prepare(plan).await?;
        if plan.is_err() {
            run.ended(End::Refused);
        }
        plan
    }

    fn answer(
        &self,
        run: &mut Run,
        principal: &Principal,
        outcome: Outcome,
        matched: u64,
        coverage: &Coverage,
        cursor: Option<String>,
    ) -> Answer {
        Answer {
            outcome,
            matched: Matched { value: matched, exact: coverage.saw_everything() },
            incomplete_because: self.conclude(run, coverage),
            cursor,
            took: run.took(),
            scanned: scanned(coverage, principal),
            warnings: Vec::new(),
        }
    }

    /// Tells the metrics how a search ended; answers why it is incomplete.
    pub(crate) fn conclude(&self, run: &mut Run, coverage: &Coverage) -> Option<String> {
        let because = coverage.because();
        run.ended(if because.is_none() { End::Complete } else { End::Incomplete });
        self.metrics.splits.inc_by(coverage.splits);
        because
    }
}

/// The range that a chart spans: what is asked for by parameters and in the query.
pub(crate) fn within(request: &Request) -> Range<Timestamp> {
    let said = time_range(&request.filter);
    let Range { start, end } = request.filed;
    start.max(said.start)..end.min(said.end)
}

/// Whether the answer to these pipes comes in pages; else it is one answer, with at most as many events as are asked for.
pub(crate) fn is_paged(pipes: &[Pipe]) -> bool {
    let is_paged = |pipe: &Pipe| {
        matches!(
            pipe,
            Pipe::Fields(_)
                | Pipe::Where(_)
                | Pipe::Rename(_)
                | Pipe::Rex(_)
                | Pipe::Parse(_)
                | Pipe::Eval(_)
                | Pipe::Lookup(_)
        )
    };
    pipes.iter().all(is_paged)
}

/// What a search cost. Nothing is said to who may see only some of the events: the numbers would tell of the others.
pub(crate) fn scanned(coverage: &Coverage, principal: &Principal) -> Scanned {
    if principal.filter.is_some() {
        return Scanned::default();
    }
    Scanned { splits: coverage.splits, events: coverage.events, bytes: coverage.bytes }
}

/// The time now. Searches take it once and pass it on.
pub(crate) fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
