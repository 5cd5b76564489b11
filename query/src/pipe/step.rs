//! [`Step`]: what is done to events one by one, before they are gathered.

use std::borrow::Cow;
use std::sync::Arc;

use locard_event::{Event, name};
use locard_filter::{Filter, Matcher};

use super::dedup::{Dedup, DedupWork};
use super::edit::{Edit, change};
use super::join::Bound as Join;
use super::record::Record;
use super::{PipeError, Setting, Shown};

/// What is done to events one by one. Each knows what of an event is shown to it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Where(Arc<Where>, Shown),
    Limit {
        limit: usize,
        left: usize,
    },
    Edit(Arc<Edit>, Shown),
    Join(Arc<Join>, Shown),
    Dedup(Box<DedupWork>, Shown),
    /// Only this is left of an event: what is made behind it shows.
    Project(Shown),
}

/// A filter of events on their way.
#[derive(Debug)]
pub(super) struct Where {
    matcher: Matcher,
    /// The fields it looks at; nothing: anything.
    fields: Option<Vec<Box<str>>>,
}

impl Step {
    pub(super) fn filter(filter: &Filter, shown: &Shown, setting: &Setting) -> Result<Self, PipeError> {
        let matcher = Matcher::new(&filter.clone().resolve(setting.now))?;
        let fields = filter.fields().map(|fields| fields.into_iter().map(Box::from).collect());
        Ok(Self::Where(Arc::new(Where { matcher, fields }), shown.clone()))
    }

    pub(super) fn dedup(dedup: &Dedup, shown: &Shown) -> Self {
        Self::Dedup(Box::new(DedupWork::new(dedup.clone())), shown.clone())
    }

    /// Whether it matters to it which event comes first.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Limit { .. } | Self::Dedup(..))
    }

    /// Whether it passes on what it is given without looking at what it was given before.
    pub(super) fn is_limit(&self) -> bool {
        matches!(self, Self::Limit { .. })
    }

    /// What it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Dedup(work, _) => work.bytes(),
            _ => 0,
        }
    }

    /// The fields of which it needs the values so that those in `wanted` can be told behind it; nothing if it needs whole events.
    pub(super) fn needs(&self, wanted: Vec<String>) -> Option<Vec<String>> {
        let (reads, makes): (Vec<&str>, Vec<&str>) = match self {
            Self::Where(filter, _) => {
                (filter.fields.as_ref()?.iter().map(|name| &**name).collect(), Vec::new())
            }
            Self::Edit(edit, _) => (edit.reads()?, edit.makes()?),
            Self::Join(join, _) => (join.reads().collect(), Vec::new()),
            Self::Limit { .. } | Self::Dedup(..) | Self::Project(_) => return None,
        };
        // What it changes it may also leave as it was.
        let mut needed = wanted;
        needed.extend(makes.into_iter().chain(reads).map(str::to_owned));
        needed.sort();
        needed.dedup();
        Some(needed)
    }
}

/// Whether the value of a name is told by a group of events, and can be said to an event anew.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(
        name,
        name::ID
            | name::STREAM
            | name::TIMESTAMP
            | name::TIME
            | name::INGESTED
            | name::MESSAGE
            | name::PATTERN
    )
}

/// Takes an event through steps; what comes out goes to `sink`. Answers whether more events can come through.
pub(super) fn flow(steps: &mut [Step], mut event: Cow<'_, Event>, sink: &mut dyn FnMut(&Event)) -> bool {
    let mut open = true;
    let mut rest = steps;
    while let Some((step, behind)) = rest.split_first_mut() {
        match step {
            Step::Where(filter, shown) => {
                if !filter.matcher.matches(&Record::Event { event: &event, shown }.as_event()) {
                    return open;
                }
            }
            Step::Limit { left: 0, .. } => return false,
            Step::Limit { left, .. } => {
                *left -= 1;
                open &= *left > 0;
            }
            Step::Edit(edit, shown) => {
                let changes = edit.of_event(&Record::Event { event: &event, shown });
                if !changes.is_empty() {
                    change(event.to_mut(), changes);
                }
            }
            Step::Project(shown) => {
                let shown = Record::Event { event: &event, shown }.as_event().into_owned();
                event = Cow::Owned(shown);
            }
            Step::Dedup(work, shown) => {
                if !work.keeps(&Record::Event { event: &event, shown }) {
                    return open;
                }
            }
            Step::Join(join, shown) => {
                for changes in join.matches(&Record::Event { event: &event, shown }) {
                    let mut joined = Event::clone(&event);
                    change(&mut joined, changes);
                    if !flow(behind, Cow::Owned(joined), sink) {
                        return false;
                    }
                }
                return open;
            }
        }
        rest = behind;
    }
    sink(&event);
    open
}
