//! Cells: one value of an event under the name that its JSON has for it, in the forms that tables take.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use locard_event::{Event, Value, name};

use crate::json::{MESSAGE_BASE64, RESERVED, ValueJson};
use crate::pipe::Shown;

/// What the JSON of an event says under a name; nothing if it has no such member.
pub(super) fn cell<'a>(event: &'a Event, shown: &Shown, name: &str) -> Option<Cow<'a, Value>> {
    let governed_by = if name == MESSAGE_BASE64 { name::MESSAGE } else { name };
    if !shown.shows(governed_by) {
        return None;
    }
    match name {
        MESSAGE_BASE64 => {
            let is_text = std::str::from_utf8(&event.message).is_ok();
            (!is_text).then(|| Cow::Owned(Value::str(STANDARD.encode(&event.message))))
        }
        name::TIME => None,
        name => event.get(name),
    }
}

/// Calls `visit` with every member that the JSON of an event has.
pub(super) fn each<'a>(event: &'a Event, shown: &Shown, mut visit: impl FnMut(&'a str, &Value)) {
    for name in RESERVED {
        if let Some(value) = cell(event, shown, name) {
            visit(name, &value);
        }
    }
    let shows = |name: &str| !RESERVED.contains(&name) && shown.shows(name);
    event.fields.iter().filter(|(name, _)| shows(name)).for_each(|(name, value)| visit(name, value));
    let labels = event.stream.iter().filter(|(name, _)| shows(name) && event.fields.get(name).is_none());
    labels.for_each(|(name, text)| visit(name, &Value::str(text)));
}

/// A value as text: lists as JSON arrays, nothing for null.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::List(_) => Cow::Owned(serde_json::to_string(&ValueJson(value)).unwrap_or_default()),
        Value::Null => Cow::Borrowed(""),
        Value::Float(number) => Cow::Owned(serde_json::Value::from(*number).to_string()),
        value => value.text(),
    }
}

/// As [`text`], of a cell of a row.
pub(super) fn text_of_json(value: &serde_json::Value) -> Cow<'_, str> {
    match value {
        serde_json::Value::Null => Cow::Borrowed(""),
        serde_json::Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}
