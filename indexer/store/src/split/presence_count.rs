//! How many of the matching events have each field and label, from presence sets: no event is put together.

use std::collections::BTreeMap;

use super::columns::Own;
use super::fault::Result;
use super::mask::Mask;
use super::read::Reader;

/// How many matching events have a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Having {
    /// As a field, null or not.
    pub field: u64,
    /// As a label of their stream that no field of theirs hides.
    pub label: u64,
}

/// Counts who has what, chunk by chunk.
pub(crate) struct Counter<'a> {
    reader: &'a Reader,
    /// By column.
    fields: Vec<u64>,
    /// By stream.
    streams: Vec<u64>,
    /// Columns whose name is also a label of some streams, with how many events have both.
    hiding: BTreeMap<usize, u64>,
}

impl<'a> Counter<'a> {
    pub(crate) fn new(reader: &'a Reader) -> Self {
        let is_label = |name: &str| reader.labels().has(name);
        let hiding = reader.columns().named().filter(|(_, column)| is_label(&column.name));
        Self {
            fields: vec![0; reader.columns().len()],
            streams: vec![0; reader.streams().len()],
            hiding: hiding.map(|(at, _)| (at, 0)).collect(),
            reader,
        }
    }

    pub(crate) fn add(&mut self, chunk: usize, matching: &Mask) -> Result<()> {
        let columns = self.reader.columns();
        let streams = columns.own(Own::Stream, chunk)?;
        let streams = streams.packed();
        for place in matching.iter() {
            if let Some(count) = self.streams.get_mut(streams.get(place) as usize) {
                *count += 1;
            }
        }
        for (at, column) in columns.named() {
            let Some(page) = columns.page(at, chunk)? else { continue };
            let mut having = page.values;
            having.or(&page.residue);
            having.and(matching);
            if let Some(count) = self.fields.get_mut(at) {
                *count += having.count() as u64;
            }
            if let Some(hidden) = self.hiding.get_mut(&at) {
                let has_label = |place: &usize| {
                    let stream = self.reader.streams().get(streams.get(*place) as usize);
                    stream.is_some_and(|stream| stream.get(&column.name).is_some())
                };
                *hidden += having.iter().filter(has_label).count() as u64;
            }
        }
        Ok(())
    }

    /// The names that some matching event has.
    pub(crate) fn finish(self) -> BTreeMap<Box<str>, Having> {
        let mut names: BTreeMap<Box<str>, Having> = BTreeMap::new();
        for (stream, count) in
            self.reader.streams().iter().zip(&self.streams).filter(|(_, count)| **count > 0)
        {
            for (label, _) in stream.iter() {
                match names.get_mut(label) {
                    Some(having) => having.label += count,
                    None => {
                        names.insert(label.into(), Having { field: 0, label: *count });
                    }
                }
            }
        }
        for (at, column) in self.reader.columns().named() {
            let count = self.fields.get(at).copied().unwrap_or(0);
            if count > 0 {
                let having = names.entry(column.name.clone()).or_default();
                having.field += count;
                having.label -= self.hiding.get(&at).copied().unwrap_or(0).min(having.label);
            }
        }
        names
    }
}
