//! [`Scanner`]: takes a message apart into template, slots and needle keys. Knows no plan and no filter.

use crate::word;

use super::entity::Words;
use super::hash::{Kind, key};
use super::token::{self, Token};
use super::{ByteMask, SLOT};

/// A longer message has no template.
const MAX_TEXT_BYTES: usize = 4096;
/// A message with more variables has no template.
const MAX_SLOTS: usize = 64;
/// How many characters of a word in a slot are keys of their own.
pub(super) const PREFIXES: [usize; 2] = [4, 6];

/// Takes messages apart; reuses its buffers.
#[derive(Debug, Default)]
pub struct Scanner {
    is_templated: bool,
    template: Vec<u8>,
    slots: Vec<ByteMask>,
    keys: Vec<u64>,
    tokens: Vec<Token>,
    /// The text with its case folded, and its tokens where they stand elsewhere than in the text.
    folded: Vec<u8>,
    folded_tokens: Vec<Token>,
    /// The tokens that are in slots.
    variable: Vec<(usize, usize)>,
    /// Where in the folded text the words of slots are that are listed, not made keys of.
    listed: Vec<(usize, usize)>,
}

impl Scanner {
    /// One that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `message` apart: afterwards [`Self::template`], [`Self::slots`] and [`Self::keys`] are its.
    pub fn scan(&mut self, message: &[u8]) {
        self.read(message);
        self.is_templated = message.len() <= MAX_TEXT_BYTES && self.build(message);
        if !self.is_templated {
            self.template.clear();
            self.slots.clear();
            self.variable.clear();
            self.variable.push((0, self.tokens.len()));
        }
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        self.push_keys(message.len(), &mut keys);
        self.keys = keys;
    }

    /// Constant bytes verbatim, a [`SLOT`] for every variable. Nothing when the message is too long or too varied for one: then
    /// all its words are in [`Self::keys`].
    pub fn template(&self) -> Option<&[u8]> {
        self.is_templated.then_some(&self.template)
    }

    /// Which bytes occur in the slots, in their order.
    pub fn slots(&self) -> &[ByteMask] {
        &self.slots
    }

    /// Needle keys; some may repeat.
    pub fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// Appends the keys of a text without template: of every word of it.
    pub fn keys_of(&mut self, text: &[u8], keys: &mut Vec<u64>) {
        self.read(text);
        self.variable.clear();
        self.variable.push((0, self.tokens.len()));
        self.push_keys(text.len(), keys);
    }

    fn read(&mut self, text: &[u8]) {
        token::split(text, &mut self.tokens);
        self.folded.clear();
        self.folded_tokens.clear();
        word::fold_into(text, &mut self.folded);
        if !text.is_ascii() {
            // Folding keeps words words, so these are as many, each in its place.
            token::split(&self.folded, &mut self.folded_tokens);
        }
    }

    /// Fills template and slots; gives up if there are too many slots.
    fn build(&mut self, message: &[u8]) -> bool {
        let Self { template, slots, variable, tokens, .. } = self;
        template.clear();
        slots.clear();
        variable.clear();
        let is_marked = memchr::memchr(SLOT, message).is_some();
        let copy = |text: Option<&[u8]>, template: &mut Vec<u8>, slots: &mut Vec<ByteMask>| match text {
            Some(text) if is_marked => push_marked(text, template, slots),
            text => template.extend_from_slice(text.unwrap_or_default()),
        };
        let words = Words::new(message, tokens);
        let (mut index, mut copied) = (0, 0);
        while let Some(token) = tokens.get(index) {
            let Some(end) = words.variable(index, token) else {
                index += 1;
                continue;
            };
            let until = tokens.get(end - 1).map_or(token.end, |last| last.end);
            copy(message.get(copied..token.start), template, slots);
            template.push(SLOT);
            slots.push(ByteMask::of(message.get(token.start..until).unwrap_or_default()));
            variable.push((index, end));
            (index, copied) = (end, until);
        }
        copy(message.get(copied..), template, slots);
        slots.len() <= MAX_SLOTS
    }

    /// The words in slots that are listed ([`is_listed`]), of the text that was read last.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.listed.iter().map(|(start, end)| self.folded.get(*start..*end).unwrap_or_default())
    }

    fn push_keys(&mut self, length: usize, keys: &mut Vec<u64>) {
        self.listed.clear();
        let is_ascii = self.folded_tokens.is_empty();
        let tokens = if is_ascii { &self.tokens } else { &self.folded_tokens };
        // Most messages are shorter than this guess, which spares the loops below growing the list.
        keys.reserve(length / 2);
        for (first, end) in &self.variable {
            for token in tokens.get(*first..*end).unwrap_or_default() {
                let word = token.of(&self.folded);
                if !token.has_digit && is_listed(word) {
                    self.listed.push((token.start, token.end));
                } else {
                    push_word(word, keys);
                }
            }
        }
        token::each_window(&self.folded, tokens, |start, end| {
            keys.push(key(Kind::Window, self.folded.get(start..end).unwrap_or_default()));
        });
    }
}

/// Longer words are keys.
const MAX_LISTED_BYTES: usize = 40;

/// Whether a folded word is listed with the documents that have it, instead of being a key: words of letters are few, and many
/// documents have each.
#[inline]
pub fn is_listed(word: &[u8]) -> bool {
    word.len() <= MAX_LISTED_BYTES && word.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
}

/// A word and its prefixes.
#[inline]
fn push_word(word: &[u8], keys: &mut Vec<u64>) {
    keys.push(key(Kind::Word, word));
    prefixes(word).for_each(|prefix| keys.push(key(Kind::Prefix, prefix)));
}

/// The beginnings of a word that are keys: the longest that is one of a text is one of every word that begins with the text. A
/// number has none, nor have four characters with a digit: those begin too many words to be worth their bytes.
#[inline]
pub fn prefixes(word: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    let is_number = word.iter().all(u8::is_ascii_digit);
    let [short, long] = PREFIXES;
    let short = prefix(word, short).filter(|short| !short.iter().any(u8::is_ascii_digit));
    let long = prefix(word, long).filter(|_| !is_number);
    short.into_iter().chain(long)
}

/// The first `length` characters of a word; nothing if it has fewer.
#[inline]
pub(super) fn prefix(word: &[u8], length: usize) -> Option<&[u8]> {
    let prefix = word.get(..length)?;
    if prefix.is_ascii() {
        return Some(prefix);
    }
    let text = std::str::from_utf8(word).ok()?;
    let mut ends = text.char_indices().map(|(start, _)| start).skip(1).chain([text.len()]);
    word.get(..ends.nth(length - 1)?)
}

/// Copies constant text in which a run of the marker byte itself is a slot.
#[cold]
fn push_marked(text: &[u8], template: &mut Vec<u8>, slots: &mut Vec<ByteMask>) {
    for run in text.chunk_by(|left, right| (*left == SLOT) == (*right == SLOT)) {
        if run.starts_with(&[SLOT]) {
            template.push(SLOT);
            slots.push(ByteMask::of(run));
        } else {
            template.extend_from_slice(run);
        }
    }
}
