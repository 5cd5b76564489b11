//! [`Pipeline`]: pipes at work.

use std::ops::Range;

use locard_event::{Event, Timestamp};

use super::{Flow, Needs, Outcome, Pipe, PipeError, Shown};

/// What a pipeline works under.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Most memory it may hold, in bytes.
    pub memory_bytes: usize,
    /// How many events an answer may have where no pipe says so.
    pub page: usize,
    /// The range of time that is searched; [`Timestamp::MIN`] and [`Timestamp::MAX`] where it is open.
    pub filed: Range<Timestamp>,
    /// When the search was asked.
    pub now: Timestamp,
}

/// Pipes at work: fed with what [`Pipeline::needs`] says, then finished.
#[derive(Debug)]
pub struct Pipeline {
    events: Vec<Event>,
    page: usize,
}

impl Pipeline {
    /// Pipes ready to be fed.
    ///
    /// # Errors
    /// The range of time holds too many buckets, or a `where` cannot be compiled.
    pub fn new(_pipes: &[Pipe], setting: &Setting) -> Result<Self, PipeError> {
        Ok(Self { events: Vec::new(), page: setting.page })
    }

    /// What must be fed.
    pub fn needs(&self) -> Needs {
        Needs::Events { ordered: true, at_most: None }
    }

    /// Feeds one event.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn push_event(&mut self, event: &Event) -> Result<Flow, PipeError> {
        if self.events.len() < self.page {
            self.events.push(event.clone());
        }
        Ok(if self.events.len() < self.page { Flow::More } else { Flow::Enough })
    }

    /// Feeds the time of one event: its [`Event::filed`]. Only where [`Needs::Times`] was said.
    ///
    /// # Errors
    /// The times span more buckets than a table may have rows.
    pub fn push_time(&mut self, _filed: Timestamp) -> Result<(), PipeError> {
        Ok(())
    }

    /// Feeds this many events. Only where [`Needs::Count`] was said.
    pub fn push_count(&mut self, _events: u64) {}

    /// What the pipes made of what was fed.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn finish(self) -> Result<Outcome, PipeError> {
        Ok(Outcome::Events { events: self.events, shown: Shown::All, cut: false })
    }
}
