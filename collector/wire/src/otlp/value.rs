//! `AnyValue` to [`Value`] and back; attributes and structured bodies to flat fields.

use std::borrow::Cow;

use locard_event::{Fields, Value, name};
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, any_value::Value as Any};
use serde_json::{Map, Value as Json};

use super::name::ecs;

/// Names that mean something else in Locard, so an attribute of that name is moved under `attributes.`.
const RESERVED: [&str; 7] =
    [name::TIMESTAMP, name::TIME, name::ID, name::STREAM, name::MESSAGE, name::INGESTED, name::PATTERN];

/// Longest name of a field, in bytes. Attributes with longer ones are left out.
const MAX_NAME_BYTES: usize = 1 << 10;
/// What all names of one record's fields may take together, in bytes: a long key above a thousand members is said once but kept with
/// each of them.
const MAX_NAMES_BYTES: usize = 128 << 10;

/// Fields being collected from one record, up to a limit.
pub(super) struct Collected {
    pub(super) fields: Fields,
    /// How many values were left out because of the limits.
    pub(super) dropped: usize,
    max_fields: usize,
    /// What the names of new fields may still take.
    names_left: usize,
}

impl Collected {
    pub(super) fn new(max_fields: usize) -> Self {
        Self { fields: Fields::new(), dropped: 0, max_fields, names_left: MAX_NAMES_BYTES }
    }

    /// Adds attributes under their ECS names.
    pub(super) fn add_all(&mut self, attributes: Vec<KeyValue>) {
        for KeyValue { key, value, .. } in attributes {
            self.add(&key, value.and_then(|any| any.value));
        }
    }

    /// Adds one attribute. A structured one becomes a field for each of its members.
    pub(super) fn add(&mut self, key: &str, value: Option<Any>) {
        let key = field_name(key);
        match value {
            // Before a longer name is made of it.
            too_long if key.len() > MAX_NAME_BYTES => self.dropped += count(too_long.as_ref()),
            Some(Any::KvlistValue(list)) => self.add_members(&key, list.values),
            Some(Any::ArrayValue(array)) => self.add_array(&key, array),
            single => self.put(&key, scalar(single)),
        }
    }

    fn add_members(&mut self, key: &str, members: Vec<KeyValue>) {
        if members.is_empty() {
            self.put(key, Value::Null);
        }
        for member in members {
            self.add(&format!("{key}.{}", member.key), member.value.and_then(|any| any.value));
        }
    }

    /// Scalars become one list under `key`, the members of objects one list per path.
    fn add_array(&mut self, key: &str, array: ArrayValue) {
        let mut scalars = Vec::new();
        let mut objects = Vec::new();
        sort_elements(array, &mut scalars, &mut objects);
        if !scalars.is_empty() || objects.is_empty() {
            self.put(key, Value::List(scalars));
        }
        for member in objects {
            let path = format!("{key}.{}", member.key);
            match member.value.and_then(|any| any.value) {
                too_long if path.len() > MAX_NAME_BYTES => self.dropped += count(too_long.as_ref()),
                Some(Any::KvlistValue(list)) => self.add_members(&path, list.values),
                Some(Any::ArrayValue(array)) => self.add_array(&path, array),
                single => self.push(&path, scalar(single)),
            }
        }
    }

    /// Sets a field. A name that is taken keeps both values, as a list.
    pub(super) fn put(&mut self, key: &str, value: Value) {
        if self.fields.get(key) == Some(&value) || !self.fits(key) {
            return;
        }
        match value {
            Value::List(values) if self.fields.get(key).is_some() => {
                values.into_iter().for_each(|value| self.fields.append(key, value));
            }
            value => self.fields.append(key, value),
        }
    }

    fn push(&mut self, key: &str, value: Value) {
        if self.fields.get(key).is_some() {
            self.fields.append(key, value);
        } else {
            self.put(key, Value::List(vec![value]));
        }
    }

    fn fits(&mut self, key: &str) -> bool {
        if self.fields.get(key).is_some() {
            return true;
        }
        let left = self.names_left.checked_sub(key.len());
        let fits = self.fields.len() < self.max_fields && key.len() <= MAX_NAME_BYTES && left.is_some();
        if fits {
            self.names_left = left.unwrap_or_default();
        }
        self.dropped += usize::from(!fits);
        fits
    }
}

/// How many values there are in one, each of which would be a field or an element of one.
fn count(value: Option<&Any>) -> usize {
    let of = |any: &AnyValue| count(any.value.as_ref());
    match value {
        Some(Any::KvlistValue(list)) if !list.values.is_empty() => {
            list.values.iter().map(|member| member.value.as_ref().map_or(1, of)).sum()
        }
        Some(Any::ArrayValue(array)) if !array.values.is_empty() => array.values.iter().map(of).sum(),
        _ => 1,
    }
}

/// Nested arrays are flattened, as in every [`Value::List`].
fn sort_elements(array: ArrayValue, scalars: &mut Vec<Value>, objects: &mut Vec<KeyValue>) {
    for element in array.values {
        match element.value {
            Some(Any::ArrayValue(inner)) => sort_elements(inner, scalars, objects),
            Some(Any::KvlistValue(list)) => objects.extend(list.values),
            single => scalars.push(scalar(single)),
        }
    }
}

/// The field an attribute goes to.
pub(super) fn field_name(key: &str) -> Cow<'_, str> {
    if key.is_empty() {
        Cow::Borrowed("attributes")
    } else if RESERVED.contains(&key) {
        Cow::Owned(format!("attributes.{key}"))
    } else {
        ecs(key)
    }
}

/// One value that is neither list nor object.
pub(super) fn scalar(value: Option<Any>) -> Value {
    match value {
        Some(Any::StringValue(text)) => Value::from(text),
        Some(Any::BoolValue(truth)) => Value::Bool(truth),
        Some(Any::IntValue(number)) => Value::Int(number),
        Some(Any::DoubleValue(number)) if number.is_finite() => Value::Float(number),
        Some(Any::DoubleValue(number)) => Value::str(not_finite(number)),
        Some(Any::BytesValue(bytes)) => Value::str(bytes_text(bytes)),
        // An index into a table that only profiles have.
        Some(Any::StringValueStrindex(_)) | None => Value::Null,
        Some(Any::ArrayValue(_) | Any::KvlistValue(_)) => Value::Null,
    }
}

/// As in the JSON mapping of protobuf.
fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Bytes as text: themselves if they are text, else base64, as in the JSON mapping of protobuf.
fn bytes_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| super::json::to_base64(error.as_bytes()))
}

/// Any value as JSON, for bodies that are shown whole and for lists in labels.
pub(super) fn to_json(value: Option<&Any>) -> Json {
    match value {
        Some(Any::StringValue(text)) => Json::from(text.as_str()),
        Some(Any::BoolValue(truth)) => Json::from(*truth),
        Some(Any::IntValue(number)) => Json::from(*number),
        Some(Any::DoubleValue(number)) if number.is_finite() => Json::from(*number),
        Some(Any::DoubleValue(number)) => Json::from(not_finite(*number)),
        Some(Any::BytesValue(bytes)) => Json::from(bytes_text(bytes.clone())),
        Some(Any::ArrayValue(array)) => {
            array.values.iter().map(|element| to_json(element.value.as_ref())).collect()
        }
        Some(Any::KvlistValue(list)) => Json::Object(members_json(&list.values)),
        Some(Any::StringValueStrindex(_)) | None => Json::Null,
    }
}

fn members_json(members: &[KeyValue]) -> Map<String, Json> {
    let json = |member: &KeyValue| to_json(member.value.as_ref().and_then(|any| any.value.as_ref()));
    members.iter().map(|member| (member.key.clone(), json(member))).collect()
}

/// Any value as the text of a label.
pub(super) fn label_text(value: Option<Any>) -> String {
    match value {
        Some(structured @ (Any::ArrayValue(_) | Any::KvlistValue(_))) => {
            to_json(Some(&structured)).to_string()
        }
        single => scalar(single).text().into_owned(),
    }
}

/// A field value as an attribute's.
pub(super) fn from_value(value: &Value) -> AnyValue {
    let any = match value {
        Value::Null => None,
        Value::Bool(truth) => Some(Any::BoolValue(*truth)),
        Value::Int(number) => Some(Any::IntValue(*number)),
        Value::Float(number) => Some(Any::DoubleValue(*number)),
        Value::List(values) => {
            Some(Any::ArrayValue(ArrayValue { values: values.iter().map(from_value).collect() }))
        }
        text @ (Value::Str(_) | Value::Ip(_) | Value::Time(_)) => {
            Some(Any::StringValue(text.text().into_owned()))
        }
    };
    AnyValue { value: any }
}
