//! Columns of several splits one after another: dictionaries merged, ordinals renumbered, all else copied.

use std::collections::BTreeSet;
use std::io::Write;

use super::super::dictionary::{self, Dictionary};
use super::super::fault::Result;
use super::super::object::ObjectWriter;
use super::super::pack;
use super::super::page::{self, Packed};
use super::super::words::WordPage;
use super::{
    Columns, Entry, Extent, INDEX_SECTION, Input, Lengths, ORDINALS, OWN, Own, PageHead, SECTION,
    encode_index,
};
use crate::split::bytes::put_bytes;
use crate::split::presence;

/// What the ordinals of one source's tables became.
#[derive(Debug)]
pub(crate) struct Remap {
    pub(crate) streams: Vec<u32>,
    pub(crate) templates: Vec<u32>,
}

/// One source of a column.
struct Part<'a> {
    columns: &'a Columns,
    /// Its place there; nothing if the source has no such column.
    column: Option<usize>,
}

/// Writes the columns of `sources`, stacked.
pub(crate) fn stack(sources: &[&Columns], remaps: &[Remap], object: &mut ObjectWriter) -> Result<()> {
    let names: BTreeSet<&str> =
        sources.iter().flat_map(|source| source.named().map(|(_, column)| &*column.name)).collect();
    let start = object.position();
    let mut entries = Vec::with_capacity(OWN + names.len());
    for own in 0..OWN {
        let parts: Vec<Part<'_>> =
            sources.iter().map(|columns| Part { columns, column: Some(own) }).collect();
        let (dictionary, became) = if own == Own::Stream as usize {
            (None, remaps.iter().map(|remap| remap.streams.clone()).collect())
        } else if own == Own::Template as usize {
            (None, remaps.iter().map(|remap| remap.templates.clone()).collect())
        } else {
            merged_dictionary(&parts)?
        };
        entries.push(write_column("", &parts, dictionary, &became, object)?);
    }
    for name in names {
        let parts: Vec<Part<'_>> =
            sources.iter().map(|columns| Part { columns, column: columns.find(name) }).collect();
        let (dictionary, became) = merged_dictionary(&parts)?;
        entries.push(write_column(name, &parts, dictionary, &became, object)?);
    }
    object.end_section(SECTION, start);
    let left_out = sources.iter().map(|source| source.left_out).sum();
    object.section(INDEX_SECTION, &encode_index(&entries, left_out)?)?;
    Ok(())
}

/// The dictionary of all parts together, and what each part's ordinals became; none if no part has one.
fn merged_dictionary(parts: &[Part<'_>]) -> Result<(Option<Dictionary>, Vec<Vec<u32>>)> {
    let dictionaries = parts
        .iter()
        .map(|part| {
            let read = |column| part.columns.raw_dictionary(column);
            let dictionary = part.column.map_or_else(|| Ok(Dictionary::default()), read)?;
            Ok((dictionary, part.columns.chunks.len()))
        })
        .collect::<Result<Vec<(Dictionary, usize)>>>()?;
    let (merged, became) = dictionary::merge(&dictionaries);
    Ok(((merged.len() > 0).then_some(merged), became))
}

fn write_column(
    name: &str,
    parts: &[Part<'_>],
    dictionary: Option<Dictionary>,
    became: &[Vec<u32>],
    object: &mut ObjectWriter,
) -> Result<Entry> {
    let mut entry = Entry { name: name.into(), ..Entry::default() };
    let packed = dictionary.map(|dictionary| dictionary.encode()).transpose()?.unwrap_or_default();
    object.write_all(&packed)?;
    let mut lengths = Lengths { dictionary: packed.len() as u64, extents: Vec::new() };
    for (part, became) in parts.iter().zip(became) {
        let is_same = became.iter().zip(0u32..).all(|(became, was)| *became == was);
        if let Some(column) = part.column {
            let column = part.columns.get(column)?;
            entry.documents += column.documents;
            entry.residue += column.residue;
            entry.numbers |= column.has_numbers();
        }
        object.check()?;
        for extent in 0..part.columns.chunks.extents().len() {
            let bytes = match part.column {
                None => Vec::new(),
                Some(column) if is_same => part.columns.packed_extent(column, extent)?,
                Some(column) => match part.columns.raw_extent(column, extent)? {
                    None => Vec::new(),
                    Some(extent) => pack::pack(&renumbered(&extent, column == Own::Words as usize, became)?)?,
                },
            };
            object.write_all(&bytes)?;
            lengths.extents.push(bytes.len() as u64);
        }
    }
    entry.lengths = lengths;
    Ok(entry)
}

/// An extent's pages with other ordinals.
fn renumbered(extent: &Extent, is_words: bool, became: &[u32]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(extent.raw.len());
    let mut page = Vec::new();
    for at in 0..extent.pages.len() {
        let bytes = extent.page(at)?;
        page.clear();
        match is_words && !bytes.is_empty() {
            true => page = WordPage::read(bytes)?.renumbered(became)?,
            false => renumber_page(bytes, became, &mut page)?,
        }
        put_bytes(&mut out, &page);
    }
    Ok(out)
}

fn renumber_page(bytes: &[u8], became: &[u32], out: &mut Vec<u8>) -> Result<()> {
    let mut input = Input::new(bytes);
    if bytes.is_empty() {
        return Ok(());
    }
    let head = PageHead::take(&mut input)?;
    if head.kind != ORDINALS || head.values == presence::NOBODY {
        out.extend_from_slice(bytes);
        return Ok(());
    }
    let packed = Packed::read(input, head.count)?;
    let mut values = Vec::with_capacity(head.count);
    packed.each(|ordinal| values.push(became.get(ordinal as usize).copied().unwrap_or(0)));
    head.put(out);
    page::pack_ordinals(&values, out);
    Ok(())
}
