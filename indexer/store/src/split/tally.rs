//! Matching events grouped by the codes of their values: what aggregations are made of, without putting events together.
//!
//! A value's *code* is its ordinal in a dictionary or table of the split, or a number behind those for values that are in none.
//! Combinations of codes are counted, and become values only when they are handed out.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
#[cfg(test)]
use locard_event::Timestamp;
use locard_event::{Value, name};

use super::columns::{Own, Page, PageKind};
use super::dictionary::{Dictionary, Interner};
use super::fault::Result;
use super::key;
use super::mask::{CHUNK, Mask};
use super::pattern_of;
use super::read::Reader;
use super::rebuild::Rebuilder;
use super::templates::Templates;
use crate::GroupKey;
use locard_filter::template::key_of_presence;

/// No value.
const NULL: u32 = u32::MAX;
/// Combinations held at a time; then they are handed out, and counted anew.
const MAX_COMBINATIONS: usize = if cfg!(test) { 8 } else { 1 << 20 };

/// Counts combinations of values of some keys.
pub(crate) struct Tally<'a> {
    reader: &'a Reader,
    keys: Vec<Coder<'a>>,
    combinations: Combinations,
    codes: Vec<u32>,
}

/// Gives the documents of a chunk their codes for one key.
struct Coder<'a> {
    reader: &'a Reader,
    kind: Kind,
    /// Values that are in no dictionary or table: their codes begin behind those.
    others: Interner<RandomState>,
    key: Vec<u8>,
}

enum Kind {
    Field(FieldCoder),
    Bucket {
        origin: i64,
        span: i64,
    },
    Pattern(Arc<Templates>),
    /// A name that stands for something of the event itself.
    Event(Box<str>),
}

struct FieldCoder {
    name: Box<str>,
    column: Option<usize>,
    dictionary: Arc<Dictionary>,
    /// For each stream the code of its label; empty if no stream has one.
    labels: Vec<u32>,
    presence: Option<u64>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(reader: &'a Reader, keys: &[GroupKey]) -> Result<Self> {
        let keys = keys.iter().map(|key| Coder::new(reader, key)).collect::<Result<Vec<_>>>()?;
        let combinations = Combinations::new(keys.len());
        Ok(Self { reader, keys, combinations, codes: Vec::new() })
    }

    /// Counts the documents of a chunk that are in `matching`.
    pub(crate) fn add(&mut self, chunk: usize, matching: &Mask, events: &mut Rebuilder<'_>) -> Result<()> {
        let count = matching.count();
        if count == 0 {
            return Ok(());
        }
        let [key] = self.keys.as_mut_slice() else { return self.add_several(chunk, matching, events) };
        if let Some(code) = key.only_code(chunk)? {
            self.combinations.add(code, count as u64);
            return Ok(());
        }
        if let Kind::Bucket { origin, span } = key.kind
            && count == self.reader.chunks().get(chunk)?.documents
        {
            let combinations = &mut self.combinations;
            return key.each_bucket(chunk, origin, span, |code, places| {
                combinations.add(code, places.len() as u64)
            });
        }
        self.codes.clear();
        self.codes.resize(CHUNK, NULL);
        key.codes(chunk, matching, events, &mut self.codes)?;
        if count == self.reader.chunks().get(chunk)?.documents {
            self.codes.iter().take(count).for_each(|code| self.combinations.add(*code, 1));
        } else {
            for place in matching.iter() {
                self.combinations.add(self.codes.get(place).copied().unwrap_or(NULL), 1);
            }
        }
        Ok(())
    }

    fn add_several(&mut self, chunk: usize, matching: &Mask, events: &mut Rebuilder<'_>) -> Result<()> {
        let mut combined = vec![0u32; CHUNK];
        for (at, key) in self.keys.iter_mut().enumerate() {
            self.codes.clear();
            self.codes.resize(CHUNK, NULL);
            match key.only_code(chunk)? {
                Some(code) => self.codes.fill(code),
                None => key.codes(chunk, matching, events, &mut self.codes)?,
            }
            for place in matching.iter() {
                if let (Some(slot), Some(code)) = (combined.get_mut(place), self.codes.get(place)) {
                    *slot = self.combinations.pair(at, *slot, *code);
                }
            }
        }
        for place in matching.iter() {
            self.combinations.add(combined.get(place).copied().unwrap_or(0), 1);
        }
        Ok(())
    }

    /// Counts every document of the split from the dictionary, if that knows: a single key, all of whose values are there.
    pub(crate) fn add_everything(&mut self) -> Result<bool> {
        let [Coder { kind: Kind::Field(field), .. }] = self.keys.as_slice() else { return Ok(false) };
        let columns = self.reader.columns();
        let Some(column) = field.column.map(|column| columns.get(column)).transpose()? else {
            return Ok(false);
        };
        let is_whole = field.labels.is_empty() && field.presence.is_none() && column.residue == 0;
        if !is_whole || column.has_numbers() {
            return Ok(false);
        }
        for ordinal in 0..field.dictionary.len() {
            self.combinations.add(ordinal, field.dictionary.count(ordinal));
        }
        let without = u64::from(self.reader.chunks().documents()) - column.documents;
        self.combinations.add(NULL, without);
        Ok(true)
    }

    /// Whether combinations should be handed out before more are counted.
    pub(crate) fn is_full(&self) -> bool {
        self.combinations.len() >= MAX_COMBINATIONS
    }

    /// Hands out what was counted, and forgets it. Whether more is wanted.
    pub(crate) fn hand_out(
        &mut self,
        visit: &mut dyn FnMut(&[Value], u64) -> ControlFlow<()>,
    ) -> Result<bool> {
        let mut values = vec![Value::Null; self.keys.len()];
        let mut codes = vec![NULL; self.keys.len()];
        let mut more = true;
        for (combination, count) in self.combinations.counted() {
            self.combinations.take_apart(combination, &mut codes);
            for ((value, code), key) in values.iter_mut().zip(&codes).zip(&self.keys) {
                *value = key.value(*code)?;
            }
            more = visit(&values, count).is_continue();
            if !more {
                break;
            }
        }
        self.combinations.clear();
        Ok(more)
    }
}

/// Combinations of codes, each known by one number, and their counts. With a single key, a code is its own number.
struct Combinations {
    keys: usize,
    /// By number; one behind for [`NULL`].
    counts: Vec<u64>,
    null: u64,
    /// For each key but the first: pairs of the number so far and the key's code, and their numbers.
    numbers: Vec<HashMap<u64, u32, RandomState>>,
    pairs: Vec<Vec<(u32, u32)>>,
}

impl Combinations {
    fn new(keys: usize) -> Self {
        let several = if keys > 1 { keys } else { 0 };
        let numbers = (0..several).map(|_| HashMap::default()).collect();
        Self { keys, counts: Vec::new(), null: 0, numbers, pairs: vec![Vec::new(); several] }
    }

    fn len(&self) -> usize {
        self.pairs.iter().map(Vec::len).max().unwrap_or(self.counts.len())
    }

    fn add(&mut self, number: u32, count: u64) {
        if number == NULL {
            self.null += count;
            return;
        }
        let at = number as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        if let Some(slot) = self.counts.get_mut(at) {
            *slot += count;
        }
    }

    /// The number of what was combined so far together with the code of key `at`.
    fn pair(&mut self, at: usize, so_far: u32, code: u32) -> u32 {
        let (Some(numbers), Some(pairs)) = (self.numbers.get_mut(at), self.pairs.get_mut(at)) else {
            return code;
        };
        *numbers.entry(u64::from(so_far) << 32 | u64::from(code)).or_insert_with(|| {
            pairs.push((so_far, code));
            pairs.len() as u32 - 1
        })
    }

    fn take_apart(&self, number: u32, codes: &mut [u32]) {
        if self.keys == 1 {
            codes.iter_mut().for_each(|code| *code = number);
            return;
        }
        let mut number = number;
        for (code, pairs) in codes.iter_mut().zip(&self.pairs).rev() {
            let (so_far, own) = pairs.get(number as usize).copied().unwrap_or((0, NULL));
            (*code, number) = (own, so_far);
        }
    }

    fn counted(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let known = (0u32..).zip(self.counts.iter().copied());
        known.chain([(NULL, self.null)]).filter(|(_, count)| *count > 0)
    }

    fn clear(&mut self) {
        self.counts.clear();
        self.null = 0;
        self.numbers.iter_mut().for_each(HashMap::clear);
        self.pairs.iter_mut().for_each(Vec::clear);
    }
}

impl<'a> Coder<'a> {
    fn new(reader: &'a Reader, key: &GroupKey) -> Result<Self> {
        let mut coder =
            Self { reader, kind: Kind::Event("".into()), others: Interner::default(), key: Vec::new() };
        coder.kind = match key {
            GroupKey::Bucket { origin, span_nanos } => {
                Kind::Bucket { origin: origin.nanos(), span: (*span_nanos).max(1) }
            }
            GroupKey::Pattern => Kind::Pattern(reader.templates()?),
            GroupKey::Field(name) => match &**name {
                name::ID | name::STREAM | name::TIME | name::TIMESTAMP | name::INGESTED | name::MESSAGE => {
                    Kind::Event(name.clone())
                }
                _ => Kind::Field(coder.field(name)?),
            },
        };
        Ok(coder)
    }

    fn field(&mut self, name: &str) -> Result<FieldCoder> {
        let columns = self.reader.columns();
        let column = columns.find(name);
        let dictionary = column.map_or_else(|| Ok(Arc::default()), |column| columns.dictionary(column))?;
        let presence = (columns.left_out > 0).then(|| key_of_presence(name));
        let mut labels = Vec::new();
        if self.reader.labels().has(name) {
            for stream in self.reader.streams() {
                labels.push(match stream.get(name) {
                    None => NULL,
                    Some(label) => self.other(&Value::str(label), &dictionary),
                });
            }
        }
        Ok(FieldCoder { name: name.into(), column, dictionary, labels, presence })
    }

    /// The code of a value that a page does not give as an ordinal.
    fn other(&mut self, value: &Value, dictionary: &Dictionary) -> u32 {
        self.key.clear();
        key::encode(value, &mut self.key);
        match dictionary.find(&self.key) {
            Some(ordinal) => ordinal,
            None => dictionary.len() + self.others.intern(&self.key),
        }
    }

    /// The one code of all documents of a chunk, if that shows without looking at them.
    fn only_code(&mut self, chunk: usize) -> Result<Option<u32>> {
        match self.kind {
            Kind::Bucket { origin, span } => {
                let (first, last) = self.reader.chunks().get(chunk)?.filed;
                let bucket = bucket(first, origin, span);
                if bucket != self::bucket(last, origin, span) {
                    return Ok(None);
                }
                Ok(Some(self.other(&Value::Int(bucket), &Dictionary::default())))
            }
            _ => Ok(None),
        }
    }

    /// The codes of the documents of a chunk, by place, at least of those in `matching`.
    fn codes(
        &mut self,
        chunk: usize,
        matching: &Mask,
        events: &mut Rebuilder<'_>,
        codes: &mut [u32],
    ) -> Result<()> {
        let kind = std::mem::replace(&mut self.kind, Kind::Event("".into()));
        let done = match &kind {
            Kind::Field(field) => self.field_codes(field, chunk, matching, events, codes),
            Kind::Bucket { origin, span } => self.bucket_codes(chunk, *origin, *span, codes),
            Kind::Pattern(templates) => self.pattern_codes(templates, chunk, matching, events, codes),
            Kind::Event(name) => self.event_codes(name, chunk, matching, events, codes),
        };
        self.kind = kind;
        done
    }

    fn event_codes(
        &mut self,
        name: &str,
        chunk: usize,
        matching: &Mask,
        events: &mut Rebuilder<'_>,
        codes: &mut [u32],
    ) -> Result<()> {
        for place in matching.iter() {
            let event = events.event(chunk, place)?;
            let value = event.get(name).map_or(Value::Null, |value| value.into_owned());
            let code = self.other(&value, &Dictionary::default());
            put(codes, place, code);
        }
        Ok(())
    }

    fn pattern_codes(
        &mut self,
        templates: &Templates,
        chunk: usize,
        matching: &Mask,
        events: &mut Rebuilder<'_>,
        codes: &mut [u32],
    ) -> Result<()> {
        put_ordinals(&self.reader.columns().own(Own::Template, chunk)?, codes)?;
        if !templates.has_gaps() {
            return Ok(());
        }
        for place in matching.iter() {
            if codes.get(place) == Some(&0) {
                let found = pattern_of(events.record(chunk, place)?.message);
                let code = found.map_or(NULL, |(id, _)| {
                    self.key.clear();
                    key::encode(&Value::str(format!("{id:016x}")), &mut self.key);
                    templates.len() as u32 + self.others.intern(&self.key)
                });
                put(codes, place, code);
            }
        }
        Ok(())
    }

    fn bucket_codes(&mut self, chunk: usize, origin: i64, span: i64, codes: &mut [u32]) -> Result<()> {
        self.each_bucket(chunk, origin, span, |code, places| {
            codes.iter_mut().take(places.end).skip(places.start).for_each(|slot| *slot = code);
        })
    }

    /// Calls `visit` with each bucket's code and places. Times are in order within a chunk: one bucket comes after another.
    fn each_bucket(
        &mut self,
        chunk: usize,
        origin: i64,
        span: i64,
        mut visit: impl FnMut(u32, Range<usize>),
    ) -> Result<()> {
        let page = self.reader.columns().own(Own::Filed, chunk)?;
        let filed = page.packed();
        let mut place = 0;
        while place < filed.len() {
            let bucket = bucket(filed.get(place), origin, span);
            let next = bucket.checked_add(1).and_then(|next| next.checked_mul(span)?.checked_add(origin));
            let end = next.map_or(filed.len(), |next| filed.rank(next)).max(place + 1);
            visit(self.other(&Value::Int(bucket), &Dictionary::default()), place..end);
            place = end;
        }
        Ok(())
    }

    fn field_codes(
        &mut self,
        field: &FieldCoder,
        chunk: usize,
        matching: &Mask,
        events: &mut Rebuilder<'_>,
        codes: &mut [u32],
    ) -> Result<()> {
        if !field.labels.is_empty() {
            let page = self.reader.columns().own(Own::Stream, chunk)?;
            let mut slots = codes.iter_mut();
            page.packed().each(|stream| {
                if let (Some(slot), Some(label)) = (slots.next(), field.labels.get(stream as usize)) {
                    *slot = *label;
                }
            });
        }
        let page = match field.column {
            Some(column) => self.reader.columns().page(column, chunk)?,
            None => None,
        };
        let mut unread = Mask::NONE;
        if let Some(page) = &page {
            match page.kind {
                PageKind::Ordinals => put_ordinals(page, codes)?,
                PageKind::Integers => self.put_integers(page, &field.dictionary, codes)?,
            }
            unread = page.residue;
        } else if let Some(presence) = field.presence {
            unread = self.reader.may_have(chunk, presence)?;
        }
        unread.and(matching);
        for place in unread.iter() {
            let mut found = None;
            events.record(chunk, place)?.residue(|name, value| {
                if name == &*field.name {
                    found = Some(value);
                }
            })?;
            if let Some(value) = found {
                let code = self.other(&value, &field.dictionary);
                put(codes, place, code);
            }
        }
        Ok(())
    }

    fn put_integers(&mut self, page: &Page, dictionary: &Dictionary, codes: &mut [u32]) -> Result<()> {
        let mut places = page.values.iter();
        page.packed().each(|number| {
            if let Some(place) = places.next() {
                let code = self.other(&Value::Int(number), dictionary);
                put(codes, place, code);
            }
        });
        Ok(())
    }

    fn value(&self, code: u32) -> Result<Value> {
        if code == NULL {
            return Ok(Value::Null);
        }
        let of_dictionary = match &self.kind {
            Kind::Pattern(templates) => match templates.name(code) {
                Some(name) => return Ok(Value::str(name)),
                None => templates.len() as u32,
            },
            Kind::Field(field) => field.dictionary.len(),
            _ => 0,
        };
        match (&self.kind, code.checked_sub(of_dictionary)) {
            (Kind::Field(field), None) => Ok(field.dictionary.value(code)?),
            (_, other) => Ok(key::decode(self.others.key(other.unwrap_or(code)))?),
        }
    }
}

fn bucket(filed: i64, origin: i64, span: i64) -> i64 {
    let since = i128::from(filed) - i128::from(origin);
    i64::try_from(since.div_euclid(span.into())).unwrap_or(i64::MAX)
}

fn put(codes: &mut [u32], place: usize, code: u32) {
    if let Some(slot) = codes.get_mut(place) {
        *slot = code;
    }
}

fn put_ordinals(page: &Page, codes: &mut [u32]) -> Result<()> {
    let packed = page.packed();
    if page.values == Mask::first(packed.len()) {
        packed.ordinals(codes);
        return Ok(());
    }
    let mut room = [0; CHUNK];
    let mut ordinals = packed.ordinals(&mut room).iter();
    page.values.each(|place| {
        if let Some(ordinal) = ordinals.next() {
            put(codes, place, *ordinal);
        }
    });
    Ok(())
}

/// The number of the bucket that a time is in.
#[cfg(test)]
pub(crate) fn bucket_of(filed: Timestamp, origin: Timestamp, span_nanos: i64) -> i64 {
    bucket(filed.nanos(), origin.nanos(), span_nanos)
}
