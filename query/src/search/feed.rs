//! Feeding a pipeline: what it needs, from all parts of a view.

use std::sync::Arc;

use locard_event::Event;
use locard_filter::Filter;
use locard_indexer::View;
use locard_store::{Control, Order, Position};

use super::Error;
use super::coverage::Coverage;
use super::find::{Find, find};
use super::gather::{Filled, Gather};
use super::novelty::known_patterns;
use super::part::{Part, Wanted, parts, position};
use super::run::Run;
use crate::pipe::{Flow, Needs, PipeError, Pipeline};

/// How many events a pipeline is given between two looks at the clock.
const PUSHED_A_CHECK: usize = 64;
/// How many events are read at a time for a pipe that wants the first few in order.
const PAGE_EVENTS: usize = 1_000;

/// A search whose events go into a pipeline.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) wanted: Arc<Wanted>,
    /// What there is to be seen, whatever is searched for.
    pub(crate) seen: Filter,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    pub(crate) memory_bytes: usize,
    /// Whether pages follow one another, with a cursor from one to the next.
    pub(crate) paged: bool,
    /// Whether to count all that match, on whatever page.
    pub(crate) count: bool,
}

/// A pipeline that got all it is going to get.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) pipeline: Pipeline,
    pub(crate) matched: u64,
    pub(crate) coverage: Coverage,
    /// The last event that was fed, if a page follows.
    pub(crate) last: Option<Position>,
}

impl Feed {
    /// Feeds `pipeline` what it needs. One that reaches its memory limit is fed no more, and the coverage says so.
    pub(crate) async fn run(self, run: &mut Run, view: &View, pipeline: Pipeline) -> Result<Fed, Error> {
        let seen = self.seen.clone();
        let mut fed = self.feed(run, view, pipeline).await?;
        if let Some((since, suspects)) = fed.pipeline.suspects() {
            let (known, coverage) = known_patterns(run, view, seen, since, suspects).await?;
            fed.coverage.add(&coverage);
            fed.pipeline.forget(&known);
        }
        Ok(fed)
    }

    async fn feed(self, run: &mut Run, view: &View, mut pipeline: Pipeline) -> Result<Fed, Error> {
        match pipeline.needs() {
            Needs::Count => {
                let found = find::<Event>(run, view, self.find(0, None, true)).await?;
                pipeline.push_count(found.matched);
                Ok(Fed { pipeline, matched: found.matched, coverage: found.coverage, last: None })
            }
            Needs::Groups(_) | Needs::Patterns | Needs::Events { ordered: false, .. } => {
                self.all(run, view, pipeline).await
            }
            Needs::Events { .. } if pipeline.is_page() => self.page(run, view, pipeline).await,
            Needs::Events { at_most, .. } => {
                self.first(run, view, pipeline, at_most.unwrap_or(usize::MAX)).await
            }
        }
    }

    fn find(&self, limit: usize, after: Option<Position>, count: bool) -> Find {
        let Self { order, memory_bytes, .. } = *self;
        Find { wanted: Arc::clone(&self.wanted), order, after, limit, memory_bytes, count }
    }

    /// One page, for pipes that leave the events what they are.
    async fn page(self, run: &mut Run, view: &View, pipeline: Pipeline) -> Result<Fed, Error> {
        let found = find(run, view, self.find(self.limit, self.after, self.count)).await?;
        let mut coverage = found.coverage;
        let last = found.page.events.last().filter(|_| found.page.more).and_then(position);
        let (pipeline, pushed) = push_all(run, pipeline, found.page.events, &mut coverage).await?;
        // What was left out would be behind the cursor.
        let last = last.filter(|_| !matches!(pushed, Pushed::Failed));
        Ok(Fed { pipeline, matched: found.matched, coverage, last })
    }

    /// Events in order until the pipeline has enough, page after page, so that no more than a page is held beside what the
    /// pipeline holds.
    async fn first(self, run: &mut Run, view: &View, pipeline: Pipeline, most: usize) -> Result<Fed, Error> {
        let (mut left, mut after) = (most, self.after);
        let mut fed = Fed { pipeline, matched: 0, coverage: Coverage::default(), last: None };
        for round in 0.. {
            let found =
                find(run, view, self.find(left.min(PAGE_EVENTS), after, self.count && round == 0)).await?;
            let (events, more) = (found.page.events, found.page.more);
            if round == 0 {
                (fed.matched, fed.coverage) = (found.matched, found.coverage);
            } else {
                fed.coverage.add(&found.coverage);
            }
            left = left.saturating_sub(events.len());
            after = events.last().and_then(position);
            let places: Vec<Option<Position>> = events.iter().map(position).collect();
            let pushed;
            (fed.pipeline, pushed) = push_all(run, fed.pipeline, events, &mut fed.coverage).await?;
            if let Pushed::Enough(count) = pushed {
                let unread = more || count < places.len();
                fed.last = places.get(count - 1).filter(|_| self.paged && unread).copied().flatten();
                break;
            }
            if matches!(pushed, Pushed::Failed) || !more || left == 0 {
                break;
            }
        }
        Ok(fed)
    }

    /// Every event, in no order.
    async fn all(self, run: &mut Run, view: &View, mut pipeline: Pipeline) -> Result<Fed, Error> {
        let parts = parts(view, &self.wanted, self.order);
        self.expect(&parts, &mut pipeline);
        let gather =
            Arc::new(Gather::new(Arc::clone(&self.wanted), pipeline, self.memory_bytes, parts.len()));
        let (into, control) = (Arc::clone(&gather), Arc::clone(&run.control));
        let mut coverage = run.scan(parts, move |part| into.part(part, &control)).await?;
        coverage.lacks(view);
        let Filled { pipeline, stopped, matched } = gather.take();
        if let Some(error) = stopped {
            coverage.omit(format!("{error}; {}", error.hint()));
        }
        Ok(Fed { pipeline: pipeline.ok_or(Error::Failed)?, matched, coverage, last: None })
    }

    /// Tells the pipeline when events are filed, where that is known before looking: of whole splits that match whole.
    fn expect(&self, parts: &[Part], pipeline: &mut Pipeline) {
        let request = &self.wanted.request;
        if request.filter != Filter::All {
            return;
        }
        for (first, last) in parts.iter().filter_map(Part::filed) {
            if request.filed.contains(&first) && request.filed.contains(&last) {
                pipeline.expect(first);
                pipeline.expect(last);
            }
        }
    }
}

/// How pushing a page went.
enum Pushed {
    All,
    /// The pipeline has enough after so many of them, at least one.
    Enough(usize),
    /// The pipeline takes no more; the coverage says why.
    Failed,
}

/// Pipes may take long over an event: on a thread that may be busy, and no longer than the search may run.
async fn push_all(
    run: &mut Run,
    mut pipeline: Pipeline,
    events: Vec<Event>,
    coverage: &mut Coverage,
) -> Result<(Pipeline, Pushed), Error> {
    let control = Arc::clone(&run.control);
    let push = move || {
        let pushed = push_until(&mut pipeline, &events, &control);
        (pipeline, pushed)
    };
    let (pipeline, pushed) = run.blocking(push).await?;
    let pushed = pushed.unwrap_or_else(|left_out| {
        match left_out {
            LeftOut::Late => coverage.late(1),
            LeftOut::Full(error) => coverage.omit(error.to_string()),
        }
        Pushed::Failed
    });
    Ok((pipeline, pushed))
}

/// Why a pipeline did not get everything.
enum LeftOut {
    Late,
    Full(PipeError),
}

fn push_until(pipeline: &mut Pipeline, events: &[Event], control: &Control) -> Result<Pushed, LeftOut> {
    for (index, event) in events.iter().enumerate() {
        if index > 0 && index % PUSHED_A_CHECK == 0 {
            control.check().map_err(|_| LeftOut::Late)?;
        }
        if pipeline.push_event(event).map_err(LeftOut::Full)? == Flow::Enough {
            return Ok(Pushed::Enough(index + 1));
        }
    }
    Ok(Pushed::All)
}
