//! `rename user.name as who`: other names for fields and columns; also written `fields user.name as who, message`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::edit::Changes;
use super::eval::new_field;
use super::read::Reader;
use super::record::Record;

/// The pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Old names and new ones.
    pub names: Vec<(Box<str>, Box<str>)>,
}

impl Rename {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut names = Vec::new();
        loop {
            let from = reader.column()?;
            if !reader.keyword("as") {
                return Err(reader.expected("`as`").hint(format!("as in rename {from} as other")));
            }
            names.push((from, new_field(reader)?));
            if !reader.eat(',') {
                return Ok(Self { names });
            }
        }
    }

    /// Old names become null, unless they are new ones of others.
    pub(super) fn changes(&self, record: &Record<'_>) -> Changes {
        let values = self.names.iter().map(|(from, _)| record.get(from).map(Cow::into_owned));
        let values: Vec<Option<Value>> = values.collect();
        let gone = self.names.iter().zip(&values).filter(|(_, value)| value.is_some());
        let gone = gone.map(|((from, _), _)| (from.clone(), Value::Null));
        let mut changes: Changes = gone.collect();
        let named = self.names.iter().zip(values);
        changes.extend(named.filter_map(|((_, to), value)| Some((to.clone(), value?))));
        changes
    }

    /// The columns of rows under their new names, in their places.
    pub(super) fn columns(&self, columns: &mut [String]) {
        for column in columns {
            if let Some((_, to)) = self.names.iter().find(|(from, _)| **from == **column) {
                *column = to.to_string();
            }
        }
    }
}
