//! Lookup tables: columns have different names and rows are as long, and a lookup into any table ends with a table.

use std::borrow::Cow;
use std::sync::Arc;

use locard_query::pipe::{LookupTable, parse};

use super::kind;
use super::piped::run;
use crate::ground::Ground;

pub(crate) fn check(ground: &Ground, input: &[u8]) -> Result<String, String> {
    let table = match LookupTable::read(input) {
        Ok(table) => Arc::new(table),
        Err(error) => return Ok(kind(&error)),
    };
    for (at, column) in table.columns.iter().enumerate() {
        if table.columns.iter().take(at).any(|earlier| earlier == column) {
            return Err(format!("two columns are called `{column}`"));
        }
    }
    if let Some(row) = table.rows.iter().find(|row| row.len() != table.columns.len()) {
        return Err(format!("a row of {} cells in a table of {} columns", row.len(), table.columns.len()));
    }
    let events: Vec<_> = ground.events.iter().rev().map(Cow::Borrowed).collect();
    let tables = [("fuzz", Arc::clone(&table))];
    let mut shapes = format!("{} {}", table.columns.len().min(4), table.rows.len().min(4));
    for column in table.columns.iter().take(3) {
        for query in [
            format!("* | lookup fuzz {column:?} as source.ip"),
            format!("* | lookup fuzz {column:?} as user.name | stats count() by team, zone"),
            format!("* | stats count() as n by user.name | lookup fuzz {column:?} as user.name | sort -n"),
        ] {
            // A name may hold what quotes cannot.
            let Ok(query) = parse(&query) else { continue };
            shapes.push_str(&run(&query.pipes, &events, &tables)?);
        }
    }
    Ok(shapes)
}
