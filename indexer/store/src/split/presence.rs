//! Which documents of a chunk have a value: sets that columns share, each stored once a chunk.
//!
//! Fields come in groups (a web line has its ten, a login its eight), so a chunk with forty columns has a dozen sets.

use super::bytes::{Input, Malformed, Result, put_varint};
use super::mask::{CHUNK, Mask};
use super::pack;

/// Sets of up to so many members are written as their places.
const FEW: usize = 128;
const MAX_BYTES: usize = 1 << 26;

/// A set by reference: nobody, everybody, or one of the chunk's.
pub(crate) const NOBODY: u64 = 0;
pub(crate) const EVERYBODY: u64 = 1;
const OWN: u64 = 2;

/// Gathers the sets of one chunk.
#[derive(Debug, Default)]
pub(crate) struct SetsWriter {
    sets: Vec<Mask>,
}

impl SetsWriter {
    /// The reference of a set of the chunk's `documents` documents.
    pub(crate) fn refer(&mut self, set: &Mask, documents: usize) -> u64 {
        if set.is_empty() {
            return NOBODY;
        }
        if set.count() == documents {
            return EVERYBODY;
        }
        let at = self.sets.iter().position(|known| known == set).unwrap_or_else(|| {
            self.sets.push(*set);
            self.sets.len() - 1
        });
        OWN + at as u64
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.sets.len() as u64);
        for set in &self.sets {
            let count = set.count();
            put_varint(out, count as u64);
            if count <= FEW {
                let mut before = 0;
                for at in set.iter() {
                    put_varint(out, (at - before) as u64);
                    before = at;
                }
            } else {
                set.words().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
            }
        }
    }
}

/// The sets of an extent's chunks, compressed.
pub(crate) fn encode(chunks: &[SetsWriter]) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    chunks.iter().for_each(|chunk| chunk.encode(&mut out));
    pack::pack(&out)
}

/// The sets of an extent's chunks.
#[derive(Debug)]
pub(crate) struct Sets {
    chunks: Vec<Vec<Mask>>,
}

impl Sets {
    pub(crate) fn decode(packed: &[u8], chunks: usize) -> Result<Self> {
        let raw = pack::unpack(packed, MAX_BYTES)?;
        let mut input = Input::new(&raw);
        let chunks = (0..chunks).map(|_| decode_chunk(&mut input)).collect::<Result<_>>()?;
        input.end()?;
        Ok(Self { chunks })
    }

    /// The set that `reference` means in chunk `chunk` of the extent, of `documents` documents.
    pub(crate) fn resolve(&self, chunk: usize, reference: u64, documents: usize) -> Result<Mask> {
        match reference {
            NOBODY => Ok(Mask::NONE),
            EVERYBODY => Ok(Mask::first(documents)),
            own => {
                let at = usize::try_from(own - OWN).unwrap_or(usize::MAX);
                let set = self.chunks.get(chunk).and_then(|sets| sets.get(at));
                set.copied().ok_or(Malformed("there is no such set"))
            }
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.chunks.iter().map(|sets| sets.capacity() * size_of::<Mask>() + 24).sum()
    }
}

fn decode_chunk(input: &mut Input<'_>) -> Result<Vec<Mask>> {
    (0..input.count()?).map(|_| decode_set(input)).collect()
}

fn decode_set(input: &mut Input<'_>) -> Result<Mask> {
    let count = input.length()?;
    if count > FEW {
        let words = (0..CHUNK / 64).map(|_| input.u64()).collect::<Result<Vec<u64>>>()?;
        return Ok(Mask::from_words(words));
    }
    let mut set = Mask::NONE;
    let mut at = 0usize;
    for _ in 0..count {
        at = at.saturating_add(input.length()?);
        if at >= CHUNK {
            return Err(Malformed("a set has members outside its chunk"));
        }
        set.insert(at);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_are_stored_once() {
        let sets =
            [Mask::NONE, Mask::first(4000), Mask::range(3..9), Mask::range(100..3000), Mask::range(3..9)];
        let mut writer = SetsWriter::default();
        let references = sets.map(|set| writer.refer(&set, 4000));
        assert_eq!(references, [0, 1, 2, 3, 2]);
        let packed = encode(&[SetsWriter::default(), writer]).unwrap();
        let read = Sets::decode(&packed, 2).unwrap();
        for (set, reference) in sets.iter().zip(references) {
            assert_eq!(read.resolve(1, reference, 4000).unwrap(), *set);
        }
        assert!(read.resolve(0, 2, 4000).is_err());
        assert!(Sets::decode(&packed, 1).is_err());
    }
}
