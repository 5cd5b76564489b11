//! [`Gather`]: one pipeline that several threads feed, in no order. Each feeds a fork of it by itself, and merges that when its part
//! is done: so what a thread that came too late has fed is not in the answer, and its part counts as left out.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use locard_store::{Control, Error as StoreError};

use super::part::{Part, Wanted};
use super::run::{MAX_WIDTH, lock};
use crate::pipe::{Needs, PipeError, Pipeline};

/// All forks together may hold this share of the memory.
const FORKS_SHARE: usize = 4;

/// One pipeline that several threads feed.
pub(crate) struct Gather {
    wanted: Arc<Wanted>,
    filled: Mutex<Filled>,
    /// Whether it takes no more.
    full: AtomicBool,
    /// What a fork may hold before it is merged in the middle of a part.
    fork_bytes: usize,
}

/// What was fed.
#[derive(Default)]
pub(crate) struct Filled {
    /// Nothing once its answer is being made.
    pub(crate) pipeline: Option<Pipeline>,
    /// Why it takes no more.
    pub(crate) stopped: Option<PipeError>,
    pub(crate) matched: u64,
}

impl Gather {
    /// One for so many parts: no more threads than that feed it.
    pub(crate) fn new(
        wanted: Arc<Wanted>,
        mut pipeline: Pipeline,
        memory_bytes: usize,
        parts: usize,
    ) -> Self {
        let width = parts.clamp(1, MAX_WIDTH);
        let fork_bytes = memory_bytes / FORKS_SHARE / width;
        pipeline.reserve(fork_bytes * width);
        let filled = Mutex::new(Filled { pipeline: Some(pipeline), ..Filled::default() });
        Self { wanted, filled, full: AtomicBool::new(false), fork_bytes }
    }

    /// Ends the feeding; a thread that comes later finds nothing to feed.
    pub(crate) fn take(&self) -> Filled {
        std::mem::take(&mut *lock(&self.filled))
    }

    /// Feeds what a part has. What was fed before a stop counts, too. Once the pipeline takes no more, the rest is only counted.
    pub(crate) fn part(&self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let Some(fork) = lock(&self.filled).pipeline.as_ref().map(Pipeline::fork) else { return Ok(()) };
        let mut pouring = Pouring { into: self, fork, matched: 0 };
        let done = pouring.pour(part, control);
        let Pouring { fork, mut matched, .. } = pouring;
        if done.is_ok() && self.is_full() {
            matched = part.count(&self.wanted, control)?;
        }
        self.merge(fork);
        lock(&self.filled).matched += matched;
        done
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn merge(&self, fork: Pipeline) {
        let mut locked = lock(&self.filled);
        let Filled { pipeline: Some(pipeline), stopped, .. } = &mut *locked else { return };
        if stopped.is_none() {
            *stopped = pipeline.merge(fork).err();
            self.full.store(stopped.is_some(), Ordering::Relaxed);
        }
    }
}

/// A thread at work on a part.
struct Pouring<'a> {
    into: &'a Gather,
    fork: Pipeline,
    matched: u64,
}

impl Pouring<'_> {
    fn pour(&mut self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let wanted = &self.into.wanted;
        match (part, self.fork.needs()) {
            (Part::Split(split), Needs::Groups(keys)) => {
                split.tally(&wanted.request, &keys, control, &mut |values, events| {
                    self.matched += events;
                    let pushed = self.fork.push_group(values, events);
                    self.settle(pushed)
                })
            }
            (Part::Split(split), Needs::Patterns) => {
                let events = split.patterns(&wanted.request, control, &mut |row| {
                    let pushed = self.fork.push_pattern(row);
                    self.empty(pushed);
                })?;
                self.fork.push_count(events);
                self.matched += events;
                Ok(())
            }
            _ => part.each(wanted, control, &mut |event| {
                self.matched += 1;
                let pushed = self.fork.push_event(event).map(|_| ());
                self.settle(pushed)
            }),
        }
    }

    /// As [`Self::empty`], and whether to go on.
    fn settle(&mut self, pushed: Result<(), PipeError>) -> ControlFlow<()> {
        self.empty(pushed);
        if self.into.is_full() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Merges the fork if it holds too much, and goes on with an empty one.
    fn empty(&mut self, pushed: Result<(), PipeError>) {
        if pushed.is_err() || self.fork.bytes() > self.into.fork_bytes {
            self.fork.shrink();
            if self.fork.bytes() > self.into.fork_bytes / 2 {
                let empty = self.fork.fork();
                self.into.merge(std::mem::replace(&mut self.fork, empty));
            }
        }
    }
}
