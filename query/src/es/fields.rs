//! `fields`, `docvalue_fields` and `stored_fields`: values of a hit by field, as lists, beside or instead of its source.

use std::collections::BTreeSet;

use locard_event::{Event, Value, name};
use serde_json::{Map, Value as Json, json};

use super::date::zoned;
use super::error::Error;
use super::{hit, pattern, wild};
use crate::json::ValueJson;

/// One field, or a pattern of names, that is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    name: String,
    format: Option<String>,
}

/// Reads `fields` or `docvalue_fields`.
pub(super) fn read(list: &Json) -> Result<Vec<Wanted>, Error> {
    let one = |item: &Json| match item {
        Json::String(name) => Ok(Wanted { name: name.clone(), format: None }),
        Json::Object(members) => {
            let name = members.get("field").and_then(Json::as_str);
            let name = name.ok_or_else(|| Error::parsing("[fields] requires a [field]"))?.to_owned();
            let format =
                members.get("format").and_then(Json::as_str).filter(|format| *format != "use_field_mapping");
            Ok(Wanted { name, format: format.map(str::to_owned) })
        }
        other => Err(Error::parsing(format!("[fields] cannot hold [{other}]"))),
    };
    match list {
        Json::Array(items) => items.iter().map(one).collect(),
        item => Ok(vec![one(item)?]),
    }
}

/// The values of the fields that are asked for.
pub(super) fn values(event: &Event, wanted: &[Wanted]) -> Map<String, Json> {
    let mut found = Map::new();
    for Wanted { name, format } in wanted {
        for field in names(event, name) {
            let values = hit::values(event, &field);
            if !values.is_empty() {
                let shown = values.iter().map(|value| shown(&field, value, format.as_deref())).collect();
                found.insert(field, Json::Array(shown));
            }
        }
    }
    found
}

/// The names of an event's fields that a pattern means; a plain name means itself.
pub(super) fn names(event: &Event, pattern: &str) -> Vec<String> {
    if !pattern.contains('*') {
        return vec![pattern.to_owned()];
    }
    let own = [name::TIMESTAMP, name::MESSAGE, name::INGESTED];
    let fields = event.fields.iter().map(|(name, _)| name);
    let labels = event.stream.iter().map(|(name, _)| name);
    let all: BTreeSet<&str> = own.into_iter().chain(fields).chain(labels).collect();
    all.into_iter().filter(|name| wild::matches(pattern, name)).map(str::to_owned).collect()
}

fn shown(field: &str, value: &Value, format: Option<&str>) -> Json {
    let time = match value {
        Value::Time(time) => Some(*time),
        Value::Str(_) if super::field::is_time(field) || format.is_some() => value.as_time(),
        _ => None,
    };
    match (time, format) {
        (Some(time), Some(format)) => json!(pattern::write(format, &zoned(time, &jiff::tz::TimeZone::UTC))),
        _ => json!(ValueJson(value)),
    }
}
