//! JSON: an object a line, or the same objects in one array, each on a line of its own.

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::encoder::Batch;
use crate::json::EventJson;
use crate::pipe::{Shown, member_names};

/// Appends every object of a batch; `between` is called before each, and after it.
pub(super) fn put(
    batch: &Batch,
    fields: &[Box<str>],
    out: &mut Vec<u8>,
    mut between: impl FnMut(&mut Vec<u8>, bool),
) {
    match batch {
        Batch::Lines(lines) => {
            for line in lines {
                between(out, true);
                let text = line.text();
                out.extend_from_slice(text.strip_suffix(b"\n").unwrap_or(text));
                between(out, false);
            }
        }
        Batch::Events(events, shown) => {
            let shown = narrowed(shown, fields);
            for event in events {
                between(out, true);
                object(out, &EventJson(event, &shown));
                between(out, false);
            }
        }
        Batch::Rows(table) => {
            let names = member_names(&table.columns);
            for row in &table.rows {
                between(out, true);
                object(out, &Row { names: &names, row, fields });
                between(out, false);
            }
        }
    }
}

/// What is shown, and of that only these, if any are named.
fn narrowed(shown: &Shown, fields: &[Box<str>]) -> Shown {
    if fields.is_empty() { shown.clone() } else { shown.keep(fields) }
}

/// Writing into memory does not fail, and every object can be written.
fn object(out: &mut Vec<u8>, object: &impl Serialize) {
    drop(serde_json::to_writer(out, object));
}

/// A row as an object.
struct Row<'a> {
    names: &'a [String],
    row: &'a [Value],
    fields: &'a [Box<str>],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { names, row, fields } = self;
        let asked = |name: &str| fields.is_empty() || fields.iter().any(|field| **field == *name);
        serializer.collect_map(names.iter().zip(*row).filter(|(name, _)| asked(name)))
    }
}
