//! Words of letters inside variables and loose values, each with the documents of a chunk that have it.
//!
//! Such words are few and each is in many documents, other than the words with digits that filters are made for. The dictionary is
//! that of the column [`super::columns::Own::Words`]; a page of it lists, in the order of the dictionary, which documents have which.

use std::ops::Range;

use super::bytes::{Input, Malformed, Result, put_bytes, put_varint};
use super::lists::Lister;
use super::mask::{CHUNK, Mask};
use super::page::{self, Packed};

/// Gathers the words of one chunk: word and place, in any order.
#[derive(Debug, Default)]
pub(crate) struct WordsOfChunk {
    pairs: Vec<(u32, u16)>,
}

impl WordsOfChunk {
    pub(crate) fn add(&mut self, word: u32, place: usize) {
        self.pairs.push((word, place as u16));
    }

    /// The page, each word by what it became; tells `note` of each.
    pub(crate) fn page(mut self, became: &[Option<u32>], mut note: impl FnMut(u32)) -> Vec<u8> {
        for (word, _) in &mut self.pairs {
            *word = became.get(*word as usize).copied().flatten().unwrap_or(0);
        }
        self.pairs.sort_unstable();
        self.pairs.dedup();
        let lists = self.pairs.chunk_by(|one, two| one.0 == two.0);
        let lists: Vec<(u32, Vec<u8>)> = lists.filter_map(list).collect();
        lists.iter().for_each(|(word, _)| note(*word));
        write(&lists)
    }
}

/// The places of one word.
fn list(pairs: &[(u32, u16)]) -> Option<(u32, Vec<u8>)> {
    let (word, _) = pairs.first()?;
    let mut places = Vec::with_capacity(pairs.len());
    let mut before = 0;
    for (_, place) in pairs {
        put_varint(&mut places, u64::from(place - before));
        before = *place;
    }
    Some((*word, places))
}

/// Words and where their lists end, packed, then the lists.
fn write(lists: &[(u32, Vec<u8>)]) -> Vec<u8> {
    if lists.is_empty() {
        return Vec::new();
    }
    let words: Vec<u32> = lists.iter().map(|(word, _)| *word).collect();
    let mut end = 0;
    let ends: Vec<i64> = lists
        .iter()
        .map(|(_, places)| {
            end += places.len() as i64;
            end
        })
        .collect();
    let (mut out, mut packed) = (Vec::new(), Vec::new());
    put_varint(&mut out, lists.len() as u64);
    page::pack_ordinals(&words, &mut packed);
    put_bytes(&mut out, &packed);
    packed.clear();
    page::pack(&ends, &mut packed);
    put_bytes(&mut out, &packed);
    lists.iter().for_each(|(_, places)| out.extend_from_slice(places));
    out
}

/// A page, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WordPage<'a> {
    words: Packed<'a>,
    ends: Packed<'a>,
    lists: &'a [u8],
}

impl<'a> WordPage<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut input = Input::new(bytes);
        let count = input.count()?;
        let words = Packed::read(Input::new(input.bytes()?), count)?;
        let ends = Packed::read(Input::new(input.bytes()?), count)?;
        Ok(Self { words, ends, lists: input.rest() })
    }

    /// The documents that have one of these words.
    pub(crate) fn mask(&self, words: &Range<u32>) -> Result<Mask> {
        let mut mask = Mask::NONE;
        let found = self.words.rank(words.start.into())..self.words.rank(words.end.into());
        for at in found {
            let mut places = Input::new(self.list(at)?);
            let mut place = 0usize;
            while !places.rest().is_empty() {
                place = place.saturating_add(places.length()?);
                if place >= CHUNK {
                    return Err(Malformed("a word is in no document of its chunk"));
                }
                mask.insert(place);
            }
        }
        Ok(mask)
    }

    fn list(&self, at: usize) -> Result<&'a [u8]> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends.get(before));
        let range = usize::try_from(start).ok().zip(usize::try_from(self.ends.get(at)).ok());
        let list = range.and_then(|(start, end)| self.lists.get(start..end));
        list.ok_or(Malformed("a word's list lies outside its page"))
    }

    /// The page with other ordinals, in the same order.
    pub(crate) fn renumbered(&self, became: &[u32]) -> Result<Vec<u8>> {
        let mut lists = Vec::with_capacity(self.words.len());
        for at in 0..self.words.len() {
            let word = became.get(self.words.get(at) as usize).copied();
            lists.push((word.ok_or(Malformed("there is no such word"))?, self.list(at)?.to_vec()));
        }
        Ok(write(&lists))
    }
}

/// Gives words their numbers, chunk by chunk.
#[derive(Debug, Default)]
pub(crate) struct WordLists {
    pub(crate) words: super::dictionary::Interner<foldhash::fast::RandomState>,
    chunks: Vec<WordsOfChunk>,
}

impl WordLists {
    /// Notes a word of a document.
    pub(crate) fn add(&mut self, chunk: usize, place: usize, word: &[u8]) {
        let number = self.words.intern(word);
        if chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, WordsOfChunk::default);
        }
        if let Some(words) = self.chunks.get_mut(chunk) {
            words.add(number, place);
        }
    }

    /// The dictionary, and the page of each chunk.
    pub(crate) fn finish(mut self, chunks: usize) -> (super::dictionary::Dictionary, Vec<Vec<u8>>) {
        let (dictionary, became) = self.words.sorted(|_| true);
        self.chunks.resize_with(chunks, WordsOfChunk::default);
        let mut lister = Lister::new(dictionary.len(), chunks);
        let of_chunks = (0u32..).zip(self.chunks);
        let pages =
            of_chunks.map(|(chunk, words)| words.page(&became, |word| lister.note(word, chunk))).collect();
        (dictionary.with_lists(lister.finish()), pages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_to_their_documents() {
        let mut lists = WordLists::default();
        for (chunk, place, word) in
            [(0, 3, "tmp"), (0, 900, "tmp"), (0, 3, "tmp"), (0, 4, "etc"), (1, 0, "usr")]
        {
            lists.add(chunk, place, word.as_bytes());
        }
        let (dictionary, pages) = lists.finish(3);
        assert_eq!((dictionary.len(), pages[2].len()), (3, 0));
        let page = WordPage::read(&pages[0]).unwrap();
        let places = |range: Range<u32>| page.mask(&range).unwrap().iter().collect::<Vec<_>>();
        assert_eq!((places(1..2), places(0..2), places(2..9)), (vec![3, 900], vec![3, 4, 900], vec![]));
        let renumbered = page.renumbered(&[5, 8, 9]).unwrap();
        let other = WordPage::read(&renumbered).unwrap();
        assert_eq!(other.mask(&(8..9)).unwrap().iter().collect::<Vec<_>>(), [3, 900]);
        for length in 0..pages[0].len() {
            let cut = WordPage::read(&pages[0][..length]).and_then(|page| page.mask(&(0..9)));
            assert!(cut.is_err() || cut.unwrap() != page.mask(&(0..9)).unwrap(), "{length}");
        }
    }
}
