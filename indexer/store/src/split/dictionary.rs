//! The different values of a column, sorted, each once, with how many events have it.
//!
//! Built in order of appearance by an [`Interner`], then sorted; a value's place in it is its *ordinal*. Knows keys
//! ([`super::key`]), not what they are asked for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::OnceLock;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use locard_event::Value;
use locard_filter::word;
use memchr::memmem::Finder;

use super::bytes::{Input, Malformed, Result, put_varint};
use super::key::{self, kind};
use super::lists::{self, ChunkLists};
use super::ordinals::Ordinals;
use super::pack;

/// Most bytes of one dictionary, before compression.
const MAX_BYTES: usize = 1 << 30;

/// Gives keys numbers in order of first appearance.
#[derive(Debug)]
pub(crate) struct Interner<S = RandomState> {
    table: HashTable<u32>,
    keys: Keys,
    counts: Vec<u64>,
    hasher: S,
}

impl<S: Default> Default for Interner<S> {
    fn default() -> Self {
        Self { table: HashTable::new(), keys: Keys::default(), counts: Vec::new(), hasher: S::default() }
    }
}

/// Byte strings one after another.
#[derive(Debug, Default)]
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(at).and_then(|end| self.bytes.get(start..*end)).unwrap_or_default()
    }

    fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}

impl<S: BuildHasher> Interner<S> {
    /// The number of `key`, which counts once more.
    pub(crate) fn intern(&mut self, key: &[u8]) -> u32 {
        let Self { table, keys, counts, hasher } = self;
        let hash = hasher.hash_one(key);
        let same = |at: &u32| keys.get(*at as usize) == key;
        let number = match table.find(hash, same) {
            Some(found) => *found,
            None => {
                let next = counts.len() as u32;
                table.insert_unique(hash, next, |at| hasher.hash_one(keys.get(*at as usize)));
                keys.push(key);
                counts.push(0);
                next
            }
        };
        if let Some(count) = counts.get_mut(number as usize) {
            *count += 1;
        }
        number
    }

    /// How many different keys.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }

    pub(crate) fn key(&self, number: u32) -> &[u8] {
        self.keys.get(number as usize)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.counts.iter().enumerate().map(|(at, count)| (self.keys.get(at), *count))
    }

    /// The keys for which `keep` holds as a dictionary, and what each number became; nothing for those left out.
    pub(crate) fn sorted(&self, keep: impl Fn(&[u8]) -> bool) -> (Dictionary, Vec<Option<u32>>) {
        let mut order: Vec<usize> = (0..self.len()).filter(|at| keep(self.keys.get(*at))).collect();
        order.sort_unstable_by(|one, two| self.keys.get(*one).cmp(self.keys.get(*two)));
        let mut became = vec![None; self.len()];
        let mut dictionary = Dictionary::default();
        for (ordinal, at) in (0u32..).zip(order) {
            if let Some(slot) = became.get_mut(at) {
                *slot = Some(ordinal);
            }
            dictionary.push(self.keys.get(at), self.counts.get(at).copied().unwrap_or(0));
        }
        (dictionary, became)
    }
}

/// Sorted keys and their counts.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    keys: Keys,
    counts: Vec<u64>,
    lists: ChunkLists,
    /// Made when it is first asked for.
    folded: OnceLock<Folded>,
}

/// All texts one after another, their case folded, and where each ends.
#[derive(Debug, Default)]
struct Folded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Dictionary {
    fn push(&mut self, key: &[u8], count: u64) {
        self.keys.push(key);
        self.counts.push(count);
    }

    pub(crate) fn len(&self) -> u32 {
        self.counts.len() as u32
    }

    /// The same, with the chunks of its values.
    pub(crate) fn with_lists(self, lists: ChunkLists) -> Self {
        Self { lists, ..self }
    }

    /// Those of `chunks` in which some of the values are; nothing if that is not known of one of them.
    pub(crate) fn chunks_of(&self, values: &Ordinals, chunks: usize) -> Option<Ordinals> {
        let mut found = Ordinals::none(chunks as u32);
        for ordinal in values.iter() {
            self.lists.get(ordinal)?.iter().for_each(|chunk| found.insert(*chunk));
        }
        Some(found)
    }

    /// The key of an ordinal; empty beyond the end.
    pub(crate) fn key(&self, ordinal: u32) -> &[u8] {
        self.keys.get(ordinal as usize)
    }

    /// The value of an ordinal.
    pub(crate) fn value(&self, ordinal: u32) -> Result<Value> {
        key::decode(self.key(ordinal))
    }

    /// How many events have it.
    pub(crate) fn count(&self, ordinal: u32) -> u64 {
        self.counts.get(ordinal as usize).copied().unwrap_or(0)
    }

    /// How many keys come before `key`.
    pub(crate) fn rank(&self, key: &[u8]) -> u32 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    pub(crate) fn find(&self, key: &[u8]) -> Option<u32> {
        let at = self.rank(key);
        (at < self.len() && self.key(at) == key).then_some(at)
    }

    /// The ordinals of the keys of one kind.
    pub(crate) fn of_kind(&self, kind: u8) -> Range<u32> {
        self.rank(&[kind])..self.rank(&[kind + 1])
    }

    /// The keys of a range as one byte string.
    pub(crate) fn text_of(&self, ordinals: Range<u32>) -> &[u8] {
        let end = |count: u32| match count.checked_sub(1) {
            None => 0,
            Some(last) => self.keys.ends.get(last as usize).copied().unwrap_or(0),
        };
        self.keys.bytes.get(end(ordinals.start)..end(ordinals.end)).unwrap_or_default()
    }

    /// The ordinals of the texts that hold `folded` once their case is folded. May name others, where one text goes over into the next.
    pub(crate) fn texts_with(&self, folded: &[u8]) -> Vec<u32> {
        let (finder, texts) = (Finder::new(folded), self.of_kind(kind::STR));
        let Folded { bytes, ends } = self.folded.get_or_init(|| self.fold(texts.clone()));
        let (mut found, mut from, mut ordinal) = (Vec::new(), 0, 0);
        while let Some(at) = bytes.get(from..).and_then(|rest| finder.find(rest)) {
            let at = from + at;
            while ends.get(ordinal).is_some_and(|end| *end <= at) {
                ordinal += 1;
            }
            let Some(end) = ends.get(ordinal) else { break };
            found.push(texts.start + ordinal as u32);
            from = *end;
        }
        found
    }

    /// The texts of a range, their case folded: with the byte of their kind, so that none goes over into the next.
    fn fold(&self, texts: Range<u32>) -> Folded {
        let mut folded = Folded::default();
        for ordinal in texts {
            word::fold_into(self.key(ordinal), &mut folded.bytes);
            folded.ends.push(folded.bytes.len());
        }
        folded
    }

    /// With room for the folded texts.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.keys.heap_bytes()
            + self.keys.bytes.len()
            + self.counts.capacity() * 2 * size_of::<u64>()
            + self.lists.heap_bytes()
    }

    /// Keys by what they share with the one before, then the counts; compressed.
    pub(crate) fn encode(&self) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        put_varint(&mut out, u64::from(self.len()));
        let mut before: &[u8] = &[];
        for ordinal in 0..self.len() {
            let key = self.key(ordinal);
            let shared = key.iter().zip(before).take_while(|(one, two)| one == two).count();
            put_varint(&mut out, shared as u64);
            put_varint(&mut out, (key.len() - shared) as u64);
            out.extend_from_slice(key.get(shared..).unwrap_or_default());
            before = key;
        }
        self.counts.iter().for_each(|count| put_varint(&mut out, *count));
        self.lists.put(self.len(), &mut out);
        pack::pack(&out)
    }

    pub(crate) fn decode(packed: &[u8]) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BYTES)?;
        let mut input = Input::new(&raw);
        let count = input.count()?;
        let mut dictionary = Self::default();
        for at in 0..count {
            let shared = input.length()?;
            let rest = input.bytes()?;
            let before = at.checked_sub(1).map_or(0..0, |last| {
                let end = dictionary.keys.bytes.len();
                end - dictionary.keys.get(last).len()..end
            });
            if shared > before.len() || dictionary.keys.bytes.len() > MAX_BYTES {
                return Err(Malformed("a key shares more than there is"));
            }
            dictionary.keys.bytes.extend_from_within(before.start..before.start + shared);
            dictionary.keys.bytes.extend_from_slice(rest);
            dictionary.keys.ends.push(dictionary.keys.bytes.len());
        }
        dictionary.counts = (0..count).map(|_| input.varint()).collect::<Result<_>>()?;
        dictionary.lists = ChunkLists::take(&mut input, count)?;
        input.end()?;
        Ok(dictionary)
    }
}

/// All keys of several dictionaries, of splits with so many chunks each, and what each of their ordinals became.
pub(crate) fn merge(sources: &[(Dictionary, usize)]) -> (Dictionary, Vec<Vec<u32>>) {
    let mut became: Vec<Vec<u32>> =
        sources.iter().map(|(source, _)| vec![0; source.len() as usize]).collect();
    let mut heads: BinaryHeap<Reverse<(&[u8], usize, u32)>> = BinaryHeap::new();
    let (mut firsts, mut chunks) = (Vec::with_capacity(sources.len()), 0);
    for (at, (source, of_source)) in sources.iter().enumerate() {
        if source.len() > 0 {
            heads.push(Reverse((source.key(0), at, 0)));
        }
        firsts.push(chunks as u32);
        chunks += of_source;
    }
    let (mut merged, mut list) = (Dictionary::default(), MergedList::new(lists::most(chunks)));
    while let Some(Reverse((key, at, ordinal))) = heads.pop() {
        let Some((source, _)) = sources.get(at) else { continue };
        if merged.len() == 0 || merged.key(merged.len() - 1) != key {
            list.end(&mut merged);
            merged.push(key, 0);
        }
        if let Some(count) = merged.counts.last_mut() {
            *count += source.count(ordinal);
        }
        list.add(source.lists.get(ordinal), firsts.get(at).copied().unwrap_or(0));
        if let Some(slot) = became.get_mut(at).and_then(|own| own.get_mut(ordinal as usize)) {
            *slot = merged.len() - 1;
        }
        if ordinal + 1 < source.len() {
            heads.push(Reverse((source.key(ordinal + 1), at, ordinal + 1)));
        }
    }
    list.end(&mut merged);
    (merged, became)
}

/// The chunks of the key that is being merged.
struct MergedList {
    most: usize,
    chunks: Vec<u32>,
    is_known: bool,
}

impl MergedList {
    fn new(most: usize) -> Self {
        Self { most, chunks: Vec::new(), is_known: true }
    }

    /// Those of one source, the first of whose chunks has this number now. Sources come in order.
    fn add(&mut self, list: Option<&[u32]>, first: u32) {
        match list {
            Some(list) => self.chunks.extend(list.iter().map(|chunk| first + chunk)),
            None => self.is_known = false,
        }
    }

    fn end(&mut self, merged: &mut Dictionary) {
        if merged.len() > 0 {
            let is_listed = self.is_known && self.chunks.len() <= self.most;
            merged.lists.push(if is_listed { &self.chunks } else { &[] });
        }
        self.chunks.clear();
        self.is_known = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Dictionary {
        let mut interner = Interner::<RandomState>::default();
        words.iter().for_each(|word| {
            interner.intern(word.as_bytes());
        });
        interner.sorted(|_| true).0
    }

    fn words(dictionary: &Dictionary) -> Vec<(String, u64)> {
        (0..dictionary.len())
            .map(|at| (String::from_utf8_lossy(dictionary.key(at)).into_owned(), dictionary.count(at)))
            .collect()
    }

    #[test]
    fn keys_are_sorted_counted_and_found() {
        let dictionary = of(&["root", "", "admin", "root", "administrator"]);
        let expected = [("", 1), ("admin", 1), ("administrator", 1), ("root", 2)];
        let expected: Vec<_> = expected.map(|(word, count)| (word.to_owned(), count)).to_vec();
        assert_eq!(words(&dictionary), expected);
        assert_eq!(dictionary.find(b"root"), Some(3));
        assert_eq!(dictionary.find(b"roo"), None);
        assert_eq!(dictionary.text_of(1..3), b"adminadministrator");
        let texts = of(&["\tRoot", "\tadmin", "\tADMINISTRATOR", "\t", "\tdm"]);
        let found: Vec<&[u8]> = texts.texts_with(b"admin").into_iter().map(|at| texts.key(at)).collect();
        assert_eq!(found, [b"\tADMINISTRATOR".as_slice(), b"\tadmin"]);
        assert_eq!(texts.texts_with(b"rootd"), [0; 0]);
        assert_eq!(texts.texts_with(b""), [0, 1, 2, 3, 4]);
        let back = Dictionary::decode(&dictionary.encode().unwrap()).unwrap();
        assert_eq!(words(&back), expected);
    }

    #[test]
    fn merged_ordinals_lead_to_the_same_keys() {
        let listed = |dictionary: Dictionary, lists: &[&[u32]]| {
            let mut all = ChunkLists::default();
            lists.iter().for_each(|list| all.push(list));
            dictionary.with_lists(all)
        };
        let sources = [
            (listed(of(&["b", "a", "a"]), &[&[], &[3, 4]]), 90),
            (of(&[]), 70),
            (listed(of(&["c", "b"]), &[&[0], &[1, 2]]), 30),
        ];
        let (merged, became) = merge(&sources);
        let chunks = |key: &str| merged.lists.get(merged.find(key.as_bytes()).unwrap()).map(<[u32]>::to_vec);
        assert_eq!(["a", "b", "c"].map(chunks), [None, Some(vec![3, 4, 160]), Some(vec![161, 162])]);
        assert_eq!(words(&merged), [("a".into(), 2), ("b".into(), 2), ("c".into(), 1)]);
        for ((source, _), became) in sources.iter().zip(&became) {
            for ordinal in 0..source.len() {
                assert_eq!(merged.key(became[ordinal as usize]), source.key(ordinal));
            }
        }
    }

    #[test]
    fn what_is_left_out_has_no_ordinal() {
        let mut interner = Interner::<RandomState>::default();
        let numbers = ["x", "y", "x"].map(|word| interner.intern(word.as_bytes()));
        assert_eq!(numbers, [0, 1, 0]);
        let (dictionary, became) = interner.sorted(|key| key == b"y");
        assert_eq!((dictionary.len(), became), (1, vec![None, Some(0)]));
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = of(&["aaa", "aab"]).encode().unwrap();
        for length in 0..good.len() {
            assert!(Dictionary::decode(&good[..length]).is_err());
        }
    }
}
