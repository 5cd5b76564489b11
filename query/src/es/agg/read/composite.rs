//! Aggregations by filters, and `composite`, which is read page by page.

use locard_event::Timestamp;
use serde_json::Value as Json;

use super::super::bucket::{Composite, Filters, FiltersShape, Source, SourceOf};
use super::interval::read_time;
use super::{Body, MAX_SIZE, Members};
use crate::es::date::Reading;
use crate::es::error::Error;
use crate::es::field;
use crate::es::key::{Key, millis};

impl Body<'_> {
    pub(super) fn filters(&self) -> Result<Filters, Error> {
        self.known(&["filters", "other_bucket", "other_bucket_key", "keyed"])?;
        let mut filters = Vec::new();
        let shape = match self.members.get("filters") {
            Some(Json::Object(named)) => {
                for (name, query) in named {
                    filters.push((name.clone(), self.matcher(query)?));
                }
                FiltersShape::Named
            }
            Some(Json::Array(list)) => {
                for query in list {
                    filters.push((String::new(), self.matcher(query)?));
                }
                FiltersShape::Listed
            }
            _ => return Err(Error::illegal("[filters] cannot be empty.")),
        };
        if filters.is_empty() {
            return Err(Error::illegal("[filters] cannot be empty."));
        }
        let named = self.text("other_bucket_key").map(str::to_owned);
        let other = named.or_else(|| self.flag("other_bucket").then(|| "_other_".to_owned()));
        Ok(Filters { filters, other, shape })
    }

    pub(super) fn composite(&self) -> Result<Composite, Error> {
        self.known(&["sources", "size", "after"])?;
        if self.depth > 0 {
            return Err(Error::illegal("[composite] aggregation cannot be used with a parent aggregation"));
        }
        if !self.members.contains_key("sources") {
            return Err(Error::illegal("Required [sources]"));
        }
        let mut sources: Vec<Source> = Vec::new();
        for item in self.members.get("sources").and_then(Json::as_array).into_iter().flatten() {
            let source = self.source(item)?;
            if sources.iter().any(|known| known.name == source.name) {
                return Err(Error::illegal(format!(
                    "Composite source names must be unique, found duplicates: [{}]",
                    source.name
                )));
            }
            sources.push(source);
        }
        if sources.is_empty() {
            return Err(Error::illegal("Composite [sources] cannot be null or empty"));
        }
        let after = match self.members.get("after").and_then(Json::as_object) {
            None => None,
            Some(after) => {
                Some(sources.iter().map(|source| after_key(source, after)).collect::<Result<_, _>>()?)
            }
        };
        let size = self.count("size", 10, 1)?;
        if size > MAX_SIZE {
            let reason = format!(
                "Trying to create too many buckets. Must be less than or equal to: [{MAX_SIZE}] but was [{size}]."
            );
            return Err(Error::new(http::StatusCode::BAD_REQUEST, "too_many_buckets_exception", reason));
        }
        Ok(Composite { sources, size, after })
    }

    pub(super) fn source(&self, item: &Json) -> Result<Source, Error> {
        let bad = || Error::parsing(format!("[composite] a source cannot be [{item}]"));
        let mut named = item.as_object().into_iter().flatten();
        let (Some((name, body)), None) = (named.next(), named.next()) else { return Err(bad()) };
        let mut kinds = body.as_object().into_iter().flatten();
        let (Some((kind, Json::Object(members))), None) = (kinds.next(), kinds.next()) else {
            return Err(bad());
        };
        let descending = match members.get("order").and_then(Json::as_str) {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(bad()),
        };
        let missing_bucket = members.get("missing_bucket").and_then(Json::as_bool).unwrap_or(false);
        if members.contains_key("missing_order") {
            return Err(Error::unsupported("composite with missing_order"));
        }
        let mut rest = members.clone();
        for name in ["order", "missing_bucket", "value_type"] {
            rest.remove(name);
        }
        let body = Body { name, kind, members: &rest, schema: self.schema, depth: self.depth };
        let of = match kind.as_str() {
            "terms" => {
                body.known(&["field"])?;
                SourceOf::Terms(body.field()?)
            }
            "date_histogram" => SourceOf::Time(body.times()?),
            "histogram" => SourceOf::Numbers(body.numbers()?),
            other => return Err(Error::unsupported(&format!("composite source {other}"))),
        };
        Ok(Source { name: name.clone(), of, descending, missing_bucket })
    }
}

/// Where a composite's next page begins, for one source.
pub(super) fn after_key(source: &Source, after: &Members) -> Result<Option<Key>, Error> {
    let missing = || Error::illegal(format!("Missing value for [after.{}]", source.name));
    let given = after.get(&source.name).ok_or_else(missing)?;
    if given.is_null() {
        return Ok(None);
    }
    match (&source.of, given) {
        (SourceOf::Time(histogram), given) => {
            let reading = Reading {
                now: Timestamp::from_seconds(0),
                zone: histogram.zone.clone(),
                format: histogram.format.as_deref(),
            };
            Ok(Some(Key::Time(read_time(given, &reading)?)))
        }
        (SourceOf::Terms(name), Json::String(text)) if field::is_time(name) => {
            let reading =
                Reading { now: Timestamp::from_seconds(0), zone: jiff::tz::TimeZone::UTC, format: None };
            Ok(Some(Key::Time(millis(reading.read(text)?.start))))
        }
        (_, given) => Ok(Key::of_json(given)),
    }
}
