//! [`Needs`]: the words that every match of a test holds, and the keys that stand for them where a template does not hold them.

use std::ops::Range;

use locard_filter::word;
use memchr::memmem::Finder;

use super::ByteMask;
use super::folded::{Folded, Members, View};
use super::sure::places;
use locard_filter::template::{self, Kind, Token, is_listed, key, prefixes};

/// What may be asked about a message, beside its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Whether it has this key. The greater the number behind, the fewer messages are likely to have it.
    Key(u64, usize),
    /// Whether it has this listed word.
    Word(Box<[u8]>),
    /// Whether it has a listed word that begins so, or this key.
    Prefix(Box<[u8]>, u64),
}

/// As many keys as a set of bits can tell apart.
const MAX_KEYS: usize = 64;

/// What every matching message holds.
#[derive(Debug, Default)]
pub(super) struct Needs {
    asks: Vec<Ask>,
    /// What is needed whatever the template says: the keys of windows, which are made over any context, and those of words with
    /// digits, which no constant text holds.
    always: u64,
    words: Vec<Need>,
    /// ASCII that every match holds once its case is folded.
    bytes: ByteMask,
}

/// A word or a part of one: in whichever message, either all of it is constant or all of it is in one slot.
#[derive(Debug)]
struct Need {
    text: Finder<'static>,
    /// At which of its ends the word ends too.
    bounded: (bool, bool),
    mask: ByteMask,
    /// Whether no constant text holds it.
    is_variable: bool,
    /// Its key, as a bit; 0 if it has none.
    bit: u64,
}

impl Needs {
    /// A text that every match holds, in any case; `bounded` says at which of its edges no word goes on.
    pub(super) fn add(&mut self, text: &str, bounded: (bool, bool)) {
        let folded = word::fold_str(text);
        let [low, high, ..] = ByteMask::of(folded.as_bytes()).0;
        self.bytes.add(&ByteMask([low, high, 0, 0]));
        let mut tokens = Vec::new();
        template::split(folded.as_bytes(), &mut tokens);
        let text = folded.as_bytes();
        let bounds = |token: &Token| (bounded.0 || token.start > 0, bounded.1 || token.end < text.len());
        for token in &tokens {
            self.add_word(token.of(text), bounds(token));
        }
        tokens.retain(|token| bounds(token) == (true, true));
        self.add_windows(text, &tokens);
    }

    fn add_windows(&mut self, text: &[u8], tokens: &[Token]) {
        template::each_window(text, tokens, |start, end| {
            let window = key(Kind::Window, text.get(start..end).unwrap_or_default());
            self.always |= self.bit(Ask::Key(window, usize::MAX));
        });
    }

    fn add_word(&mut self, word: &[u8], bounded: (bool, bool)) {
        if self.words.iter().any(|need| need.bounded == bounded && need.text.needle() == word) {
            return;
        }
        let ask = match bounded {
            (true, true) if is_listed(word) => Some(Ask::Word(word.into())),
            (true, true) => Some(Ask::Key(key(Kind::Word, word), word.len())),
            (true, false) => {
                let key = prefixes(word).next_back().map(|prefix| key(Kind::Prefix, prefix));
                let weight = word.len();
                key.map(
                    |key| if is_listed(word) { Ask::Prefix(word.into(), key) } else { Ask::Key(key, weight) },
                )
            }
            (false, _) => None,
        };
        let bit = ask.map_or(0, |ask| self.bit(ask));
        let is_variable = word.iter().any(u8::is_ascii_digit);
        if is_variable {
            self.always |= bit;
        }
        self.words.push(Need {
            is_variable,
            text: Finder::new(word).into_owned(),
            bounded,
            mask: ByteMask::of(word),
            bit,
        });
    }

    /// The bit of a question; 0 if there is no room for it.
    fn bit(&mut self, ask: Ask) -> u64 {
        let known = self.asks.iter().position(|known| *known == ask);
        let index = match known {
            Some(index) => index,
            None if self.asks.len() < MAX_KEYS => {
                self.asks.push(ask);
                self.asks.len() - 1
            }
            None => MAX_KEYS,
        };
        u32::try_from(index).ok().and_then(|index| 1u64.checked_shl(index)).unwrap_or(0)
    }

    pub(super) fn asks(&self) -> &[Ask] {
        &self.asks
    }

    /// ASCII that every matching message holds once its case is folded.
    pub(super) fn bytes(&self) -> &ByteMask {
        &self.bytes
    }

    /// All of them.
    pub(super) fn all(&self) -> u64 {
        self.words.iter().fold(self.always, |all, need| all | need.bit)
    }

    /// Those that are needed whatever the template says.
    pub(super) fn always(&self) -> u64 {
        self.always
    }

    /// For each word, the templates that hold it.
    pub(super) fn held(&self, folded: &Folded) -> Vec<Members> {
        let fits =
            |need: &Need| folded.holding(&need.text, |hay, at| !need.is_variable && need.fits(hay, at));
        self.words.iter().map(fits).collect()
    }

    /// The keys of what the template does not hold; nothing if none of its slots can hold that. `held` says which templates hold
    /// which word.
    pub(super) fn missing(&self, template: &View<'_>, held: Option<&[Members]>) -> Option<u64> {
        let mut missing = self.always;
        for (index, need) in self.words.iter().enumerate() {
            let is_in = match held.and_then(|held| held.get(index)) {
                Some(members) => members.contains(template.at),
                None => need.is_in(template.folded),
            };
            if !is_in {
                template.can_hold(&need.mask).then_some(())?;
                missing |= need.bit;
            }
        }
        Some(missing)
    }
}

impl Need {
    fn fits(&self, hay: &[u8], at: &Range<usize>) -> bool {
        (!self.bounded.0 || word::is_bound(hay, at.start)) && (!self.bounded.1 || word::is_bound(hay, at.end))
    }

    fn is_in(&self, hay: &[u8]) -> bool {
        !self.is_variable && places(&self.text, hay, 0).any(|at| self.fits(hay, &at))
    }
}
