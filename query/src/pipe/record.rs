//! [`Record`]: what a pipe works on, an event or a row of the pipe before it.

use std::borrow::Cow;
use std::sync::Arc;

use locard_event::{Event, Stream, Timestamp, Value, name};

use super::Shown;

/// An event, or a row of the pipe before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record<'a> {
    Event { event: &'a Event, shown: &'a Shown },
    Row { columns: &'a [String], cells: &'a [Value] },
}

impl<'a> Record<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, Value>> {
        match self {
            Self::Event { event, shown } => event.get(name).filter(|_| shown.shows(name)),
            Self::Row { columns, cells } => {
                let index = columns.iter().position(|column| column == name)?;
                cells.get(index).map(Cow::Borrowed)
            }
        }
    }

    /// The time it stands under: that of the event, or the row's `_time`.
    pub(super) fn filed(&self) -> Option<Timestamp> {
        match self {
            Self::Event { event, .. } => Some(event.filed()),
            Self::Row { .. } => self.get(name::TIME).and_then(|time| time.as_time()),
        }
    }

    /// As an event, for a filter to be matched.
    pub(super) fn as_event(&self) -> Cow<'a, Event> {
        match self {
            Self::Event { event, shown: Shown::All } => Cow::Borrowed(event),
            Self::Event { event, shown } => Cow::Owned(project(event, shown)),
            Self::Row { columns, cells } => {
                let stream = Arc::new(Stream::new(std::iter::empty::<(&str, &str)>()));
                let mut event = Event::new(self.filed().unwrap_or_default(), stream, "");
                event.fields = columns.iter().map(String::as_str).zip(cells.iter().cloned()).collect();
                Cow::Owned(event)
            }
        }
    }
}

fn project(event: &Event, shown: &Shown) -> Event {
    let labels = event.stream.iter().filter(|(name, _)| shown.shows(name));
    let fields = event.fields.iter().filter(|(name, _)| shown.shows(name));
    Event {
        stream: Arc::new(Stream::new(labels)),
        fields: fields.map(|(name, value)| (name, value.clone())).collect(),
        message: if shown.shows(name::MESSAGE) { event.message.clone() } else { Default::default() },
        ingested: event.ingested.filter(|_| shown.shows(name::INGESTED)),
        ..event.clone()
    }
}
