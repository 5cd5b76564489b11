//! The templates of a split's messages, each once: its text, which bytes its slots hold, how many events have it, and when.
//!
//! Ordinal 0 stands for messages without a template. Knows nothing of what is asked.

use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint, put_zigzag};
use super::dictionary::Interner;
use super::message::Folded;
use super::pack;
use locard_filter::template::{ByteMask, pattern_name};

pub(crate) const SECTION: &str = "templates";
const MAX_BYTES: usize = 1 << 30;
/// Messages whose template would be one more than this many in a fresh split get none.
const MAX_TEMPLATES: usize = if cfg!(test) { 12 } else { 32_768 };

/// Most bytes of the texts of a fresh split's templates: who writes log lines chooses how long and how varied they are.
const MAX_TEMPLATE_BYTES: usize = 8 << 20;

/// What is kept of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// As [`locard_filter::template`] writes it; empty for ordinal 0.
    pub(crate) text: Box<[u8]>,
    /// The bytes that occur in each slot.
    pub(crate) slots: Vec<ByteMask>,
    /// How many events have it.
    pub(crate) events: u64,
    /// Filed times of the first and the last.
    pub(crate) filed: (i64, i64),
}

impl Template {
    fn new(text: &[u8], slots: &[ByteMask]) -> Self {
        Self { text: text.into(), slots: slots.to_vec(), events: 0, filed: (i64::MAX, i64::MIN) }
    }

    fn note(&mut self, filed: i64) {
        self.events += 1;
        self.filed = (self.filed.0.min(filed), self.filed.1.max(filed));
    }

    fn widen(&mut self, slots: &[ByteMask]) {
        for (own, other) in self.slots.iter_mut().zip(slots) {
            own.add(other);
        }
    }
}

/// All templates of a split, by ordinal.
#[derive(Debug)]
pub(crate) struct Templates {
    templates: Vec<Template>,
    /// The names of all, made when they are first asked for.
    names: OnceLock<Vec<String>>,
    /// All, folded; made as late.
    folded: OnceLock<Folded>,
}

impl Templates {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Template> {
        self.templates.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.templates.len()
    }

    pub(crate) fn get(&self, ordinal: u32) -> Option<&Template> {
        self.templates.get(ordinal as usize)
    }

    /// The name of a template's pattern.
    pub(crate) fn name(&self, ordinal: u32) -> Option<&str> {
        let names = self
            .names
            .get_or_init(|| self.templates.iter().map(|template| pattern_name(&template.text)).collect());
        names.get(ordinal as usize).filter(|_| ordinal > 0).map(String::as_str)
    }

    /// All of them, their case folded.
    pub(crate) fn folded(&self) -> &Folded {
        self.folded.get_or_init(|| {
            Folded::of(self.templates.iter().map(|template| (&*template.text, template.slots.as_slice())))
        })
    }

    /// Whether some messages have no template here.
    pub(crate) fn has_gaps(&self) -> bool {
        self.templates.first().is_some_and(|none| none.events > 0)
    }

    /// With room for the names, and for all of them folded.
    pub(crate) fn heap_bytes(&self) -> usize {
        let of = |template: &Template| {
            let (text, slots) = (template.text.len(), template.slots.len());
            text + slots * size_of::<ByteMask>() + Folded::heap_bytes_of(text, slots)
        };
        self.templates.iter().map(|template| size_of::<Template>() + 40 + of(template)).sum()
    }

    /// Masks are few and shared: each is written once.
    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut masks = Interner::<RandomState>::default();
        let mut body = Vec::new();
        for template in &self.templates {
            put_bytes(&mut body, &template.text);
            put_varint(&mut body, template.events);
            put_zigzag(&mut body, template.filed.0);
            put_zigzag(&mut body, template.filed.1);
            put_varint(&mut body, template.slots.len() as u64);
            for slot in &template.slots {
                put_varint(&mut body, masks.intern(&mask_bytes(slot)).into());
            }
        }
        let mut out = Vec::new();
        put_varint(&mut out, masks.len() as u64);
        masks.keys().for_each(|(mask, _)| out.extend_from_slice(mask));
        put_varint(&mut out, self.templates.len() as u64);
        out.extend_from_slice(&body);
        pack::pack(&out)
    }

    pub(crate) fn decode(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BYTES)?;
        let mut input = Input::new(&raw);
        let masks =
            (0..input.count()?).map(|_| Ok(mask_of(input.array()?))).collect::<Result<Vec<ByteMask>>>()?;
        let count = input.count()?;
        let templates = (0..count).map(|_| decode_one(&mut input, &masks)).collect::<Result<Vec<_>>>()?;
        input.end()?;
        if templates.is_empty() {
            Err(Malformed("there is no template"))
        } else {
            Ok(Self { templates, names: OnceLock::new(), folded: OnceLock::new() })
        }
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

fn decode_one(input: &mut Input<'_>, masks: &[ByteMask]) -> Result<Template> {
    let (text, events) = (input.bytes()?.into(), input.varint()?);
    let filed = (input.zigzag()?, input.zigzag()?);
    let slots = (0..input.count()?)
        .map(|_| masks.get(input.length()?).copied().ok_or(Malformed("there is no such mask")))
        .collect::<Result<_>>()?;
    Ok(Template { text, slots, events, filed })
}

/// Gives templates ordinals in order of first appearance; when all are known, in the order of their texts.
#[derive(Debug)]
pub(crate) struct TemplateTable {
    templates: Vec<Template>,
    ordinals: HashMap<Box<[u8]>, u32, RandomState>,
    bytes: usize,
}

impl Default for TemplateTable {
    fn default() -> Self {
        Self { templates: vec![Template::new(&[], &[])], ordinals: HashMap::default(), bytes: 0 }
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
        self.add(Template::new(text, slots))
    }

    fn add(&mut self, template: Template) -> u32 {
        let ordinal = self.templates.len() as u32;
        self.ordinals.insert(template.text.clone(), ordinal);
        self.templates.push(template);
        ordinal
    }

    /// Adds all templates of another split; answers what each of its ordinals became.
    pub(crate) fn absorb(&mut self, other: &Templates) -> Vec<u32> {
        other.iter().enumerate().map(|(at, template)| self.absorb_one(at, template)).collect()
    }

    fn absorb_one(&mut self, at: usize, template: &Template) -> u32 {
        let known = if at == 0 { Some(0) } else { self.ordinals.get(&template.text).copied() };
        let Some(ordinal) = known else { return self.add(template.clone()) };
        if let Some(own) = self.templates.get_mut(ordinal as usize) {
            own.widen(&template.slots);
            own.events += template.events;
            own.filed = (own.filed.0.min(template.filed.0), own.filed.1.max(template.filed.1));
        }
        ordinal
    }

    /// The table, and what each ordinal that was given became. No template stays the first.
    pub(crate) fn finish(self) -> (Templates, Vec<u32>) {
        let mut sorted: Vec<(u32, Template)> = (0..).zip(self.templates).collect();
        sorted.sort_unstable_by(|(one, first), (two, second)| {
            (*one > 0, &first.text).cmp(&(*two > 0, &second.text))
        });
        let mut became = vec![0; sorted.len()];
        for (ordinal, (was, _)) in (0..).zip(&sorted) {
            if let Some(slot) = became.get_mut(*was as usize) {
                *slot = ordinal;
            }
        }
        let templates = sorted.into_iter().map(|(_, template)| template).collect();
        (Templates { templates, names: OnceLock::new(), folded: OnceLock::new() }, became)
    }
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
        assert_eq!(Templates::decode(&one.encode().unwrap()).unwrap().templates, one.templates);
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
        assert_eq!(a.slots, [all]);
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
