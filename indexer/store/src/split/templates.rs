//! The templates of a split's messages, each once: its text, which bytes its slots hold, how many events have it, and when.
//!
//! Ordinal 0 stands for messages without a template. Knows nothing of what is asked.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint, put_zigzag};
use super::message::{Folded, Masks, Slots};
use super::pack;
use locard_filter::template::{ByteMask, pattern_name};

pub(crate) const SECTION: &str = "templates";
const MAX_BYTES: usize = 1 << 30;
/// Messages whose template would be one more than this many in a fresh split get none.
const MAX_TEMPLATES: usize = if cfg!(test) { 12 } else { 32_768 };

/// Most bytes of the texts of a fresh split's templates: who writes log lines chooses how long and how varied they are.
const MAX_TEMPLATE_BYTES: usize = 8 << 20;

/// A template of a split.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template<'t> {
    /// As [`locard_filter::template`] writes it; empty for ordinal 0.
    pub(crate) text: &'t [u8],
    /// The bytes that occur in each slot.
    pub(crate) slots: Slots<'t>,
    /// How many events have it.
    pub(crate) events: u64,
    /// Filed times of the first and the last.
    pub(crate) filed: (i64, i64),
}

/// All templates of a split, by ordinal. There may be a hundred thousand, and they are read again when there was no room to keep
/// them: so they are few large pieces of memory.
#[derive(Debug)]
pub(crate) struct Templates {
    texts: Vec<u8>,
    each: Vec<One>,
    /// Where the masks of all slots are.
    places: Vec<u32>,
    masks: Masks,
    /// The names of all, made when they are first asked for.
    names: OnceLock<Vec<String>>,
    /// All, folded; made as late.
    folded: OnceLock<Folded>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct One {
    /// Where its text ends, and its slots.
    text_end: usize,
    slots_end: usize,
    events: u64,
    filed: (i64, i64),
}

impl Templates {
    fn new(masks: Masks) -> Self {
        let (texts, each, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { texts, each, places, masks, names: OnceLock::new(), folded: OnceLock::new() }
    }

    fn push(&mut self, text: &[u8], slots: impl Iterator<Item = u32>, events: u64, filed: (i64, i64)) {
        self.texts.extend_from_slice(text);
        self.places.extend(slots);
        self.each.push(One { text_end: self.texts.len(), slots_end: self.places.len(), events, filed });
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Template<'_>> {
        (0..self.each.len() as u32).filter_map(|ordinal| self.get(ordinal))
    }

    pub(crate) fn len(&self) -> usize {
        self.each.len()
    }

    pub(crate) fn get(&self, ordinal: u32) -> Option<Template<'_>> {
        let One { text_end, slots_end, events, filed } = *self.each.get(ordinal as usize)?;
        let before = (ordinal as usize).checked_sub(1).and_then(|before| self.each.get(before));
        let (text_start, slots_start) = before.map_or((0, 0), |one| (one.text_end, one.slots_end));
        let slots = self.masks.slots(self.places.get(slots_start..slots_end)?);
        Some(Template { text: self.texts.get(text_start..text_end)?, slots, events, filed })
    }

    /// The name of a template's pattern.
    pub(crate) fn name(&self, ordinal: u32) -> Option<&str> {
        let name = |template: Template<'_>| pattern_name(template.text);
        let names = self.names.get_or_init(|| self.iter().map(name).collect());
        names.get(ordinal as usize).filter(|_| ordinal > 0).map(String::as_str)
    }

    /// All of them, their case folded.
    pub(crate) fn folded(&self) -> &Folded {
        self.folded.get_or_init(|| Folded::of(self.iter().map(|template| (template.text, template.slots))))
    }

    /// Whether some messages have no template here.
    pub(crate) fn has_gaps(&self) -> bool {
        self.each.first().is_some_and(|none| none.events > 0)
    }

    /// With room for the names, and for all of them folded.
    pub(crate) fn heap_bytes(&self) -> usize {
        let (templates, text) = (self.each.len(), self.texts.len());
        let names = templates * (size_of::<String>() + 16);
        let own = text + templates * size_of::<One>() + self.places.len() * size_of::<u32>();
        own + names + Folded::heap_bytes_of(templates, text)
    }

    /// Masks are few and shared: each is written once.
    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        put_varint(&mut out, self.masks.all().len() as u64);
        self.masks.all().iter().for_each(|mask| out.extend_from_slice(&mask_bytes(mask)));
        put_varint(&mut out, self.each.len() as u64);
        for template in self.iter() {
            put_bytes(&mut out, template.text);
            put_varint(&mut out, template.events);
            put_zigzag(&mut out, template.filed.0);
            put_zigzag(&mut out, template.filed.1);
            put_varint(&mut out, template.slots.places().len() as u64);
            template.slots.places().iter().for_each(|place| put_varint(&mut out, u64::from(*place)));
        }
        pack::pack(&out)
    }

    pub(crate) fn decode(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BYTES)?;
        let mut input = Input::new(&raw);
        let masks =
            (0..input.count()?).map(|_| Ok(mask_of(input.array()?))).collect::<Result<Vec<ByteMask>>>()?;
        let mut templates = Self::new(Masks::new(masks));
        for _ in 0..input.count()? {
            templates.take(&mut input)?;
        }
        input.end()?;
        templates.texts.shrink_to_fit();
        templates.each.shrink_to_fit();
        templates.places.shrink_to_fit();
        if templates.each.is_empty() { Err(Malformed("there is no template")) } else { Ok(templates) }
    }

    fn take(&mut self, input: &mut Input<'_>) -> Result<()> {
        let (text, events) = (input.bytes()?, input.varint()?);
        let filed = (input.zigzag()?, input.zigzag()?);
        for _ in 0..input.count()? {
            let place = u32::try_from(input.varint()?).ok();
            let place = place.filter(|place| (*place as usize) < self.masks.all().len());
            self.places.push(place.ok_or(Malformed("there is no such mask"))?);
        }
        self.push(text, std::iter::empty(), events, filed);
        Ok(())
    }
}

fn mask_bytes(mask: &ByteMask) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).zip(mask.0).for_each(|(to, word)| to.copy_from_slice(&word.to_le_bytes()));
    bytes
}

fn mask_of(bytes: [u8; 32]) -> ByteMask {
    let mut words = [0; 4];
    let chunks = bytes.chunks_exact(8).filter_map(|bytes| bytes.first_chunk());
    words.iter_mut().zip(chunks).for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
    ByteMask(words)
}

/// A template of a split that is being made.
#[derive(Debug)]
struct Building {
    text: Box<[u8]>,
    slots: Vec<ByteMask>,
    events: u64,
    filed: (i64, i64),
}

impl Building {
    fn new(text: &[u8], slots: &[ByteMask]) -> Self {
        Self { text: text.into(), slots: slots.to_vec(), events: 0, filed: (i64::MAX, i64::MIN) }
    }

    fn note(&mut self, filed: i64) {
        self.events += 1;
        self.filed = (self.filed.0.min(filed), self.filed.1.max(filed));
    }

    fn widen<'m>(&mut self, slots: impl IntoIterator<Item = &'m ByteMask>) {
        for (own, other) in self.slots.iter_mut().zip(slots) {
            own.add(other);
        }
    }
}

/// Gives templates ordinals in order of first appearance; when all are known, in the order of their texts.
#[derive(Debug)]
pub(crate) struct TemplateTable {
    templates: Vec<Building>,
    ordinals: HashMap<Box<[u8]>, u32, RandomState>,
    bytes: usize,
}

impl Default for TemplateTable {
    fn default() -> Self {
        Self { templates: vec![Building::new(&[], &[])], ordinals: HashMap::default(), bytes: 0 }
    }
}

impl TemplateTable {
    /// The ordinal of a message's template; 0 if it has none, or if there would be too many.
    pub(crate) fn ordinal(&mut self, text: Option<&[u8]>, slots: &[ByteMask], filed: i64) -> u32 {
        let ordinal = text.map_or(0, |text| self.find(text, slots));
        if let Some(template) = self.templates.get_mut(ordinal as usize) {
            if ordinal > 0 {
                template.widen(slots);
            }
            template.note(filed);
        }
        ordinal
    }

    fn find(&mut self, text: &[u8], slots: &[ByteMask]) -> u32 {
        if let Some(ordinal) = self.ordinals.get(text) {
            return *ordinal;
        }
        if self.templates.len() > MAX_TEMPLATES || self.bytes + text.len() > MAX_TEMPLATE_BYTES {
            return 0;
        }
        self.bytes += text.len();
        self.add(Building::new(text, slots))
    }

    fn add(&mut self, template: Building) -> u32 {
        let ordinal = self.templates.len() as u32;
        self.ordinals.insert(template.text.clone(), ordinal);
        self.templates.push(template);
        ordinal
    }

    /// Adds all templates of another split; answers what each of its ordinals became.
    pub(crate) fn absorb(&mut self, other: &Templates) -> Vec<u32> {
        other.iter().enumerate().map(|(at, template)| self.absorb_one(at, template)).collect()
    }

    fn absorb_one(&mut self, at: usize, template: Template<'_>) -> u32 {
        let known = if at == 0 { Some(0) } else { self.ordinals.get(template.text).copied() };
        let Template { text, slots, events, filed } = template;
        let Some(ordinal) = known else {
            return self.add(Building {
                text: text.into(),
                slots: slots.plain().copied().collect(),
                events,
                filed,
            });
        };
        if let Some(own) = self.templates.get_mut(ordinal as usize) {
            own.widen(slots.plain());
            own.events += events;
            own.filed = (own.filed.0.min(filed.0), own.filed.1.max(filed.1));
        }
        ordinal
    }

    /// The table, and what each ordinal that was given became. No template stays the first.
    pub(crate) fn finish(self) -> (Templates, Vec<u32>) {
        let mut sorted: Vec<(u32, Building)> = (0..).zip(self.templates).collect();
        sorted.sort_unstable_by(|(one, first), (two, second)| {
            (*one > 0, &first.text).cmp(&(*two > 0, &second.text))
        });
        let mut became = vec![0; sorted.len()];
        for (ordinal, (was, _)) in (0..).zip(&sorted) {
            if let Some(slot) = became.get_mut(*was as usize) {
                *slot = ordinal;
            }
        }
        let (masks, places) = shared_masks(sorted.iter().flat_map(|(_, template)| &template.slots));
        let mut templates = Templates::new(masks);
        let mut places = places.into_iter();
        for (_, Building { text, slots, events, filed }) in &sorted {
            templates.push(text, places.by_ref().take(slots.len()), *events, *filed);
        }
        (templates, became)
    }
}

/// Masks, each once, and which of them each is.
fn shared_masks<'m>(all: impl Iterator<Item = &'m ByteMask>) -> (Masks, Vec<u32>) {
    let mut known: HashMap<ByteMask, u32, RandomState> = HashMap::default();
    let mut masks = Vec::new();
    let place = |mask: &ByteMask| {
        *known.entry(*mask).or_insert_with(|| {
            masks.push(*mask);
            masks.len() as u32 - 1
        })
    };
    let places = all.map(place).collect();
    (Masks::new(masks), places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(byte: u8) -> ByteMask {
        let mut bytes = [0; 32];
        bytes[usize::from(byte / 8)] = 1 << (byte % 8);
        mask_of(bytes)
    }

    fn table(messages: &[(&str, u8, i64)]) -> Templates {
        let mut table = TemplateTable::default();
        for (text, slot, filed) in messages {
            table.ordinal(Some(text.as_bytes()), &[mask(*slot)], *filed);
        }
        table.finish().0
    }

    #[test]
    fn they_are_counted_come_back_and_merge() {
        let one = table(&[("a \0", b'1', 5), ("b \0", b'2', 1), ("a \0", b'3', 3)]);
        assert_eq!((one.len(), one.get(1).unwrap().events, one.get(1).unwrap().filed), (3, 2, (3, 5)));
        let back = Templates::decode(&one.encode().unwrap()).unwrap();
        assert_eq!((&back.texts, &back.each, &back.places), (&one.texts, &one.each, &one.places));
        assert_eq!(back.masks, one.masks);
        let two = table(&[("c \0", b'1', 9), ("Z \0", b'7', 8), ("a \0", b'7', 8)]);
        let mut merged = TemplateTable::default();
        assert_eq!(merged.absorb(&one), [0, 1, 2]);
        assert_eq!(merged.absorb(&two), [0, 3, 1, 4]);
        let (merged, became) = merged.finish();
        assert_eq!(became, [0, 2, 3, 1, 4]);
        let a = merged.get(2).unwrap();
        assert_eq!((a.events, a.filed), (3, (3, 8)));
        let mut all = mask(b'1');
        all.add(&mask(b'3'));
        all.add(&mask(b'7'));
        assert!(a.slots.plain().eq([&all]));
    }

    #[test]
    fn too_many_templates_are_none() {
        let mut table = TemplateTable::default();
        for at in 0..MAX_TEMPLATES + 3 {
            table.ordinal(Some(format!("t{at}").as_bytes()), &[], 0);
        }
        let (templates, _) = table.finish();
        assert_eq!((templates.len(), templates.get(0).unwrap().events), (MAX_TEMPLATES + 1, 3));
    }
}
