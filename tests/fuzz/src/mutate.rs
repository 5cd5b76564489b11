//! New inputs from old ones: words of the corpus put in, pieces cut, doubled, moved and spliced, numbers and bytes changed.

use crate::json;
use crate::random::Random;

/// Longest input, mostly.
const MAX_BYTES: usize = 4 << 10;
/// Longest input now and then: beyond every limit on the length of a query.
const MAX_LONG_BYTES: usize = 80 << 10;
/// What lies at the edges of what numbers and texts may be.
const EDGES: [&str; 36] = [
    "0",
    "-1",
    "1",
    "65535",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "1e308",
    "1e-400",
    "0.1",
    "-0",
    "NaN",
    "1e19",
    "\u{0}",
    "\u{feff}",
    "é",
    "İ",
    "ß",
    "\u{202e}",
    "東京",
    "\u{1f600}",
    "\"",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    "*",
    "::",
    "/0",
    "\n",
];

/// What inputs are made from.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    pub(crate) inputs: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    nodes: json::Nodes,
}

impl Stock {
    /// Takes an input in, with its words and the parts of its JSON.
    pub(crate) fn add(&mut self, input: Vec<u8>) {
        for word in words(&input).map(|range| input.get(range).unwrap_or_default()) {
            if word.len() < 40 && self.words.len() < 10_000 && !self.words.iter().any(|known| known == word) {
                self.words.push(word.to_vec());
            }
        }
        self.nodes.add(&input);
        self.inputs.push(input);
    }

    /// A new input.
    pub(crate) fn make(&self, random: &mut Random) -> Vec<u8> {
        let mut input = random.pick(&self.inputs).cloned().unwrap_or_default();
        let most = if random.one_in(300) { MAX_LONG_BYTES } else { MAX_BYTES };
        for _ in 0..=random.below(4) {
            let changed = if random.one_in(3) { None } else { self.nodes.change(&input, random) };
            input = changed.unwrap_or_else(|| self.change(input, random, most));
            input.truncate(most);
        }
        input
    }

    fn change(&self, mut input: Vec<u8>, random: &mut Random, most: usize) -> Vec<u8> {
        let at = random.below(input.len() + 1);
        match random.below(9) {
            0 => insert(&mut input, at, random.pick(&self.words).map_or(&[][..], Vec::as_slice)),
            1 => replace_word(&mut input, random.pick(&self.words).map_or(&[][..], Vec::as_slice), random),
            2 => {
                replace_word(&mut input, random.pick(&EDGES).map_or(&[][..], |edge| edge.as_bytes()), random)
            }
            3 => insert(&mut input, at, random.pick(&EDGES).map_or(&[][..], |edge| edge.as_bytes())),
            4 => drop(input.drain(random.range(input.len()))),
            5 => {
                let piece = input.get(random.range(input.len())).unwrap_or_default().to_vec();
                let times = if random.one_in(10) { most / piece.len().max(1) } else { 1 + random.below(3) };
                insert(&mut input, at, &piece.repeat(times.min(most)));
            }
            6 => {
                let other = random.pick(&self.inputs).map_or(&[][..], Vec::as_slice);
                input.truncate(at);
                input.extend_from_slice(other.get(random.below(other.len() + 1)..).unwrap_or_default());
            }
            7 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = if random.one_in(2) {
                        *byte ^ (1 << random.below(8))
                    } else {
                        random.below(256) as u8
                    };
                }
            }
            _ => {
                let other = random.pick(&self.inputs).map_or(&[][..], Vec::as_slice);
                let piece = other.get(random.range(other.len())).unwrap_or_default().to_vec();
                insert(&mut input, at, &piece);
            }
        }
        input
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(input.splice(at..at, piece.iter().copied()));
}

fn replace_word(input: &mut Vec<u8>, by: &[u8], random: &mut Random) {
    let words: Vec<_> = words(input).collect();
    if let Some(range) = random.pick(&words).cloned() {
        drop(input.splice(range, by.iter().copied()));
    }
}

/// Runs of letters, digits and what names are made of; and single other characters.
fn words(input: &[u8]) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"_.".contains(byte);
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = input.get(at..).filter(|rest| !rest.is_empty())?;
        let run = rest.iter().take_while(|byte| is_inner(byte)).count().max(1);
        at += run;
        Some(at - run..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_cover_an_input() {
        let text = b"a.b:\"c d\" >=5";
        let words: Vec<&str> = words(text).map(|range| std::str::from_utf8(&text[range]).unwrap()).collect();
        assert_eq!(words, ["a.b", ":", "\"", "c", " ", "d", "\"", " ", ">", "=", "5"]);
    }

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let mut stock = Stock::default();
        stock.add(b"user.name:root | stats count() by host".to_vec());
        stock.add(br#"{"query": {"term": {"a": [1, "b"]}}}"#.to_vec());
        let inputs = |seed| {
            let mut random = Random::new(seed);
            (0..200).map(|_| stock.make(&mut random)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
    }
}
