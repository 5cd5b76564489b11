//! [`Doc`]: what aggregations look at: an event, or the values that some events have in common.

use std::borrow::Cow;

use locard_event::{Event, Value, name};

use crate::es::hit;

/// What aggregations look at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doc<'a> {
    /// One event.
    Event(&'a Event),
    /// The values of these fields, of several events.
    Row(&'a [Box<str>], &'a [Value]),
}

impl<'a> Doc<'a> {
    /// The value of a field; null if there is none. `@timestamp` is when an event is filed.
    pub(super) fn get(self, field: &str) -> Cow<'a, Value> {
        match self {
            Self::Row(names, values) => {
                let at = names.iter().position(|name| &**name == field);
                at.and_then(|at| values.get(at)).map_or(Cow::Owned(Value::Null), Cow::Borrowed)
            }
            Self::Event(event) => match field {
                name::TIMESTAMP | name::TIME => Cow::Owned(Value::Time(event.filed())),
                "_id" => Cow::Owned(Value::str(hit::id(event))),
                field => event.get(field).unwrap_or(Cow::Owned(Value::Null)),
            },
        }
    }

    /// The event, if it is one.
    pub(super) fn event(self) -> Option<&'a Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Row(..) => None,
        }
    }

    /// Calls `each` with every value of a field that is not null.
    pub(super) fn each(self, field: &str, mut each: impl FnMut(&Value)) {
        let value = self.get(field);
        let elements = value.elements().iter();
        elements.filter(|value| !matches!(value, Value::Null | Value::List(_))).for_each(&mut each);
    }

    /// Whether the field has a value.
    pub(super) fn has(self, field: &str) -> bool {
        let mut has = false;
        self.each(field, |_| has = true);
        has
    }
}
