//! `sort` and `search_after`: what hits are ordered by, and where a page begins.
//!
//! `@timestamp` orders by the time an event is filed under, which is the one it says unless that is not credible. Scores are constant.

use std::cmp::Ordering;

use locard_event::{Event, EventId, Timestamp, name};
use locard_store::{Order, Position};
use serde_json::{Map, Value as Json, json};

use super::date::{Reading, zoned};
use super::error::Error;
use super::key::{Key, millis};
use super::schema::Schema;
use super::{hit, pattern};

/// Bits of a shard doc that hold the sequence; those above hold the partition.
const SEQUENCE_BITS: u32 = 40;

/// What one key looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    /// The same for every hit.
    Score,
    /// The place among all events.
    Place,
    /// When the event is filed.
    Filed,
    Field(Box<str>),
}

/// One key of an order.
#[derive(Clone, Debug)]
struct SortKey {
    by: By,
    descending: bool,
    /// What stands in for a value that is missing; nothing: it comes last, or first.
    missing: Option<Key>,
    missing_first: bool,
    /// Of several values the greatest counts.
    greatest: bool,
    format: Option<String>,
    /// A mapping says that texts are dates.
    is_date: bool,
}

/// What a hit is sorted by; nothing where a value is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values(Vec<Option<Key>>);

/// Where a page begins.
#[derive(Clone, Debug)]
pub(super) struct After {
    pub(super) values: Values,
    /// The very place; nothing if only the values are known.
    pub(super) position: Option<Position>,
}

/// An order of hits.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorting {
    keys: Vec<SortKey>,
    /// Whether the request asks for an order, so that hits show their values.
    pub(super) is_asked: bool,
}

impl Values {
    /// Memory beside itself, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Option<Key>>()
            + self.0.iter().flatten().map(Key::heap_bytes).sum::<usize>()
    }
}

impl Sorting {
    /// Whether it asks for the place of documents in a point in time.
    fn needs_pit(item: &Json) -> bool {
        item == "_shard_doc" || item.get("_shard_doc").is_some()
    }

    /// From the member `sort`.
    pub(super) fn of_body(value: &Json, in_pit: bool, schema: &Schema) -> Result<Self, Error> {
        let mut keys = Vec::new();
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if !in_pit && items.iter().any(Self::needs_pit) {
            return Err(Error::illegal("[_shard_doc] sort field cannot be used without [point in time]"));
        }
        match value {
            Json::Array(items) => {
                for item in items {
                    keys.push(of_item(item, schema)?);
                }
            }
            Json::Object(members) if members.len() > 1 => {
                return Err(Error::parsing(
                    "several keys in one object of [sort] have no order: use an array",
                ));
            }
            item => keys.push(of_item(item, schema)?),
        }
        let is_asked = !keys.is_empty();
        if in_pit && is_asked && !keys.iter().any(|key| key.by == By::Place) {
            keys.push(SortKey::new(By::Place, false));
        }
        Ok(Self { keys, is_asked })
    }

    /// From `?sort=field:desc,other`.
    pub(super) fn of_text(text: &str, schema: &Schema) -> Result<Self, Error> {
        let items = text.split(',').filter(|item| !item.is_empty()).map(|item| match item.rsplit_once(':') {
            Some((field, order @ ("asc" | "desc"))) => json!({field: order}),
            _ => json!(item),
        });
        Self::of_body(&Json::Array(items.collect()), false, schema)
    }

    /// The order of filing that this is, if it is one.
    pub(super) fn native(&self) -> Option<Order> {
        let order = |descending: bool| if descending { Order::Descending } else { Order::Ascending };
        let mut keys = self.keys.iter().filter(|key| key.by != By::Score);
        match (keys.next(), keys.next(), keys.next()) {
            (None, ..) => Some(Order::Descending),
            (Some(first), None, _) if first.by == By::Place => Some(order(first.descending)),
            (Some(first), None, _) if first.by == By::Filed => Some(order(first.descending)),
            (Some(first), Some(second), None) if first.by == By::Filed && second.by == By::Place => {
                Some(order(first.descending))
            }
            _ => None,
        }
    }

    /// Whether hits have scores: only where nothing else orders them.
    pub(super) fn shows_score(&self) -> bool {
        !self.is_asked || self.keys.iter().any(|key| key.by == By::Score)
    }

    /// What an event is sorted by.
    pub(super) fn values(&self, event: &Event) -> Values {
        Values(self.keys.iter().map(|key| key.value(event)).collect())
    }

    /// How a hit stands to the values that a page begins behind, which may be written in another type than the hit's.
    pub(super) fn compare_after(&self, hit: &Values, after: &Values) -> Ordering {
        let pairs = hit.0.iter().zip(&after.0).map(|(hit, after)| match (hit, after) {
            (Some(hit), Some(after)) => Some(after.as_type_of(hit)),
            (_, after) => after.clone(),
        });
        self.compare(hit, &Values(pairs.collect()))
    }

    pub(super) fn compare(&self, one: &Values, two: &Values) -> Ordering {
        let pairs = self.keys.iter().zip(one.0.iter().zip(&two.0));
        pairs
            .map(|(key, (one, two))| key.compare(one.as_ref(), two.as_ref()))
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The values as a hit shows them.
    pub(super) fn json(&self, values: &Values) -> Json {
        let shown = self.keys.iter().zip(&values.0).map(|(key, value)| match (value, &key.format) {
            (None, _) => Json::Null,
            (Some(Key::Time(millis)), Some(format)) => {
                let date = zoned(Timestamp::from_millis(*millis), &jiff::tz::TimeZone::UTC);
                json!(pattern::write(format, &date))
            }
            (Some(value), _) => value.json(),
        });
        Json::Array(shown.collect())
    }

    /// Reads `search_after`. `place` tells when the event of an id is filed.
    pub(super) fn after(&self, values: &Json) -> Result<(Values, Option<EventId>), Error> {
        let Json::Array(values) = values else {
            return Err(Error::parsing("[search_after] must be an array"));
        };
        if values.len() != self.keys.len() {
            return Err(Error::illegal(format!(
                "search_after has {} value(s) but sort has {}.",
                values.len(),
                self.keys.len()
            )));
        }
        let read = self.keys.iter().zip(values).map(|(key, value)| key.read(value));
        let read = Values(read.collect::<Result<_, _>>()?);
        let place = self.keys.iter().zip(&read.0).find(|(key, _)| key.by == By::Place);
        let id = match place {
            Some((_, Some(Key::Int(place)))) => Some(id_of(*place)?),
            _ => None,
        };
        Ok((read, id))
    }

    /// The place behind everything with these values, in an order of filing.
    pub(super) fn behind(&self, values: &Values) -> Option<Position> {
        let order = self.native()?;
        let filed = self.keys.iter().zip(&values.0).find(|(key, _)| key.by == By::Filed);
        let Some((_, Some(Key::Int(millis) | Key::Time(millis)))) = filed else { return None };
        let start = Timestamp::from_millis(*millis);
        Some(match order {
            Order::Descending => Position { filed: start, id: EventId::new(0, 0) },
            Order::Ascending => {
                Position { filed: start.plus_nanos(999_999), id: EventId::new(u32::MAX, u64::MAX) }
            }
        })
    }
}

/// An event's id as one number, in the order of acceptance.
fn place_of(id: EventId) -> i64 {
    (i64::from(id.partition) << SEQUENCE_BITS) | id.sequence.cast_signed()
}

fn id_of(place: i64) -> Result<EventId, Error> {
    let bad = |_| Error::illegal(format!("[search_after] cannot be [{place}]"));
    let partition = u32::try_from(place >> SEQUENCE_BITS).map_err(bad)?;
    Ok(EventId::new(partition, (place & ((1 << SEQUENCE_BITS) - 1)).cast_unsigned()))
}

fn of_item(item: &Json, schema: &Schema) -> Result<SortKey, Error> {
    match item {
        Json::String(field) => SortKey::of(field, &Map::new(), schema),
        Json::Object(members) => {
            let mut members = members.iter();
            match (members.next(), members.next()) {
                (Some((field, Json::String(order))), None) => {
                    let body = Map::from_iter([("order".to_owned(), json!(order))]);
                    SortKey::of(field, &body, schema)
                }
                (Some((field, Json::Object(body))), None) => SortKey::of(field, body, schema),
                _ => Err(Error::parsing(format!("[sort] cannot be [{item}]"))),
            }
        }
        other => Err(Error::parsing(format!("[sort] cannot be [{other}]"))),
    }
}

impl SortKey {
    fn new(by: By, descending: bool) -> Self {
        Self {
            by,
            descending,
            missing: None,
            missing_first: false,
            greatest: descending,
            format: None,
            is_date: false,
        }
    }

    fn of(field: &str, body: &Map<String, Json>, schema: &Schema) -> Result<Self, Error> {
        let by = match field {
            "_score" => By::Score,
            "_doc" | "_shard_doc" => By::Place,
            "_script" | "_geo_distance" => return Err(Error::unsupported(&format!("sort by {field}"))),
            name::TIMESTAMP | name::TIME => By::Filed,
            field => By::Field(schema.name(field).into()),
        };
        let names = ["order", "missing", "unmapped_type", "mode", "format", "numeric_type", "nested"];
        if let Some(unknown) = body.keys().find(|key| !names.contains(&key.as_str())) {
            return Err(Error::parsing(format!("[sort] unknown field [{unknown}]")));
        }
        if body.contains_key("nested") {
            return Err(Error::unsupported("sort with nested"));
        }
        let text = |name: &str| body.get(name).and_then(Json::as_str);
        let descending = match text("order").map(str::to_ascii_lowercase).as_deref() {
            None => by == By::Score,
            Some("asc") => false,
            Some("desc") => true,
            Some(other) => {
                return Err(Error::illegal(format!(
                    "No enum constant org.elasticsearch.search.sort.SortOrder.{other}"
                )));
            }
        };
        let mut key = Self::new(by, descending);
        match body.get("missing") {
            None => {}
            Some(Json::String(text)) if text == "_last" => {}
            Some(Json::String(text)) if text == "_first" => key.missing_first = true,
            Some(value) => key.missing = Key::of_json(value),
        }
        match text("mode") {
            None => {}
            Some("min") => key.greatest = false,
            Some("max") => key.greatest = true,
            Some(other) => return Err(Error::unsupported(&format!("sort with mode {other}"))),
        }
        key.format = text("format").map(str::to_owned);
        key.is_date = schema.is_date(field);
        Ok(key)
    }

    fn value(&self, event: &Event) -> Option<Key> {
        match &self.by {
            By::Score => Some(Key::Float(1.0)),
            By::Place => event.id.map(|id| Key::Int(place_of(id))),
            By::Filed => Some(Key::Time(millis(event.filed()))),
            By::Field(field) => {
                let values = hit::values(event, field);
                let keys = values
                    .iter()
                    .filter_map(|value| if self.is_date { Key::of_date(value) } else { Key::of(value) });
                let found = if self.greatest { keys.max() } else { keys.min() };
                found.or_else(|| self.missing.clone())
            }
        }
    }

    fn compare(&self, one: Option<&Key>, two: Option<&Key>) -> Ordering {
        match (one, two) {
            (Some(one), Some(two)) if self.descending => two.cmp(one),
            (Some(one), Some(two)) => one.cmp(two),
            (None, None) => Ordering::Equal,
            (None, Some(_)) if self.missing_first => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) if self.missing_first => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        }
    }

    /// Reads a value that a hit showed.
    fn read(&self, value: &Json) -> Result<Option<Key>, Error> {
        if value.is_null() {
            return Ok(None);
        }
        let bad = || Error::parsing(format!("[search_after] cannot be [{value}]"));
        let is_time = matches!(self.by, By::Filed) || self.format.is_some();
        match (value, is_time) {
            (Json::String(text), true) => {
                let reading = Reading {
                    now: Timestamp::from_seconds(0),
                    zone: jiff::tz::TimeZone::UTC,
                    format: self.format.as_deref(),
                };
                Ok(Some(Key::Time(millis(reading.read(text)?.start))))
            }
            (Json::String(text), false) if self.by == By::Place => {
                text.parse().map(|place| Some(Key::Int(place))).map_err(|_| bad())
            }
            (value, _) => Key::of_json(value).map(Some).ok_or_else(bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::plain(Timestamp::from_seconds(0))
    }

    #[test]
    fn orders_of_filing_are_known() {
        for (sort, expected) in [
            (json!([]), Some(Order::Descending)),
            (json!(["_doc"]), Some(Order::Ascending)),
            (json!([{"@timestamp": "desc"}]), Some(Order::Descending)),
            (
                json!([{"@timestamp": {"order": "asc", "unmapped_type": "boolean"}}, {"_doc": "desc"}]),
                Some(Order::Ascending),
            ),
            (json!(["_score", {"@timestamp": "desc"}]), Some(Order::Descending)),
            (json!([{"a": "asc"}]), None),
            (json!(["@timestamp", "a"]), None),
        ] {
            assert_eq!(Sorting::of_body(&sort, false, &schema()).unwrap().native(), expected, "{sort}");
        }
        for bad in [
            json!([{"a": {"mode": "avg"}}]),
            json!([{"a": "up"}]),
            json!({"a": "asc", "b": "asc"}),
            json!([{"a": {"x": 1}}]),
        ] {
            assert!(Sorting::of_body(&bad, false, &schema()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_place_is_a_number_and_back() {
        let id = EventId::new(3, 184_467);
        assert_eq!(id_of(place_of(id)).unwrap(), id);
        assert!(id_of(-1).is_err());
    }

    #[test]
    fn what_is_missing_comes_last_or_first() {
        let sorting =
            Sorting::of_body(&json!([{"a": {"order": "desc", "missing": "_first"}}, "b"]), false, &schema())
                .unwrap();
        let values = |a: Option<i64>, b: Option<i64>| Values(vec![a.map(Key::Int), b.map(Key::Int)]);
        let order = [
            values(None, Some(1)),
            values(Some(2), Some(1)),
            values(Some(2), None),
            values(Some(1), Some(0)),
        ];
        assert!(order.is_sorted_by(|one, two| sorting.compare(one, two).is_lt()));
    }
}
