//! `rex "from (?P<ip>\S+) port"`: what the named groups of a regular expression find in the message, or in `field=name`, as fields.
//!
//! The first occurrence counts; `max=5` makes lists of the first five. Where nothing is found nothing changes.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use locard_event::{Value, name};
use locard_filter::SyntaxError;
use regex::Regex;

use super::edit::Changes;
use super::eval::{check_new, compiled};
use super::read::Reader;
use super::record::Record;

/// Most occurrences that can be asked for.
const MAX_OCCURRENCES: usize = 1_000;

const HINT: &str = "as in rex \"from (?P<ip>\\S+) port\"; names of groups may have dots";

/// The pipe.
#[derive(Clone, Debug)]
pub struct Rex {
    /// Where it looks.
    pub field: Box<str>,
    /// For what.
    pub regex: Regex,
    /// How many occurrences count.
    pub max: usize,
}

impl PartialEq for Rex {
    fn eq(&self, other: &Self) -> bool {
        let parts = |rex: &Self| (rex.field.clone(), rex.regex.as_str().to_owned(), rex.max);
        parts(self) == parts(other)
    }
}

impl Rex {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let (mut field, mut max, mut regex) = (Box::from(name::MESSAGE), 1, None);
        while !reader.at_end() {
            if reader.option("field") {
                field = reader.field("a field name")?;
            } else if reader.option("max") || reader.option("max_match") {
                max = reader.count(1..=MAX_OCCURRENCES)?;
            } else if regex.is_none() && matches!(reader.peek(), Some('"' | '/')) {
                regex = Some(pattern(reader)?);
            } else {
                return Err(reader.expected("a regular expression in quotes").hint(HINT));
            }
        }
        match regex {
            Some(regex) => Ok(Self { field, regex, max }),
            None => Err(reader.expected("a regular expression in quotes").hint(HINT)),
        }
    }

    /// The names of its groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    pub(super) fn changes(&self, record: &Record<'_>) -> Changes {
        let text: Cow<'_, str> = match &*self.field {
            name::MESSAGE => match record.message() {
                Some(message) => String::from_utf8_lossy(&message).into_owned().into(),
                None => return Vec::new(),
            },
            field => record.value(field).to_string().into(),
        };
        let mut found: Vec<(Box<str>, Vec<Value>)> = Vec::new();
        for groups in self.regex.captures_iter(&text).take(self.max) {
            for name in self.names() {
                let Some(group) = groups.name(name) else { continue };
                match found.iter_mut().find(|(known, _)| **known == *name) {
                    Some((_, values)) => values.push(group.as_str().into()),
                    None => found.push((name.into(), vec![group.as_str().into()])),
                }
            }
        }
        let value = |mut values: Vec<Value>| match values.len() {
            1 => values.swap_remove(0),
            _ => Value::List(values),
        };
        found.into_iter().map(|(name, values)| (name, value(values))).collect()
    }
}

/// A regular expression in quotes, in which backslashes are its own, or between slashes.
fn pattern(reader: &mut Reader<'_>) -> Result<Regex, SyntaxError> {
    reader.peek();
    let start = reader.position();
    let text = if reader.peek() == Some('/') { reader.delimited('/')? } else { reader.delimited('"')? };
    let span = start..reader.position();
    let regex = compiled(&text).map_err(|reason| SyntaxError::new(span.clone(), reason))?;
    let mut names = regex.capture_names().flatten().peekable();
    if names.peek().is_none() {
        let message = "the regular expression has no named group";
        return Err(SyntaxError::new(span, message).hint("name what is to become a field: (?P<name>…)"));
    }
    names.try_for_each(|name| check_new(name, span.clone()))?;
    Ok(regex)
}
