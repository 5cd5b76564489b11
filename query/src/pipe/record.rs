//! [`Record`]: what a pipe works on, an event or a row of the pipe before it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, EventId, Stream, Timestamp, Value, name};
use locard_filter::{Filter, Predicate};
use locard_store::pattern_of;

use super::Shown;
use super::patterns::pattern_text;

/// An event, or a row of the pipe before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Record<'a> {
    Event { event: &'a Event, shown: &'a Shown },
    Row { columns: &'a [String], cells: &'a [Value] },
}

impl<'a> Record<'a> {
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, Value>> {
        match self {
            Self::Event { shown, .. } if !shown.shows(name) => None,
            Self::Event { event, .. } if name == name::PATTERN => {
                pattern_of(&event.message).map(|(id, _)| Cow::Owned(pattern_text(id).into()))
            }
            Self::Event { event, .. } => event.get(name),
            Self::Row { columns, cells } => {
                let index = columns.iter().position(|column| column == name)?;
                cells.get(index).map(Cow::Borrowed)
            }
        }
    }

    /// As [`Self::get`]; what is absent is null.
    pub(super) fn value(&self, name: &str) -> Cow<'a, Value> {
        self.get(name).unwrap_or(Cow::Borrowed(&Value::Null))
    }

    /// The time it stands under: that of the event, or the row's `_time`.
    pub(super) fn filed(&self) -> Option<Timestamp> {
        match self {
            Self::Event { event, .. } => Some(event.filed()),
            Self::Row { .. } => self.get(name::TIME).and_then(|time| time.as_time()),
        }
    }

    /// The line.
    pub(super) fn message(&self) -> Option<Bytes> {
        match self {
            Self::Event { event, shown } => shown.shows(name::MESSAGE).then(|| event.message.clone()),
            Self::Row { .. } => match &*self.value(name::MESSAGE) {
                Value::Null => None,
                value => Some(value.text().into_owned().into()),
            },
        }
    }

    /// Which event it is.
    pub(super) fn id(&self) -> Option<EventId> {
        match self {
            Self::Event { event, .. } => event.id,
            Self::Row { .. } => self.value(name::ID).text().parse().ok(),
        }
    }

    /// As an event, for a filter to be matched.
    pub(super) fn as_event(&self) -> Cow<'a, Event> {
        match self {
            Self::Event { event, shown: Shown::All } => Cow::Borrowed(event),
            Self::Event { event, shown } => Cow::Owned(project(event, shown)),
            Self::Row { columns, cells } => {
                let stream = Arc::new(Stream::new(std::iter::empty::<(&str, &str)>()));
                let mut event = Event::new(Timestamp::default(), stream, "");
                let names: Vec<String> = columns.iter().map(|column| of_column(column)).collect();
                event.fields = names.iter().map(String::as_str).zip(cells.iter().cloned()).collect();
                Cow::Owned(event)
            }
        }
    }
}

/// The field that a column becomes, whose name is never one that says something of the event itself, as `message` or `_id`.
fn of_column(column: &str) -> String {
    format!("column.{column}")
}

/// A filter on rows as one on [`Record::as_event`]. Both names of the time mean the one column that there is.
pub(super) fn on_rows(filter: Filter, columns: &[String]) -> Filter {
    let parts = |parts: Vec<Filter>| parts.into_iter().map(|part| on_rows(part, columns)).collect();
    match filter {
        Filter::All | Filter::Is(Predicate { field: None, .. }) => filter,
        Filter::And(all) => Filter::And(parts(all)),
        Filter::Or(any) => Filter::Or(parts(any)),
        Filter::Not(part) => Filter::Not(Box::new(on_rows(*part, columns))),
        Filter::Is(Predicate { field: Some(field), test }) => {
            let is_there = |name: &str| columns.iter().any(|column| column == name);
            let column = match &*field {
                name::TIME if !is_there(name::TIME) => name::TIMESTAMP,
                name::TIMESTAMP if !is_there(name::TIMESTAMP) => name::TIME,
                column => column,
            };
            Filter::Is(Predicate { field: Some(of_column(column).into()), test })
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
