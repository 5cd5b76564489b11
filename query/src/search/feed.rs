//! Feeding a pipeline: what it needs, from all parts of a view.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use locard_event::{Event, Timestamp};
use locard_indexer::View;
use locard_store::{Control, Error as StoreError, Order, Position};

use super::Error;
use super::coverage::Coverage;
use super::find::{Find, find};
use super::part::{Part, Wanted, parts, position};
use super::run::{Run, lock};
use crate::pipe::{Flow, Needs, PipeError, Pipeline};

/// How many times are gathered before the pipeline, which all threads share, is locked.
const TIMES_A_LOCK: usize = 4_096;
/// How many events are read at a time for a pipe that wants the first few in order.
const PAGE_EVENTS: usize = 1_000;

/// A search whose events go into a pipeline.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    pub(crate) memory_bytes: usize,
    /// Whether pages follow one another, with a cursor from one to the next.
    pub(crate) paged: bool,
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
    pub(crate) async fn run(self, run: &mut Run, view: &View, mut pipeline: Pipeline) -> Result<Fed, Error> {
        match pipeline.needs() {
            Needs::Count => {
                let found = find(run, view, self.find(0, None, true)).await?;
                pipeline.push_count(found.matched);
                Ok(Fed { pipeline, matched: found.matched, coverage: found.coverage, last: None })
            }
            Needs::Times => self.all(run, view, pipeline, Funnel::times).await,
            Needs::Events { ordered: false, .. } => self.all(run, view, pipeline, Funnel::events).await,
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
    async fn page(self, run: &mut Run, view: &View, mut pipeline: Pipeline) -> Result<Fed, Error> {
        let found = find(run, view, self.find(self.limit, self.after, true)).await?;
        let mut coverage = found.coverage;
        push_all(&mut pipeline, &found.page.events, &mut coverage);
        let last = found.page.events.last().filter(|_| found.page.more).and_then(position);
        Ok(Fed { pipeline, matched: found.matched, coverage, last })
    }

    /// Events in order until the pipeline has enough, page after page, so that no more than a page is held beside what the
    /// pipeline holds.
    async fn first(self, run: &mut Run, view: &View, pipeline: Pipeline, most: usize) -> Result<Fed, Error> {
        let (mut left, mut after) = (most, self.after);
        let mut fed = Fed { pipeline, matched: 0, coverage: Coverage::default(), last: None };
        for round in 0.. {
            let found = find(run, view, self.find(left.min(PAGE_EVENTS), after, round == 0)).await?;
            let (events, more) = (found.page.events, found.page.more);
            if round == 0 {
                (fed.matched, fed.coverage) = (found.matched, found.coverage);
            } else {
                fed.coverage.add(&found.coverage);
            }
            let pushed = push_all(&mut fed.pipeline, &events, &mut fed.coverage);
            left = left.saturating_sub(events.len());
            after = events.last().and_then(position);
            if let Pushed::Enough(count) = pushed {
                let unread = more || count < events.len();
                fed.last = events.get(count - 1).filter(|_| self.paged && unread).and_then(position);
                break;
            }
            if matches!(pushed, Pushed::Failed) || !more || left == 0 {
                break;
            }
        }
        Ok(fed)
    }

    /// Every event, in no order.
    async fn all(
        self,
        run: &mut Run,
        view: &View,
        pipeline: Pipeline,
        pour: fn(&Funnel, &Part, &Control) -> Result<(), StoreError>,
    ) -> Result<Fed, Error> {
        let funnel = Arc::new(Funnel::new(Arc::clone(&self.wanted), pipeline));
        let (into, control) = (Arc::clone(&funnel), Arc::clone(&run.control));
        let parts = parts(view, &self.wanted, self.order);
        let mut coverage = run.scan(parts, move |part| pour(&into, part, &control)).await?;
        coverage.lacks(view);
        // The threads are done, and theirs were the only other holders.
        let funnel = Arc::into_inner(funnel).ok_or(Error::Failed)?;
        let (pipeline, stopped) =
            funnel.pipeline.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(error) = stopped {
            coverage.omit(error.to_string());
        }
        Ok(Fed { pipeline, matched: funnel.matched.into_inner(), coverage, last: None })
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

fn push_all(pipeline: &mut Pipeline, events: &[Event], coverage: &mut Coverage) -> Pushed {
    for (index, event) in events.iter().enumerate() {
        match pipeline.push_event(event) {
            Ok(Flow::More) => {}
            Ok(Flow::Enough) => return Pushed::Enough(index + 1),
            Err(error) => {
                coverage.omit(error.to_string());
                return Pushed::Failed;
            }
        }
    }
    Pushed::All
}

/// One pipeline that several threads feed.
struct Funnel {
    wanted: Arc<Wanted>,
    /// And why it takes no more.
    pipeline: Mutex<(Pipeline, Option<PipeError>)>,
    /// Whether it takes no more.
    full: AtomicBool,
    matched: AtomicU64,
}

impl Funnel {
    fn new(wanted: Arc<Wanted>, pipeline: Pipeline) -> Self {
        let (full, matched) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { wanted, pipeline: Mutex::new((pipeline, None)), full, matched }
    }

    fn times(&self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let mut times = Vec::with_capacity(TIMES_A_LOCK);
        let done = part.times(&self.wanted, control, &mut |time| {
            times.push(time);
            if times.len() == TIMES_A_LOCK {
                self.push_times(&mut times);
            }
        });
        self.push_times(&mut times);
        done
    }

    fn push_times(&self, times: &mut Vec<Timestamp>) {
        self.matched.fetch_add(times.len() as u64, Ordering::Relaxed);
        let mut locked = lock(&self.pipeline);
        let (pipeline, stopped) = &mut *locked;
        for time in times.drain(..) {
            if stopped.is_none() {
                *stopped = pipeline.push_time(time).err();
            }
        }
    }

    /// Once the pipeline takes no more, the rest is only counted.
    fn events(&self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let mut matched = 0;
        let done = part.each(&self.wanted, control, &mut |event| {
            if self.full.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            matched += 1;
            self.push_event(event);
            ControlFlow::Continue(())
        });
        if done.is_ok() && self.full.load(Ordering::Relaxed) {
            matched = part.count(&self.wanted, control)?;
        }
        self.matched.fetch_add(matched, Ordering::Relaxed);
        done
    }

    fn push_event(&self, event: &Event) {
        let mut locked = lock(&self.pipeline);
        let (pipeline, stopped) = &mut *locked;
        if self.full.load(Ordering::Relaxed) {
            return;
        }
        match pipeline.push_event(event) {
            Ok(Flow::More) => return,
            Ok(Flow::Enough) => {}
            Err(error) => *stopped = Some(error),
        }
        self.full.store(true, Ordering::Relaxed);
    }
}
