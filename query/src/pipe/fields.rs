//! `fields a, b` keeps these, `fields -a, -b` drops them, `fields a as c, b` gives names too.

#[cfg(test)]
mod tests;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::Shown;
use super::read::Reader;
use super::rows::Rows;

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub enum Fields {
    /// These and no others, rows in this order of columns.
    Keep(Vec<Box<str>>),
    /// All but these.
    Drop(Vec<Box<str>>),
}

impl Fields {
    /// One dash before the first name drops all that are named, as people write both `-a, b` and `-a, -b`.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let drop = reader.eat('-');
        if !drop {
            reader.eat('+');
        }
        let mut names = Vec::new();
        loop {
            let name = reader.column()?;
            names.push(if !drop && reader.keyword("as") { reader.rename(name)? } else { name });
            if !reader.eat(',') {
                break;
            }
            if drop {
                reader.eat('-');
            }
        }
        Ok(if drop { Self::Drop(names) } else { Self::Keep(names) })
    }

    /// What is left to show of events.
    pub(super) fn narrow(&self, shown: Shown) -> Shown {
        match self {
            Self::Keep(names) => shown.keep(names),
            Self::Drop(names) => shown.drop(names),
        }
    }

    /// What [`Fields::apply`] will take: a name can be there as often as a query is long.
    pub(super) fn bytes(&self, rows: &Rows) -> usize {
        let Self::Keep(names) = self else { return 0 };
        let place = |name: &str| rows.columns.iter().position(|column| column == name);
        let mut times = vec![0usize; rows.columns.len()];
        for index in names.iter().filter_map(|name| place(name)) {
            times.iter_mut().skip(index).take(1).for_each(|times| *times += 1);
        }
        let cell = size_of::<Value>() + size_of::<serde_json::Value>();
        let heap = |row: &Vec<Value>| -> usize {
            row.iter().zip(&times).map(|(value, times)| value.heap_bytes().saturating_mul(*times)).sum()
        };
        rows.rows.iter().map(|row| names.len() * cell + heap(row)).fold(0, usize::saturating_add)
    }

    /// What is left of rows. A column that does not exist is all null.
    pub(super) fn apply(&self, rows: &mut Rows) {
        let places: Vec<(String, Option<usize>)> = match self {
            Self::Keep(names) => names
                .iter()
                .map(|name| (name.to_string(), rows.columns.iter().position(|column| **column == **name)))
                .collect(),
            Self::Drop(names) => {
                let kept = |(_, column): &(usize, &String)| !names.iter().any(|name| **name == **column);
                let columns = rows.columns.iter().enumerate().filter(kept);
                columns.map(|(index, column)| (column.clone(), Some(index))).collect()
            }
        };
        for row in &mut rows.rows {
            let cell = |place: &Option<usize>| place.and_then(|index| row.get(index)).cloned();
            *row = places.iter().map(|(_, place)| cell(place).unwrap_or(Value::Null)).collect();
        }
        rows.columns = places.into_iter().map(|(name, _)| name).collect();
    }
}
