//! [`Node`]: a filter compiled for one split, and what it says of one chunk.
//!
//! Both bounds are kept through `AND`, `OR` and `NOT`: all of `sure` match, and no others than those of `maybe`. Only what lies
//! between is verified with the matcher. A bound may be too generous, never too narrow: the property test is its proof.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

use locard_event::{Timestamp, Value};
use locard_filter::ValueTest;

use super::blocks::Record;
use super::columns::{Own, Page, PageKind};
use super::fault::Result;
use super::mask::Mask;
use super::ordinals::Ordinals;
use super::pattern_of;
use super::read::Reader;

/// What a [`Node`] says of one chunk: of the whole, and of each part, for what is left open.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) bounds: Bounds,
    /// One for each part that was asked.
    parts: Vec<Judged>,
    /// Of a field: documents whose label matches where they have no such field.
    labels: Mask,
}

impl Judged {
    fn leaf(bounds: Bounds) -> Self {
        Self { bounds, parts: Vec::new(), labels: Mask::NONE }
    }
}

/// What is known of the matching documents of a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) sure: Mask,
    pub(crate) maybe: Mask,
}

impl Bounds {
    pub(crate) const NONE: Self = Self { sure: Mask::NONE, maybe: Mask::NONE };

    pub(crate) fn exact(mask: Mask) -> Self {
        Self { sure: mask, maybe: mask }
    }

    fn candidates(maybe: Mask) -> Self {
        Self { sure: Mask::NONE, maybe }
    }

    fn or(&mut self, other: &Self) {
        self.sure.or(&other.sure);
        self.maybe.or(&other.maybe);
    }
}

/// A filter compiled for one split.
#[derive(Debug)]
pub(crate) enum Node {
    /// Every document, or none.
    Const(bool),
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// Documents of these streams.
    Streams(Ordinals),
    /// Documents whose time, as said, lies between: from the first on, before the second.
    Time(Option<Timestamp>, Option<Timestamp>),
    /// Documents with one of these values in a column that all have.
    Own(Own, Ordinals),
    Field(Box<FieldNode>),
    Text(Box<TextNode>),
    Anywhere(Box<AnyNode>),
    Sequence(u64),
    Pattern(Box<PatternNode>),
    /// The split says nothing.
    Unknown,
}

/// Something that must be true of a document, as far as filters and word lists can tell.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// It has one of these listed words,
    pub(crate) words: Range<u32>,
    /// or this key.
    pub(crate) key: Option<u64>,
    /// The greater, the fewer documents have it; those are asked about first.
    pub(crate) weight: usize,
}

impl Wanted {
    /// The documents of which it may be true.
    fn mask(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        let mut mask = reader.with_words(chunk, &self.words)?;
        if let Some(key) = self.key {
            mask.or(&reader.needles(chunk)?.may_have(key));
        }
        Ok(mask)
    }
}

/// What must be true of a document with a value that is in no dictionary for it to match.
#[derive(Debug)]
pub(crate) enum Keys {
    Unknown,
    All(Vec<Wanted>),
    Any(Vec<u64>),
}

impl Keys {
    /// The documents that may match.
    fn mask(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        match self {
            Self::Unknown => reader.all_of(chunk),
            Self::All(wanted) => {
                let mut mask = reader.all_of(chunk)?;
                for wanted in wanted {
                    if mask.is_empty() {
                        break;
                    }
                    mask.and(&wanted.mask(reader, chunk)?);
                }
                Ok(mask)
            }
            Self::Any(keys) => {
                let needles = reader.needles(chunk)?;
                let mut mask = Mask::NONE;
                keys.iter().for_each(|key| mask.or(&needles.may_have(*key)));
                Ok(mask)
            }
        }
    }
}

/// A test on integers that remembers its answers.
#[derive(Debug)]
pub(crate) struct NumberTest {
    test: ValueTest,
    known: RefCell<HashMap<i64, bool>>,
}

/// Answers that are remembered, at most.
const MAX_KNOWN: usize = 1 << 20;

impl NumberTest {
    pub(crate) fn new(test: ValueTest) -> Self {
        Self { test, known: RefCell::default() }
    }

    fn matches(&self, number: i64) -> bool {
        let mut known = self.known.borrow_mut();
        if known.len() > MAX_KNOWN {
            known.clear();
        }
        *known.entry(number).or_insert_with(|| self.test.matches(&Value::Int(number)))
    }

    /// The documents in `within` whose number matches.
    fn mark(&self, page: &Page, within: &Mask) -> Result<Mask> {
        let (mut mask, packed) = (Mask::NONE, page.packed());
        for (at, place) in page.values.iter().enumerate() {
            if within.contains(place) {
                mask.insert_if(place, self.matches(packed.get(at)));
            }
        }
        Ok(mask)
    }
}

/// A test on a field: the event's own, else the label of that name.
#[derive(Debug)]
pub(crate) struct FieldNode {
    pub(crate) name: Box<str>,
    pub(crate) column: Option<usize>,
    /// The values of the column's dictionary that match.
    pub(crate) values: Ordinals,
    pub(crate) numbers: NumberTest,
    pub(crate) keys: Keys,
    /// Streams whose label matches.
    pub(crate) labels: Ordinals,
    /// Where some names have no column: the key of this name's presence.
    pub(crate) presence: Option<u64>,
}

/// A test on the names of patterns.
#[derive(Debug)]
pub(crate) struct PatternNode {
    /// The templates whose names match.
    pub(crate) templates: Ordinals,
    /// Messages without a template here may have one that a split has no room for.
    pub(crate) has_gaps: bool,
    pub(crate) test: ValueTest,
}

impl PatternNode {
    fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::exact(marked(&page, &self.templates)?);
        if self.has_gaps {
            let mut place = 0;
            page.packed().each(|ordinal| {
                bounds.maybe.insert_if(place, ordinal == 0);
                place += 1;
            });
        }
        Ok(bounds)
    }
}

/// A test on messages.
#[derive(Debug)]
pub(crate) struct TextNode {
    pub(crate) test: ValueTest,
    /// For each template: [`NEVER`], [`ALWAYS`], or from [`PERHAPS`] on what must be in the filter.
    pub(crate) verdicts: Vec<u8>,
    /// Sets of `wanted`, as bits, by verdict less [`PERHAPS`].
    pub(crate) missing: Vec<u64>,
    pub(crate) wanted: Vec<Wanted>,
    /// In which order to ask.
    pub(crate) order: Vec<usize>,
    /// Events of the templates that always match.
    pub(crate) always: u64,
}

pub(crate) const NEVER: u8 = 0;
pub(crate) const ALWAYS: u8 = 1;
pub(crate) const PERHAPS: u8 = 2;

impl TextNode {
    /// For each of `missing`, the documents of a chunk that may have it.
    fn allowed(&self, reader: &Reader, chunk: usize) -> Result<Vec<Mask>> {
        let mut known: Vec<Option<Mask>> = vec![None; self.wanted.len()];
        let mut allowed = Vec::with_capacity(self.missing.len());
        for missing in &self.missing {
            let mut mask = reader.all_of(chunk)?;
            for at in &self.order {
                let (Some(known), Some(wanted)) = (known.get_mut(*at), self.wanted.get(*at)) else {
                    continue;
                };
                if missing >> at & 1 == 1 && !mask.is_empty() {
                    let of_wanted = match known {
                        Some(mask) => mask,
                        None => known.insert(wanted.mask(reader, chunk)?),
                    };
                    mask.and(of_wanted);
                }
            }
            allowed.push(mask);
        }
        Ok(allowed)
    }

    /// Whether a chunk may hold matching messages besides those of the templates that always match.
    pub(crate) fn may_hold_others(&self, reader: &Reader, chunk: usize) -> Result<bool> {
        Ok(!self.missing.is_empty() && self.allowed(reader, chunk)?.iter().any(|mask| !mask.is_empty()))
    }

    /// The documents of the templates that always match.
    pub(crate) fn surely(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        Ok(self.bounds(reader, chunk)?.sure)
    }

    fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let allowed = self.allowed(reader, chunk)?;
        if self.always == 0 && allowed.iter().all(Mask::is_empty) {
            return Ok(Bounds::NONE);
        }
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::NONE;
        let mut place = 0;
        page.packed().each(|ordinal| {
            match self.verdicts.get(ordinal as usize).copied().unwrap_or(NEVER) {
                NEVER => {}
                ALWAYS => bounds.sure.insert(place),
                perhaps => {
                    let allowed = allowed.get(usize::from(perhaps - PERHAPS));
                    bounds.maybe.insert_if(place, allowed.is_some_and(|allowed| allowed.contains(place)));
                }
            }
            place += 1;
        });
        bounds.maybe.or(&bounds.sure);
        Ok(bounds)
    }
}

/// A test on the message, all labels and all values.
#[derive(Debug)]
pub(crate) struct AnyNode {
    pub(crate) text: Option<TextNode>,
    pub(crate) labels: Ordinals,
    /// Columns some of whose dictionary matches.
    pub(crate) values: Vec<(usize, Ordinals)>,
    /// Columns that may hold integers as such, and those that have residue.
    pub(crate) loose: Vec<usize>,
    pub(crate) numbers: NumberTest,
    pub(crate) keys: Keys,
    pub(crate) left_out: bool,
}

impl AnyNode {
    /// Whether nothing but messages can match.
    pub(crate) fn is_only_text(&self) -> bool {
        self.labels.is_empty() && self.values.is_empty()
    }

    /// The documents of a chunk some value of which may match that is in no dictionary.
    fn loose(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        if self.loose.is_empty() && !self.left_out { Ok(Mask::NONE) } else { self.keys.mask(reader, chunk) }
    }

    /// Whether there are such documents.
    pub(crate) fn may_hold_loose(&self, reader: &Reader, chunk: usize) -> Result<bool> {
        Ok(!self.loose(reader, chunk)?.is_empty())
    }
}

impl Node {
    /// What is known of the documents of a chunk that are in `within`.
    pub(crate) fn judge(&self, reader: &Reader, chunk: usize, within: &Mask) -> Result<Judged> {
        if within.is_empty() {
            return Ok(Judged::leaf(Bounds::NONE));
        }
        let mut judged = match self {
            Self::Const(true) => Judged::leaf(Bounds::exact(*within)),
            Self::Const(false) => Judged::leaf(Bounds::NONE),
            Self::Unknown => Judged::leaf(Bounds::candidates(*within)),
            Self::And(parts) => and(parts, reader, chunk, within)?,
            Self::Or(parts) => or(parts, reader, chunk, within)?,
            Self::Not(part) => not(part.judge(reader, chunk, within)?, within),
            Self::Streams(streams) => {
                Judged::leaf(Bounds::exact(marked(&reader.columns().own(Own::Stream, chunk)?, streams)?))
            }
            Self::Own(own, values) => {
                Judged::leaf(Bounds::exact(marked(&reader.columns().own(*own, chunk)?, values)?))
            }
            Self::Time(from, to) => Judged::leaf(Bounds::exact(said(reader, chunk, *from, *to)?)),
            Self::Sequence(sequence) => Judged::leaf(Bounds::exact(of_sequence(reader, chunk, *sequence)?)),
            Self::Field(field) => field.judge(reader, chunk)?,
            Self::Text(text) => Judged::leaf(text.bounds(reader, chunk)?),
            Self::Pattern(pattern) => Judged::leaf(pattern.bounds(reader, chunk)?),
            Self::Anywhere(any) => Judged::leaf(any.bounds(reader, chunk)?),
        };
        judged.bounds.sure.and(within);
        judged.bounds.maybe.and(within);
        Ok(judged)
    }

    /// Whether what is left open can be settled by [`Node::verify`]: by the record, without the whole event.
    pub(crate) fn is_settled_by_record(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().all(Self::is_settled_by_record),
            Self::Not(part) => part.is_settled_by_record(),
            _ => true,
        }
    }

    /// Whether the document at `place`, which `judged` left open, matches.
    pub(crate) fn verify(&self, judged: &Judged, place: usize, record: &Record<'_>) -> Result<bool> {
        if judged.bounds.sure.contains(place) {
            return Ok(true);
        }
        if !judged.bounds.maybe.contains(place) {
            return Ok(false);
        }
        let mut parts = judged.parts.iter();
        Ok(match self {
            Self::And(nodes) => {
                for (node, judged) in nodes.iter().zip(parts) {
                    if !node.verify(judged, place, record)? {
                        return Ok(false);
                    }
                }
                true
            }
            Self::Or(nodes) => {
                for (node, judged) in nodes.iter().zip(parts) {
                    if node.verify(judged, place, record)? {
                        return Ok(true);
                    }
                }
                false
            }
            Self::Not(node) => match parts.next() {
                Some(judged) => !node.verify(judged, place, record)?,
                None => false,
            },
            Self::Text(text) => text.test.matches_bytes(record.message),
            Self::Pattern(pattern) => {
                let found = pattern_of(record.message);
                found.is_some_and(|(id, _)| pattern.test.matches_bytes(format!("{id:016x}").as_bytes()))
            }
            Self::Anywhere(any) => any.verify(record)?,
            Self::Field(field) => field.verify(judged, place, record)?,
            _ => false,
        })
    }
}

fn and(nodes: &[Node], reader: &Reader, chunk: usize, within: &Mask) -> Result<Judged> {
    let mut judged = Judged::leaf(Bounds::exact(*within));
    for node in nodes {
        let part = node.judge(reader, chunk, &judged.bounds.maybe)?;
        judged.bounds.sure.and(&part.bounds.sure);
        judged.bounds.maybe = part.bounds.maybe;
        judged.parts.push(part);
        if judged.bounds.maybe.is_empty() {
            break;
        }
    }
    Ok(judged)
}

fn or(nodes: &[Node], reader: &Reader, chunk: usize, within: &Mask) -> Result<Judged> {
    let mut judged = Judged::leaf(Bounds::NONE);
    for node in nodes {
        // Those that surely match need not be asked again.
        let mut open = *within;
        open.and_not(&judged.bounds.sure);
        let part = node.judge(reader, chunk, &open)?;
        judged.bounds.or(&part.bounds);
        judged.parts.push(part);
    }
    Ok(judged)
}

fn not(part: Judged, within: &Mask) -> Judged {
    let (mut sure, mut maybe) = (*within, *within);
    sure.and_not(&part.bounds.maybe);
    maybe.and_not(&part.bounds.sure);
    Judged { bounds: Bounds { sure, maybe }, parts: vec![part], labels: Mask::NONE }
}

/// The documents whose value is in `wanted`.
pub(crate) fn marked(page: &Page, wanted: &Ordinals) -> Result<Mask> {
    if wanted.is_empty() {
        return Ok(Mask::NONE);
    }
    if wanted.is_all() {
        return Ok(page.values);
    }
    let packed = page.packed();
    if let Some(only) = packed.constant() {
        return Ok(if wanted.contains(only as u32) { page.values } else { Mask::NONE });
    }
    let mut mask = Mask::NONE;
    if page.values.count() == packed.len() && page.values == Mask::first(packed.len()) {
        let mut place = 0;
        packed.each(|ordinal| {
            mask.insert_if(place, wanted.contains(ordinal as u32));
            place += 1;
        });
        return Ok(mask);
    }
    let mut at = 0;
    page.values.each(|place| {
        mask.insert_if(place, wanted.contains(packed.get(at) as u32));
        at += 1;
    });
    Ok(mask)
}

/// The documents whose time as said lies in a range: the filed time, but for those that said another.
fn said(reader: &Reader, chunk: usize, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Mask> {
    let mut mask = reader.filed_within(chunk, from, to)?;
    let Some(page) = reader.columns().page(Own::Said as usize, chunk)? else { return Ok(mask) };
    mask.and_not(&page.values);
    let mut places = page.values.iter();
    page.packed().each(|nanos| {
        let time = Timestamp::from_nanos(nanos);
        let is_inside = from.is_none_or(|from| from <= time) && to.is_none_or(|to| time < to);
        if let Some(place) = places.next() {
            mask.insert_if(place, is_inside);
        }
    });
    Ok(mask)
}

fn of_sequence(reader: &Reader, chunk: usize, sequence: u64) -> Result<Mask> {
    let mut mask = Mask::NONE;
    if let Some(place) = reader.place_of(chunk, sequence)? {
        mask.insert(place);
    }
    Ok(mask)
}

impl FieldNode {
    /// How many match, where the dictionary alone knows it.
    pub(crate) fn counted(&self, reader: &Reader) -> Result<Option<u64>> {
        let (true, None, Some(column)) = (self.labels.is_empty(), self.presence, self.column) else {
            return Ok(None);
        };
        let of_column = reader.columns().get(column)?;
        if of_column.residue > 0 || of_column.has_numbers() {
            return Ok(None);
        }
        let dictionary = reader.columns().dictionary(column)?;
        Ok(Some(self.values.iter().map(|ordinal| dictionary.count(ordinal)).sum()))
    }

    fn judge(&self, reader: &Reader, chunk: usize) -> Result<Judged> {
        let page = match self.column {
            Some(column) => reader.columns().page(column, chunk)?,
            None => None,
        };
        let mut bounds = match &page {
            Some(page) => self.own_values(reader, chunk, page)?,
            None => Bounds::NONE,
        };
        // Documents that have the field surely, and perhaps: it hides the label.
        let mut has = page.as_ref().map_or(Mask::NONE, |page| page.values);
        if let Some(page) = &page {
            has.or(&page.residue);
        }
        let mut may_have = has;
        if let (None, Some(presence)) = (&page, self.presence) {
            may_have = reader.needles(chunk)?.may_have(presence);
            if !may_have.is_empty() {
                let mut own = may_have;
                own.and(&self.keys.mask(reader, chunk)?);
                bounds.maybe.or(&own);
            }
        }
        let mut labels = Mask::NONE;
        if !self.labels.is_empty() {
            labels = marked(&reader.columns().own(Own::Stream, chunk)?, &self.labels)?;
            let (mut sure, mut maybe) = (labels, labels);
            sure.and_not(&may_have);
            maybe.and_not(&has);
            bounds.or(&Bounds { sure, maybe });
        }
        Ok(Judged { bounds, parts: Vec::new(), labels })
    }

    /// What is left open has the field in the residue, or not at all.
    fn verify(&self, judged: &Judged, place: usize, record: &Record<'_>) -> Result<bool> {
        let mut found = None;
        record.residue(|name, value| {
            if name == &*self.name {
                found = Some(self.numbers.test.matches(&value));
            }
        })?;
        Ok(found.unwrap_or_else(|| judged.labels.contains(place)))
    }

    fn own_values(&self, reader: &Reader, chunk: usize, page: &Page) -> Result<Bounds> {
        let mut bounds = Bounds::exact(match page.kind {
            PageKind::Ordinals => marked(page, &self.values)?,
            PageKind::Integers => self.numbers.mark(page, &page.values)?,
        });
        if !page.residue.is_empty() {
            let mut residue = page.residue;
            residue.and(&self.keys.mask(reader, chunk)?);
            bounds.maybe.or(&residue);
        }
        Ok(bounds)
    }
}

impl AnyNode {
    fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let mut bounds = match &self.text {
            Some(text) => text.bounds(reader, chunk)?,
            None => Bounds::candidates(reader.all_of(chunk)?),
        };
        if !self.labels.is_empty() {
            let streams = reader.columns().own(Own::Stream, chunk)?;
            bounds.or(&Bounds::exact(marked(&streams, &self.labels)?));
        }
        for (column, values) in &self.values {
            if let Some(page) = reader.columns().page(*column, chunk)?
                && page.kind == PageKind::Ordinals
            {
                bounds.or(&Bounds::exact(marked(&page, values)?));
            }
        }
        let loose = self.loose(reader, chunk)?;
        if !loose.is_empty() {
            self.add_loose(reader, chunk, &loose, &mut bounds)?;
        }
        Ok(bounds)
    }

    /// What is left open has it in the message or in the residue.
    fn verify(&self, record: &Record<'_>) -> Result<bool> {
        let test = &self.numbers.test;
        let mut matches = test.matches_bytes(record.message);
        if !matches {
            record.residue(|_, value| matches |= test.matches(&value))?;
        }
        Ok(matches)
    }

    /// Numbers that are stored as such, and residue.
    fn add_loose(&self, reader: &Reader, chunk: usize, loose: &Mask, bounds: &mut Bounds) -> Result<()> {
        if self.left_out {
            bounds.maybe.or(loose);
        }
        for column in &self.loose {
            let Some(page) = reader.columns().page(*column, chunk)? else { continue };
            let mut residue = page.residue;
            residue.and(loose);
            bounds.maybe.or(&residue);
            if page.kind == PageKind::Integers {
                bounds.or(&Bounds::exact(self.numbers.mark(&page, loose)?));
            }
        }
        Ok(())
    }
}
