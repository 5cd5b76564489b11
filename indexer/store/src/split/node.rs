//! [`Node`]: a filter compiled for one split, and what it says of one chunk.
//!
//! Both bounds are kept through `AND`, `OR` and `NOT`: all of `sure` match, and no others than those of `maybe`. Only what lies
//! between is verified with the matcher. A bound may be too generous, never too narrow: the property test is its proof.

mod anywhere;
mod field;
mod number;
mod text;
mod wanted;

use locard_event::Timestamp;

pub(crate) use anywhere::AnyNode;
pub(crate) use field::FieldNode;
pub(crate) use number::NumberTest;
pub(crate) use text::{PatternNode, TextNode};
pub(crate) use wanted::{Keys, Wanted};

use super::blocks::Record;
use super::columns::{Own, Page};
use super::fault::Result;
use super::mask::{CHUNK, Mask};
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
            Self::Text(text) => Judged::leaf(text.bounds(reader, chunk, within)?),
            Self::Pattern(pattern) => Judged::leaf(pattern.bounds(reader, chunk)?),
            Self::Anywhere(any) => Judged::leaf(any.bounds(reader, chunk, within)?),
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
    if packed.span().is_some_and(|span| !wanted.may_meet(span)) {
        return Ok(Mask::NONE);
    }
    if let Some(only) = packed.constant() {
        return Ok(if wanted.contains(only as u32) { page.values } else { Mask::NONE });
    }
    let mut room = [0; CHUNK];
    let ordinals = packed.ordinals(&mut room);
    let members = match wanted.range() {
        Some(range) => {
            let (least, above) = (*range.start(), *range.end() - *range.start());
            Mask::of_each(ordinals, |ordinal| ordinal.wrapping_sub(least) <= above)
        }
        None => Mask::of_each(ordinals, |ordinal| wanted.contains(ordinal)),
    };
    Ok(page.places_of(&members))
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
