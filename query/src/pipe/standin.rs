//! What the store is about to offer.

use locard_event::{Event, Timestamp, Value};

/// What matching events are grouped by.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupKey {
    /// The value that [`Event::get`] gives, whole; null where there is none.
    Field(Box<str>),
    /// [`Event::filed`] as the number of the bucket it is in: floor((filed - origin) / span).
    Bucket {
        /// Where bucket 0 begins.
        origin: Timestamp,
        /// How long a bucket is.
        span_nanos: i64,
    },
    /// The id of the message's pattern as 16 hex digits; null for messages without a template.
    Pattern,
}

impl GroupKey {
    /// What an event has for it.
    pub fn of(&self, event: &Event) -> Value {
        match self {
            Self::Field(name) => event.get(name).map_or(Value::Null, std::borrow::Cow::into_owned),
            Self::Bucket { origin, span_nanos } => {
                Value::Int(event.filed().nanos().saturating_sub(origin.nanos()).div_euclid(*span_nanos))
            }
            Self::Pattern => {
                pattern_of(&event.message).map_or(Value::Null, |(id, _)| format!("{id:016x}").into())
            }
        }
    }
}

/// What matching events have of a pattern.
#[derive(Clone, Debug)]
pub struct PatternRow {
    /// Its id.
    pub id: u64,
    /// The template, slots as `<*>`.
    pub template: String,
    /// How many events have it.
    pub count: u64,
    /// When the first is filed.
    pub first: Timestamp,
    /// When the last is filed.
    pub last: Timestamp,
    /// One of them.
    pub example: Option<Event>,
}

/// The id and the template of a message.
pub fn pattern_of(message: &[u8]) -> Option<(u64, String)> {
    let text = std::str::from_utf8(message).ok().filter(|text| !text.starts_with('{'))?;
    let words =
        text.split(' ').map(|word| if word.bytes().any(|byte| byte.is_ascii_digit()) { "<*>" } else { word });
    let template = words.collect::<Vec<_>>().join(" ");
    let mut hasher = std::hash::DefaultHasher::new();
    std::hash::Hasher::write(&mut hasher, template.as_bytes());
    Some((std::hash::Hasher::finish(&hasher), template))
}
