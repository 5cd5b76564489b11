//! The JSON encoding of OTLP, as senders write it, to the protobuf messages.
//!
//! Read a record at a time: the request is first cut into raw records, so that small ones cannot grow large all at once.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;
use serde_json::{Error, Map, Value as Json};

use super::{DecodeError, MAX_NESTED};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, alias = "resource_logs")]
    resource_logs: Option<Vec<ResourceLogs<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourceLogs<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, alias = "scope_logs")]
    scope_logs: Option<Vec<ScopeLogs<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeLogs<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, alias = "log_records")]
    log_records: Option<&'a RawValue>,
}

/// Cuts a request.
pub(super) fn read_request(body: &[u8]) -> Result<Vec<ResourceLogs<'_>>, Error> {
    serde_json::from_slice::<Request<'_>>(body).map(|request| request.resource_logs.unwrap_or_default())
}

impl<'a> ResourceLogs<'a> {
    pub(super) fn resource(&self) -> Result<Resource, DecodeError> {
        let mut object = self.resource.map(read_object).transpose()?.unwrap_or_default();
        Ok(Resource {
            attributes: attributes(take(&mut object, "attributes"))?,
            dropped_attributes_count: dropped(&mut object)?,
            ..Resource::default()
        })
    }

    pub(super) fn scopes(self) -> Vec<ScopeLogs<'a>> {
        self.scope_logs.unwrap_or_default()
    }
}

impl<'a> ScopeLogs<'a> {
    pub(super) fn scope(&self) -> Result<Option<InstrumentationScope>, DecodeError> {
        let Some(mut object) = self.scope.map(read_object).transpose()? else { return Ok(None) };
        Ok(Some(InstrumentationScope {
            name: text(take(&mut object, "name"))?,
            version: text(take(&mut object, "version"))?,
            attributes: attributes(take(&mut object, "attributes"))?,
            dropped_attributes_count: dropped(&mut object)?,
        }))
    }

    pub(super) fn records(&self) -> Result<Vec<&'a RawValue>, DecodeError> {
        let records = self.log_records.map(|raw| serde_json::from_str::<Option<Vec<_>>>(raw.get()));
        Ok(records.transpose()?.flatten().unwrap_or_default())
    }
}

/// Reads one record.
pub(super) fn read_record(raw: &RawValue) -> Result<LogRecord, DecodeError> {
    let mut object = read_object(raw)?;
    let object = &mut object;
    let mut attributes = attributes(take(object, "attributes"))?;
    let trace_id = id(take(object, "traceId"), "trace.id", &mut attributes)?;
    let span_id = id(take(object, "spanId"), "span.id", &mut attributes)?;
    Ok(LogRecord {
        time_unix_nano: unsigned(take(object, "timeUnixNano"))?,
        observed_time_unix_nano: unsigned(take(object, "observedTimeUnixNano"))?,
        severity_number: severity_number(take(object, "severityNumber"))?,
        severity_text: text(take(object, "severityText"))?,
        body: Some(AnyValue { value: any(take(object, "body"))? }),
        dropped_attributes_count: dropped(object)?,
        flags: u32::try_from(unsigned(take(object, "flags"))?).unwrap_or(u32::MAX),
        event_name: text(take(object, "eventName"))?,
        attributes,
        trace_id,
        span_id,
    })
}

fn read_object(raw: &RawValue) -> Result<Map<String, Json>, DecodeError> {
    if count_objects(raw.get()) > MAX_NESTED {
        return Err(DecodeError::TooMany { noun: "values in one record", limit: MAX_NESTED });
    }
    Ok(serde_json::from_str(raw.get())?)
}

/// Braces and brackets outside strings.
fn count_objects(json: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

/// Takes a member by its name in camel case, or in snake case as in the protobuf definition.
fn take(object: &mut Map<String, Json>, name: &str) -> Json {
    if let Some(value) = object.remove(name) {
        return value;
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    object.remove(&snake).unwrap_or_default()
}

fn dropped(object: &mut Map<String, Json>) -> Result<u32, Error> {
    let count = unsigned(take(object, "droppedAttributesCount"))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn text(json: Json) -> Result<String, Error> {
    match json {
        Json::String(text) => Ok(text),
        Json::Null => Ok(String::new()),
        other => Err(Error::custom(format!("expected a string, found `{}`", short(&other)))),
    }
}

/// A 64-bit number, which JSON carries as a string and many senders as a number, some as a float.
fn unsigned(json: Json) -> Result<u64, Error> {
    let number = match &json {
        Json::Null => Some(0),
        Json::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
        Json::String(text) if text.is_empty() => Some(0),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Error::custom(format!("expected an unsigned number, found `{}`", short(&json))))
}

/// A cast of a float saturates, so it is right for any whole number.
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
}

fn severity_number(json: Json) -> Result<i32, Error> {
    if let Json::String(name) = &json
        && let Some(number) = SeverityNumber::from_str_name(name)
    {
        return Ok(number as i32);
    }
    unsigned(json).map(|number| i32::try_from(number).unwrap_or(i32::MAX))
}

/// An id in hex, or in base64 as plain protobuf JSON has it. Any other text is kept as an attribute.
fn id(json: Json, field: &str, attributes: &mut Vec<KeyValue>) -> Result<Vec<u8>, Error> {
    let text = text(json)?;
    if let Some(bytes) = from_hex(&text).or_else(|| from_base64(&text)) {
        return Ok(bytes);
    }
    let value = Some(AnyValue { value: Some(Any::StringValue(text)) });
    attributes.push(KeyValue { key: field.to_owned(), value, ..KeyValue::default() });
    Ok(Vec::new())
}

fn attributes(json: Json) -> Result<Vec<KeyValue>, Error> {
    match json {
        Json::Null => Ok(Vec::new()),
        Json::Array(members) => members.into_iter().map(key_value).collect(),
        // Not OTLP, but what it means is plain.
        Json::Object(members) => members.into_iter().map(|(key, value)| Ok(pair(key, any(value)?))).collect(),
        other => Err(Error::custom(format!("expected a list of attributes, found `{}`", short(&other)))),
    }
}

fn key_value(json: Json) -> Result<KeyValue, Error> {
    match json {
        Json::Object(mut object) => {
            Ok(pair(text(take(&mut object, "key"))?, any(take(&mut object, "value"))?))
        }
        other => Err(Error::custom(format!("expected an attribute, found `{}`", short(&other)))),
    }
}

fn pair(key: String, value: Option<Any>) -> KeyValue {
    KeyValue { key, value: Some(AnyValue { value }), ..KeyValue::default() }
}

/// `AnyValue`: an object with one member named for the type; a bare JSON value is taken for what it is.
fn any(json: Json) -> Result<Option<Any>, Error> {
    match json {
        Json::Object(object) => tagged(object),
        Json::Null => Ok(None),
        Json::Bool(truth) => Ok(Some(Any::BoolValue(truth))),
        Json::Number(number) => Ok(Some(number_value(&number))),
        Json::String(text) => Ok(Some(Any::StringValue(text))),
        Json::Array(elements) => array(elements).map(Some),
    }
}

fn tagged(mut object: Map<String, Json>) -> Result<Option<Any>, Error> {
    for (name, read) in [
        ("stringValue", text_value as fn(Json) -> Result<Any, Error>),
        ("intValue", int_value),
        ("boolValue", bool_value),
        ("doubleValue", double_value),
        ("arrayValue", array_value),
        ("kvlistValue", kvlist_value),
        ("bytesValue", bytes_value),
    ] {
        match take(&mut object, name) {
            Json::Null => {}
            value => return read(value).map(Some),
        }
    }
    Ok(None)
}

fn text_value(json: Json) -> Result<Any, Error> {
    text(json).map(Any::StringValue)
}

fn bool_value(json: Json) -> Result<Any, Error> {
    match &json {
        Json::Bool(truth) => Ok(Any::BoolValue(*truth)),
        Json::String(text) if text == "true" => Ok(Any::BoolValue(true)),
        Json::String(text) if text == "false" => Ok(Any::BoolValue(false)),
        other => Err(Error::custom(format!("expected a boolean, found `{}`", short(other)))),
    }
}

/// An integer as a string or number. One that 64 bits cannot hold stays text, so that no digit is lost.
fn int_value(json: Json) -> Result<Any, Error> {
    match json {
        Json::Number(number) => Ok(number_value(&number)),
        Json::String(text) => match text.trim().parse() {
            Ok(number) => Ok(Any::IntValue(number)),
            Err(_) => Ok(Any::StringValue(text)),
        },
        other => Err(Error::custom(format!("expected an integer, found `{}`", short(&other)))),
    }
}

fn double_value(json: Json) -> Result<Any, Error> {
    match &json {
        Json::Number(number) => Ok(Any::DoubleValue(number.as_f64().unwrap_or(f64::NAN))),
        // `NaN`, `Infinity` and `-Infinity` are strings in protobuf's JSON; Rust reads these spellings.
        Json::String(text) => match text.trim().parse() {
            Ok(number) => Ok(Any::DoubleValue(number)),
            Err(_) => Ok(Any::StringValue(text.clone())),
        },
        other => Err(Error::custom(format!("expected a number, found `{}`", short(other)))),
    }
}

fn number_value(number: &serde_json::Number) -> Any {
    match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) => Any::IntValue(integer),
        (None, Some(float)) if number.is_f64() => Any::DoubleValue(float),
        _ => Any::StringValue(number.to_string()),
    }
}

fn array_value(json: Json) -> Result<Any, Error> {
    array(values(json)?)
}

fn array(elements: Vec<Json>) -> Result<Any, Error> {
    let element = |json| Ok(AnyValue { value: any(json)? });
    let values = elements.into_iter().map(element).collect::<Result<_, Error>>()?;
    Ok(Any::ArrayValue(ArrayValue { values }))
}

fn kvlist_value(json: Json) -> Result<Any, Error> {
    let members = values(json)?.into_iter().map(key_value).collect::<Result<_, Error>>()?;
    Ok(Any::KvlistValue(KeyValueList { values: members }))
}

/// The list in `{"values": […]}`.
fn values(json: Json) -> Result<Vec<Json>, Error> {
    let list = match json {
        Json::Object(mut object) => take(&mut object, "values"),
        bare => bare,
    };
    match list {
        Json::Array(elements) => Ok(elements),
        Json::Null => Ok(Vec::new()),
        other => Err(Error::custom(format!("expected `values`, found `{}`", short(&other)))),
    }
}

fn bytes_value(json: Json) -> Result<Any, Error> {
    let text = text(json)?;
    Ok(from_base64(&text).map_or(Any::StringValue(text), Any::BytesValue))
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE].iter().find_map(|alphabet| alphabet.decode(text).ok())
}

/// Bytes as base64 text.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Hex digits of either case to bytes.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// The beginning of a value, for an error message.
fn short(json: &Json) -> String {
    json.to_string().chars().take(40).collect()
}
