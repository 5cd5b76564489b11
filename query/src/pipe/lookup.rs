//! `lookup assets ip as source.ip output owner, zone as source.zone`: values from a table that people keep, by a value of the record.
//!
//! Without `output` all other columns of the table are taken. A column of networks (`10.0.0.0/8`) finds addresses by the longest prefix that
//! holds them. Text is compared in any case. Where the table has several rows for a value, the first counts.

mod table;
#[cfg(test)]
mod tests;

pub use table::LookupTable;
pub(crate) use table::MAX_BYTES;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use locard_event::Value;
use locard_filter::SyntaxError;

use super::PipeError;
use super::edit::Changes;
use super::eval::new_field;
use super::read::Reader;
use super::record::Record;

/// The pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The table's name.
    pub table: Box<str>,
    /// Columns of the table, and the fields that must equal them.
    pub on: Vec<(Box<str>, Box<str>)>,
    /// Columns that are taken, and what they are called; none: all others.
    pub output: Vec<(Box<str>, Box<str>)>,
}

impl Lookup {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let table = reader.field("the name of a table")?;
        let (mut on, mut output) = (Vec::new(), Vec::new());
        loop {
            on.push(renamed(reader, |reader| reader.field("a field name"))?);
            if !reader.eat(',') {
                break;
            }
        }
        if reader.keyword("output") || reader.keyword("outputnew") {
            loop {
                output.push(renamed(reader, new_field)?);
                if !reader.eat(',') {
                    break;
                }
            }
        }
        Ok(Self { table, on, output })
    }
}

/// `column`, or `column as field`.
fn renamed(
    reader: &mut Reader<'_>,
    field: impl Fn(&mut Reader<'_>) -> Result<Box<str>, SyntaxError>,
) -> Result<(Box<str>, Box<str>), SyntaxError> {
    let column = reader.field("a column of the table")?;
    let field = if reader.keyword("as") { field(reader)? } else { column.clone() };
    Ok((column, field))
}

/// A lookup and its table, indexed.
#[derive(Debug)]
pub(super) struct Bound {
    table: Arc<LookupTable>,
    on: Vec<Box<str>>,
    /// Places of columns that are taken, and their names.
    output: Vec<(usize, Box<str>)>,
    index: Index,
}

#[derive(Debug)]
enum Index {
    /// Rows by the values of the columns.
    Values(HashMap<Vec<String>, usize>),
    /// Rows by their network; the longest prefixes first.
    Networks(Vec<(IpNet, usize)>),
}

impl Bound {
    pub(super) fn new(lookup: &Lookup, table: Arc<LookupTable>) -> Result<Self, PipeError> {
        let place = |column: &str| {
            let place = table.columns.iter().position(|known| known == column);
            place.ok_or_else(|| PipeError::Column {
                table: lookup.table.clone(),
                column: column.into(),
                columns: table.columns.join(", "),
            })
        };
        let keys = lookup.on.iter().map(|(column, _)| place(column)).collect::<Result<Vec<_>, _>>()?;
        let output = if lookup.output.is_empty() {
            let others = table.columns.iter().enumerate().filter(|(place, _)| !keys.contains(place));
            others.map(|(place, name)| (place, name.as_str().into())).collect()
        } else {
            let taken = lookup.output.iter().map(|(column, name)| Ok((place(column)?, name.clone())));
            taken.collect::<Result<Vec<_>, PipeError>>()?
        };
        let index = Index::new(&table, &keys);
        Ok(Self { on: lookup.on.iter().map(|(_, field)| field.clone()).collect(), output, index, table })
    }

    pub(super) fn reads(&self) -> impl Iterator<Item = &str> {
        self.on.iter().map(|field| &**field)
    }

    pub(super) fn makes(&self) -> impl Iterator<Item = &str> {
        self.output.iter().map(|(_, name)| &**name)
    }

    pub(super) fn changes(&self, record: &Record<'_>) -> Changes {
        let values: Vec<_> = self.on.iter().map(|field| record.value(field)).collect();
        let Some(row) = self.index.find(&values).and_then(|row| self.table.rows.get(row)) else {
            return Vec::new();
        };
        let cell = |(place, name): &(usize, Box<str>)| {
            let value = row.get(*place).filter(|cell| !cell.is_empty())?;
            Some((name.clone(), Value::ip_or_str(value)))
        };
        self.output.iter().filter_map(cell).collect()
    }
}

impl Index {
    fn new(table: &LookupTable, keys: &[usize]) -> Self {
        if let [key] = keys
            && let Some(networks) = networks(table, *key)
        {
            return Self::Networks(networks);
        }
        let mut values = HashMap::with_capacity(table.rows.len());
        for (at, row) in table.rows.iter().enumerate() {
            let key = keys.iter().map(|key| folded(row.get(*key).map_or("", String::as_str)));
            values.entry(key.collect()).or_insert(at);
        }
        Self::Values(values)
    }

    fn find(&self, values: &[std::borrow::Cow<'_, Value>]) -> Option<usize> {
        match self {
            Self::Networks(networks) => {
                let ips: Vec<IpAddr> = values.first()?.elements().iter().filter_map(Value::as_ip).collect();
                let holds = |(network, _): &&(IpNet, usize)| ips.iter().any(|ip| network.contains(ip));
                networks.iter().find(holds).map(|(_, row)| *row)
            }
            Self::Values(rows) => match values {
                // The first element that the table has.
                [value] => value
                    .elements()
                    .iter()
                    .find_map(|element| rows.get(&vec![folded(&element.text())]).copied()),
                values => rows
                    .get(&values.iter().map(|value| folded(&value.to_string())).collect::<Vec<_>>())
                    .copied(),
            },
        }
    }
}

/// The column as networks, if all of it is addresses and networks and some are networks.
fn networks(table: &LookupTable, column: usize) -> Option<Vec<(IpNet, usize)>> {
    let mut networks = Vec::new();
    let mut any = false;
    for (at, row) in table.rows.iter().enumerate() {
        let text = row.get(column)?;
        let network = match text.parse::<IpNet>() {
            Ok(network) => {
                any = true;
                network.trunc()
            }
            Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
        };
        networks.push((network, at));
    }
    networks.sort_by_key(|(network, at)| (std::cmp::Reverse(network.prefix_len()), *at));
    any.then_some(networks)
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}
