//! [`Pipeline`]: pipes at work. Steps that take events one by one, then one that gathers them, then the rest.

#[cfg(test)]
mod tests;

use std::ops::Range;

use locard_event::{Event, Timestamp};
use locard_filter::Matcher;

use super::record::Record;
use super::sort::SortWork;
use super::stats::StatsWork;
use super::timechart::TimechartWork;
use super::top::TopWork;
use super::{Flow, Needs, Outcome, Pipe, PipeError, Shown};

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
}

/// Pipes at work: fed with what [`Pipeline::needs`] says, then finished.
#[derive(Debug)]
pub struct Pipeline {
    steps: Vec<Step>,
    shown: Shown,
    work: Work,
    /// The pipes behind the one that gathers.
    rest: Vec<Pipe>,
    setting: Setting,
    enough: bool,
}

/// What is done to events one by one.
#[derive(Debug)]
enum Step {
    Where(Box<Matcher>, Shown),
    Limit { limit: usize, left: usize },
}

/// What gathers events.
#[derive(Debug)]
enum Work {
    Collect { events: Vec<Event>, bytes: usize },
    Sort(SortWork),
    Stats(StatsWork),
    Top(TopWork),
    Timechart(TimechartWork),
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
        let mut work = Work::Collect { events: Vec::new(), bytes: 0 };
        let mut pipes = pipes.iter();
        for pipe in pipes.by_ref() {
            match pipe {
                Pipe::Fields(fields) => shown = fields.narrow(shown),
                Pipe::Limit(limit) => steps.push(Step::Limit { limit: *limit, left: *limit }),
                Pipe::Where(filter) => {
                    let matcher = Matcher::new(&filter.clone().resolve(setting.now))?;
                    steps.push(Step::Where(Box::new(matcher), shown.clone()));
                }
                gathering => {
                    work = Work::new(gathering, &shown, pipes.as_slice(), setting)?;
                    break;
                }
            }
        }
        let rest = pipes.as_slice().to_vec();
        Ok(Self { steps, shown, work, rest, setting: setting.clone(), enough: false })
    }

    /// What must be fed.
    pub fn needs(&self) -> Needs {
        match &self.work {
            Work::Stats(stats) if stats.only_counts() && self.steps.is_empty() => return Needs::Count,
            Work::Timechart(chart) if chart.only_times() && self.steps.is_empty() => return Needs::Times,
            _ => {}
        }
        let is_limit = |step: &Step| matches!(step, Step::Limit { .. });
        let ordered = matches!(self.work, Work::Collect { .. }) || self.steps.iter().any(is_limit);
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
        if !self.enough && self.passes(event) {
            self.work.push(event, &self.shown);
            self.work.within(&self.setting)?;
            self.enough |= self.is_full();
        }
        Ok(if self.enough { Flow::Enough } else { Flow::More })
    }

    /// Whether there is a page already. What is sorted or computed never is full; a `limit` says itself when it is.
    fn is_full(&self) -> bool {
        let limited = self.steps.iter().any(|step| matches!(step, Step::Limit { .. }));
        matches!(&self.work, Work::Collect { events, .. } if !limited && events.len() >= self.setting.page)
    }

    /// Takes an event through the steps.
    fn passes(&mut self, event: &Event) -> bool {
        for step in &mut self.steps {
            match step {
                Step::Where(matcher, shown) => {
                    if !matcher.matches(&Record::Event { event, shown }.as_event()) {
                        return false;
                    }
                }
                Step::Limit { left: 0, .. } => {
                    self.enough = true;
                    return false;
                }
                Step::Limit { left, .. } => {
                    *left -= 1;
                    self.enough |= *left == 0;
                }
            }
        }
        true
    }

    /// Feeds the time of one event: its [`Event::filed`]. Only where [`Needs::Times`] was said.
    ///
    /// # Errors
    /// The memory limit is reached.
    pub fn push_time(&mut self, filed: Timestamp) -> Result<(), PipeError> {
        if let Work::Timechart(chart) = &mut self.work {
            chart.push_time(filed);
        }
        self.work.within(&self.setting)
    }

    /// Feeds this many events. Only where [`Needs::Count`] was said.
    pub fn push_count(&mut self, events: u64) {
        if let Work::Stats(stats) = &mut self.work {
            stats.push_count(events);
        }
    }

    /// What the pipes made of what was fed.
    ///
    /// # Errors
    /// The memory limit is reached, or a table would have too many rows.
    pub fn finish(self) -> Result<Outcome, PipeError> {
        let Self { shown, work, rest, setting, .. } = self;
        let rows = match work {
            Work::Collect { events, .. } => return Ok(Outcome::Events { events, shown, cut: false }),
            Work::Sort(sort) => {
                let (events, cut) = sort.finish();
                return after_sort(events, cut, shown, &rest, &setting);
            }
            Work::Stats(stats) => stats.finish(),
            Work::Top(top) => top.finish(),
            Work::Timechart(chart) => chart.finish()?,
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
    let limited = rest.steps.iter().any(|step| matches!(step, Step::Limit { .. }));
    match rest.needs() {
        Needs::Count => rest.push_count(events.len() as u64),
        _ => {
            for event in &events {
                if rest.push_event(event)? == Flow::Enough {
                    break;
                }
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

impl Work {
    fn new(pipe: &Pipe, shown: &Shown, rest: &[Pipe], setting: &Setting) -> Result<Self, PipeError> {
        Ok(match pipe {
            Pipe::Sort(sort) => Self::Sort(SortWork::new(sort.clone(), shown.clone(), most(rest, setting))),
            Pipe::Stats(stats) => Self::Stats(StatsWork::new(stats.clone())),
            Pipe::Top(top) => Self::Top(TopWork::new(top.clone())),
            Pipe::Timechart(chart) => Self::Timechart(TimechartWork::new(chart.clone(), setting)?),
            Pipe::Where(_) | Pipe::Limit(_) | Pipe::Fields(_) => {
                Self::Collect { events: Vec::new(), bytes: 0 }
            }
        })
    }

    fn push(&mut self, event: &Event, shown: &Shown) {
        let record = Record::Event { event, shown };
        match self {
            Self::Collect { events, bytes } => {
                *bytes += event.heap_bytes();
                events.push(event.clone());
            }
            Self::Sort(sort) => sort.push(event),
            Self::Stats(stats) => stats.push(&record),
            Self::Top(top) => top.push(&record),
            Self::Timechart(chart) => chart.push(&record),
        }
    }

    fn within(&mut self, setting: &Setting) -> Result<(), PipeError> {
        if self.bytes() <= setting.memory_bytes {
            return Ok(());
        }
        if let Self::Sort(sort) = self {
            sort.shrink();
        }
        if self.bytes() <= setting.memory_bytes {
            return Ok(());
        }
        Err(PipeError::Memory { pipe: self.name(), limit_bytes: setting.memory_bytes })
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Collect { bytes, .. } => *bytes,
            Self::Sort(sort) => sort.bytes(),
            Self::Stats(stats) => stats.bytes(),
            Self::Top(top) => top.bytes(),
            Self::Timechart(chart) => chart.bytes(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Collect { .. } => "limit",
            Self::Sort(_) => "sort",
            Self::Stats(_) => "stats",
            Self::Top(_) => "top",
            Self::Timechart(_) => "timechart",
        }
    }
}

/// How many sorted events the pipes behind can use; nothing if it may be all of them.
fn most(rest: &[Pipe], setting: &Setting) -> Option<usize> {
    match rest.iter().find(|pipe| !matches!(pipe, Pipe::Fields(_))) {
        None => Some(setting.page),
        Some(Pipe::Limit(limit)) => Some(*limit),
        Some(_) => None,
    }
}
