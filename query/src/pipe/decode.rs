//! `parse json`, `parse logfmt`, `parse kv`, `parse cef`: what the message, or `field=name`, says in that format, as fields.
//!
//! `prefix=app.` is put before their names. What is not in the format changes nothing. What says which event it is stays.

mod cef;
mod kv;
#[cfg(test)]
mod tests;

use locard_event::{Fields, Value, name};
use locard_filter::SyntaxError;
use locard_parse::flatten::flatten;

use super::edit::Changes;
use super::read::Reader;
use super::record::Record;

/// A text gives no more fields than this.
const MAX_FIELDS: usize = 1_000;
const FORMATS: [&str; 4] = ["json", "logfmt", "kv", "cef"];

/// The pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decode {
    /// As what it is read.
    pub format: Format,
    /// What is read.
    pub field: Box<str>,
    /// What stands before the names.
    pub prefix: Box<str>,
}

/// A format of texts within events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One object.
    Json,
    /// `key=value key="a value"`, as Go programs write it.
    Logfmt,
    /// Pairs of key and value with `=` or `:` between them, anywhere in a text.
    Kv,
    /// ArcSight's Common Event Format.
    Cef,
}

impl Decode {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let Some((word, span)) = reader.identifier() else {
            return Err(reader.expected("a format").hint(format!("the formats are {}", FORMATS.join(", "))));
        };
        let format = match word.to_ascii_lowercase().as_str() {
            "json" => Format::Json,
            "logfmt" => Format::Logfmt,
            "kv" => Format::Kv,
            "cef" => Format::Cef,
            _ => return Err(reader.unknown("format", word, span, &FORMATS)),
        };
        let mut decode = Self { format, field: name::MESSAGE.into(), prefix: "".into() };
        while !reader.at_end() {
            if reader.option("field") || reader.keyword("from") {
                decode.field = reader.field("a field name")?;
            } else if reader.option("prefix") {
                decode.prefix = reader.field("the beginning of names")?;
            } else {
                return Err(reader.expected("`field=` or `prefix=`"));
            }
        }
        Ok(decode)
    }

    pub(super) fn changes(&self, record: &Record<'_>) -> Changes {
        let text = match &*self.field {
            name::MESSAGE => record.message().map(|line| String::from_utf8_lossy(&line).into_owned()),
            field => record.get(field).map(|value| value.to_string()),
        };
        let Some(text) = text else { return Vec::new() };
        let fields = match self.format {
            Format::Json => json(&text),
            Format::Logfmt => kv::logfmt(&text, MAX_FIELDS),
            Format::Kv => kv::pairs(&text, MAX_FIELDS),
            Format::Cef => cef::read(&text, MAX_FIELDS),
        };
        let named =
            |(name, value): (locard_event::Name, Value)| (Box::from(format!("{}{name}", self.prefix)), value);
        fields.into_iter().map(named).filter(|(name, _)| is_free(name)).collect()
    }
}

/// A line must not say which event it is, nor replace itself.
fn is_free(name: &str) -> bool {
    !matches!(
        name,
        name::ID
            | name::STREAM
            | name::TIMESTAMP
            | name::TIME
            | name::PATTERN
            | name::INGESTED
            | name::MESSAGE
    )
}

fn json(text: &str) -> Fields {
    let mut fields = Fields::new();
    // The object may have something before it, as a line of syslog has.
    let object = text.find('{').and_then(|start| text.get(start..)).unwrap_or("");
    let mut values = serde_json::Deserializer::from_str(object).into_iter();
    if let Some(Ok(serde_json::Value::Object(members))) = values.next() {
        flatten(members, &mut fields, MAX_FIELDS);
    }
    fields
}
