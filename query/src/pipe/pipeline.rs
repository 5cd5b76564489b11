//! [`Pipeline`]: pipes at work. Steps that take events one by one, then one that gathers them, then the rest.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use locard_event::{Event, Stream, Timestamp, Value};
use locard_store::PatternRow;

use super::edit::Edit;
use super::join::Bound as JoinBound;
use super::lookup::Bound as LookupBound;
use super::record::Record;
use super::step::{Step, flow, is_plain};
use super::work::Work;
use super::{Decode, Flow, Join, JoinTable, Lookup, LookupTable, Needs, Outcome, Pipe, PipeError, Shown};

/// What a pipeline works under.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Most memory it may hold, in bytes.
    pub memory_bytes: usize,
    /// How many events an answer may have where no pipe says so.
    pub page: usize,
    /// The range of time that is searched; [`Timestamp::MIN`] and [`Timestamp::MAX`] where it is open. See [`super::time_range`].
    pub filed: Range<Timestamp>,
    /// When the search was asked.
    pub now: Timestamp,
    /// What lookups and joins look into.
    pub tables: Tables,
}

/// What lookups and joins look into.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// By name.
    pub lookups: HashMap<Box<str>, Arc<LookupTable>>,
    /// By the number of the join.
    pub joins: Vec<Arc<JoinTable>>,
}

impl Tables {
    fn lookup(&self, lookup: &Lookup) -> Result<LookupBound, PipeError> {
        let table = self.lookups.get(&lookup.table);
        let table = table.ok_or_else(|| PipeError::Lookup { table: lookup.table.clone() })?;
        LookupBound::new(lookup, Arc::clone(table))
    }

    /// A join and what its other search found: nothing, if it was not done.
    pub(super) fn join(&self, join: &Join) -> JoinBound {
        JoinBound::new(join, self.joins.get(join.number).cloned().unwrap_or_default())
    }
}

/// What a pipe changes of records one by one; nothing for other pipes.
pub(super) fn edits(pipe: &Pipe, setting: &Setting) -> Result<Vec<Edit>, PipeError> {
    let edit = match pipe {
        Pipe::Eval(eval) => Edit::Eval(eval.clone(), setting.now),
        Pipe::Rex(rex) => Edit::Rex(rex.clone()),
        Pipe::Parse(decode) => Edit::Decode(Decode::clone(decode)),
        Pipe::Rename(rename) => Edit::Rename(rename.clone()),
        Pipe::Lookup(lookup) => Edit::Lookup(Arc::new(setting.tables.lookup(lookup)?)),
        _ => return Ok(Vec::new()),
    };
    Ok(edit.each())
}

/// Pipes at work: fed with what [`Pipeline::needs`] says, then finished.
#[derive(Debug)]
pub struct Pipeline {
    steps: Vec<Step>,
    shown: Shown,
    work: Work,
    /// The pipes behind the one that gathers.
    rest: Vec<Pipe>,
    /// The fields whose values [`Pipeline::push_group`] is given; nothing if it takes events alone.
    columns: Option<Vec<String>>,
    setting: Setting,
    /// What of the memory is kept for forks.
    reserved_bytes: usize,
    enough: bool,
}

impl Pipeline {
    /// Pipes ready to be fed.
    ///
    /// # Errors
    /// The range of time holds too many buckets, or a `where` cannot be compiled.
    pub fn new(pipes: &[Pipe], setting: &Setting) -> Result<Self, PipeError> {
        Self::showing(Shown::All, pipes, setting)
    }

    fn showing(mut shown: Shown, pipes: &[Pipe], setting: &Setting) -> Result<Self, PipeError> {
        let mut steps = Vec::new();
        let mut work = Work::collect();
        let mut pipes = pipes.iter();
        for pipe in pipes.by_ref() {
            match pipe {
                Pipe::Fields(fields) => shown = fields.narrow(shown),
                Pipe::Limit(limit) => steps.push(Step::Limit { limit: *limit, left: *limit }),
                Pipe::Where(filter) => steps.push(Step::filter(filter, &shown, setting)?),
                Pipe::Dedup(dedup) => steps.push(Step::dedup(dedup, &shown)),
                Pipe::Join(join) => {
                    let join = setting.tables.join(join);
                    let before = shown.clone();
                    shown = shown.show(join.makes());
                    steps.push(Step::Join(Arc::new(join), before));
                }
                edit
                @ (Pipe::Eval(_) | Pipe::Rex(_) | Pipe::Parse(_) | Pipe::Rename(_) | Pipe::Lookup(_)) => {
                    for edit in edits(edit, setting)? {
                        let before = shown.clone();
                        match edit.makes() {
                            Some(makes) => shown = shown.show(makes),
                            // What it makes shows, whatever it is called.
                            None if shown != Shown::All => {
                                steps.push(Step::Project(std::mem::take(&mut shown)));
                            }
                            None => {}
                        }
                        steps.push(Step::Edit(Arc::new(edit), before));
                    }
                }
                gathering => {
                    work = Work::new(gathering, &shown, pipes.as_slice(), setting)?;
                    break;
                }
            }
        }
        let rest = pipes.as_slice().to_vec();
        let columns = columns(&steps, &work, &shown);
        let setting = setting.clone();
        Ok(Self { steps, shown, work, rest, columns, setting, reserved_bytes: 0, enough: false })
    }

    /// As this, without anything that was fed, to be fed a part of it on another thread and merged. Only where the order of events
    /// does not matter. It knows no limit: who feeds it asks [`Pipeline::bytes`].
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            steps: self.steps.clone(),
            shown: self.shown.clone(),
            work: self.work.fork(),
            rest: Vec::new(),
            columns: self.columns.clone(),
            setting: Setting { memory_bytes: usize::MAX, ..self.setting.clone() },
            reserved_bytes: 0,
            enough: false,
        }
    }

    /// Takes in what a fork was fed.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn merge(&mut self, fork: Self) -> Result<(), PipeError> {
        self.work.merge(fork.work);
        self.within()
    }

    /// Keeps so much of the memory for forks.
    pub fn reserve(&mut self, bytes: usize) {
        self.reserved_bytes = bytes;
    }

    /// How much memory it holds.
    pub fn bytes(&self) -> usize {
        self.work.bytes() + self.steps.iter().map(Step::bytes).sum::<usize>()
    }

    /// Lets go of what it can do without.
    pub fn shrink(&mut self) {
        self.work.shrink();
    }

    fn within(&mut self) -> Result<(), PipeError> {
        let limit_bytes = self.setting.memory_bytes;
        let held = self.steps.iter().map(Step::bytes).sum::<usize>();
        self.work.within(limit_bytes.saturating_sub(self.reserved_bytes).saturating_sub(held), limit_bytes)
    }

    /// What must be fed.
    pub fn needs(&self) -> Needs {
        if let Some(columns) = &self.columns
            && let Some(needs) = self.work.needs(columns)
            && (self.steps.is_empty() || matches!(needs, Needs::Groups(_)))
        {
            return needs;
        }
        let ordered = matches!(self.work, Work::Collect { .. }) || self.steps.iter().any(Step::is_ordered);
        let at_most = match self.steps.first() {
            Some(Step::Limit { limit, .. }) => Some(*limit),
            _ => None,
        };
        Needs::Events { ordered, at_most }
    }

    /// Whether the outcome is the very events that are fed, so that any page of them can be fed and a cursor goes on behind it.
    pub fn is_page(&self) -> bool {
        matches!(self.work, Work::Collect { .. }) && self.steps.is_empty()
    }

    /// Feeds one event.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn push_event(&mut self, event: &Event) -> Result<Flow, PipeError> {
        if !self.enough {
            let Self { steps, work, shown, .. } = self;
            let open = flow(steps, Cow::Borrowed(event), &mut |event| work.push(event, shown));
            self.within()?;
            self.enough = !open || self.is_full();
        }
        Ok(if self.enough { Flow::Enough } else { Flow::More })
    }

    /// Whether there is a page already. What is sorted or computed never is full; a `limit` says itself when it is.
    fn is_full(&self) -> bool {
        let limited = self.steps.iter().any(Step::is_limit);
        matches!(&self.work, Work::Collect { events, .. } if !limited && events.len() >= self.setting.page)
    }

    /// Feeds so many events that have these values. Only where [`Needs::Groups`] was said, values in the order of its keys.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn push_group(&mut self, values: &[Value], events: u64) -> Result<(), PipeError> {
        let Some(columns) = &self.columns else { return Ok(()) };
        let Self { steps, work, shown, .. } = self;
        if steps.is_empty() {
            work.push_group(columns, values, events);
        } else {
            let (bucket, values) = work.bucket_of(values);
            let event = event_of(columns, values);
            flow(steps, Cow::Owned(event), &mut |event| {
                work.push_times(bucket, &Record::Event { event, shown }, events);
            });
        }
        self.within()
    }

    /// Feeds what matching events have of a pattern. Only where [`Needs::Patterns`] was said.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn push_pattern(&mut self, row: PatternRow) -> Result<(), PipeError> {
        if let Work::Patterns(patterns) = &mut self.work {
            patterns.push_pattern(row);
        }
        self.within()
    }

    /// Feeds this many events. Only where [`Needs::Count`] or [`Needs::Patterns`] was said.
    pub fn push_count(&mut self, events: u64) {
        match &mut self.work {
            Work::Stats(stats) => stats.push_count(events),
            Work::Patterns(patterns) => patterns.push_count(events),
            _ => {}
        }
    }

    /// Tells of when some matching events are filed before they are fed, which spares a chart changing the length of its buckets.
    pub fn expect(&mut self, filed: Timestamp) {
        if self.steps.is_empty()
            && let Work::Timechart(chart) = &mut self.work
        {
            chart.take_in(filed);
        }
    }

    /// If only patterns are wanted that no event before this time has: that time, and the patterns in question. Once everything is
    /// fed, [`Pipeline::forget`] those that there are.
    pub fn suspects(&self) -> Option<(Timestamp, HashSet<u64>)> {
        match &self.work {
            Work::Patterns(patterns) => patterns.new_since().map(|since| (since, patterns.ids())),
            _ => None,
        }
    }

    /// Leaves patterns out.
    pub fn forget(&mut self, patterns: &HashSet<u64>) {
        if let Work::Patterns(work) = &mut self.work {
            work.forget(patterns);
        }
    }

    /// What the pipes made of what was fed.
    ///
    /// # Errors
    /// The memory limit is reached, or a table would have too many rows.
    pub fn finish(self) -> Result<Outcome, PipeError> {
        let Self { shown, work, rest, setting, .. } = self;
        let rows = match work {
            Work::Transaction(work) => work.finish(),
            Work::Collect { events, .. } => return Ok(Outcome::Events { events, shown, cut: false }),
            Work::Sort(sort) => {
                let (events, cut) = sort.finish();
                return after_sort(events, cut, shown, &rest, &setting);
            }
            Work::Stats(stats) => stats.finish(),
            Work::Top(top) => top.finish(),
            Work::Timechart(chart) => chart.finish()?,
            Work::Patterns(patterns) => patterns.finish(),
        };
        Ok(Outcome::Table(rows.through(&rest, &setting)?.table()))
    }
}

/// The rest of the pipes on sorted events. They may pass on one more than a page, which tells whether the page is all there is.
fn after_sort(
    events: Vec<Event>,
    sort_cut: bool,
    shown: Shown,
    rest: &[Pipe],
    setting: &Setting,
) -> Result<Outcome, PipeError> {
    let page = setting.page;
    let mut rest =
        Pipeline::showing(shown, rest, &Setting { page: page.saturating_add(1), ..setting.clone() })?;
    let limited = rest.steps.iter().any(Step::is_limit);
    if rest.needs() == Needs::Count {
        rest.push_count(events.len() as u64);
    } else {
        for event in &events {
            if rest.push_event(event)? == Flow::Enough {
                break;
            }
        }
    }
    Ok(match rest.finish()? {
        Outcome::Events { mut events, shown, cut } if !limited => {
            let more = events.len() > page;
            events.truncate(page);
            Outcome::Events { events, shown, cut: cut || sort_cut || more }
        }
        outcome => outcome,
    })
}

/// The fields whose values tell all that work behind steps looks at; nothing if it takes whole events.
fn columns(steps: &[Step], work: &Work, shown: &Shown) -> Option<Vec<String>> {
    let own = work.fields(shown);
    if steps.is_empty() {
        return Some(own);
    }
    let needed = steps.iter().rev().try_fold(own, |wanted, step| step.needs(wanted))?;
    needed.iter().all(|name| is_plain(name)).then_some(needed)
}

/// An event that has these values and no others.
fn event_of(columns: &[String], values: &[Value]) -> Event {
    let stream = Arc::new(Stream::new(std::iter::empty::<(&str, &str)>()));
    let mut event = Event::new(Timestamp::default(), stream, "");
    let values = columns.iter().zip(values).filter(|(_, value)| **value != Value::Null);
    event.fields = values.map(|(name, value)| (name.as_str(), value.clone())).collect();
    event
}
