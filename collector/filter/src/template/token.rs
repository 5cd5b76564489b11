//! A text as [`Token`]s: its words, of what kinds of characters they are, and what joins each to the next.
//!
//! Words are those of [`locard_filter::word`]. Texts of ASCII, nearly all of them, are read in one pass.

use std::ops::Range;

use crate::word;

/// Part of a word.
const WORD: u8 = 1;
/// A digit of ASCII.
const DIGIT: u8 = 2;
/// A hexadecimal digit.
const HEX: u8 = 4;
/// Of the letters and digits that Kubernetes makes random names of: no vowels, nothing that could be mistaken.
const RANDOM: u8 = 8;
/// Separates words and ends paths and addresses.
pub(super) const BREAK: u8 = 16;
/// `/`.
pub(super) const SLASH: u8 = 32;
/// `@`.
pub(super) const AT: u8 = 64;

/// The joint of `::`.
pub(super) const TWO_COLONS: u8 = 1;

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Whether it holds a digit of any script.
    pub(super) has_digit: bool,
    /// Whether it is digits of ASCII only.
    pub(super) is_number: bool,
    /// What some of the bytes between it and the next word, or the end, are; 0 if there are none.
    pub(super) gap: u8,
    /// The byte between it and the next word, if it is one; or [`TWO_COLONS`]; or 0.
    pub(super) joint: u8,
}

impl Token {
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether it is hexadecimal digits only.
    pub(super) fn is_hex(&self, text: &[u8]) -> bool {
        self.of(text).iter().all(|byte| class(*byte) & HEX != 0)
    }

    /// Whether a random name of Kubernetes may be made of its characters.
    pub(super) fn is_random(&self, text: &[u8]) -> bool {
        self.of(text).iter().all(|byte| class(*byte) & RANDOM != 0)
    }

    /// The bytes of it in its text.
    pub fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

const CLASS: [u8; 256] = {
    let mut class = [BREAK; 256];
    let mut byte = 0usize;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "byte is below 256, and this runs in the compiler")]
        {
            class[byte] = match byte as u8 {
                b'/' => SLASH,
                b'@' => AT,
                b'.' | b'-' | b':' | b'%' | b'+' | b'~' | b'?' | b'=' | b'&' | b'#' => 0x80,
                b'2' | b'4'..=b'9' => WORD | DIGIT | HEX | RANDOM,
                b'0' | b'1' | b'3' => WORD | DIGIT | HEX,
                b'b' | b'c' | b'd' | b'f' => WORD | HEX | RANDOM,
                b'a' | b'e' | b'A'..=b'F' => WORD | HEX,
                b'i' | b'o' | b'u' | b'y' => WORD,
                b'g'..=b'z' => WORD | RANDOM,
                b'G'..=b'Z' | b'_' => WORD,
                _ => BREAK,
            };
        }
        byte += 1;
    }
    class
};

#[inline]
fn class(byte: u8) -> u8 {
    CLASS.get(usize::from(byte)).copied().unwrap_or(BREAK)
}

/// Replaces `tokens` by those of `text`.
pub fn split(text: &[u8], tokens: &mut Vec<Token>) {
    tokens.clear();
    if text.is_ascii() { split_ascii(text, tokens) } else { split_any(text, tokens) }
}

fn split_ascii(text: &[u8], tokens: &mut Vec<Token>) {
    let mut bytes = text.iter().enumerate();
    while let Some((start, first)) = bytes.find(|(_, byte)| class(**byte) & WORD != 0) {
        let (mut any, mut all) = (class(*first), class(*first));
        let end = loop {
            let Some((at, byte)) = bytes.next() else { break text.len() };
            let class = class(*byte);
            if class & WORD == 0 {
                break at;
            }
            any |= class;
            all &= class;
        };
        push(tokens, start..end, any & DIGIT != 0, all & DIGIT != 0);
    }
    join(text, tokens);
}

#[inline]
fn push(tokens: &mut Vec<Token>, range: Range<usize>, has_digit: bool, is_number: bool) {
    tokens.push(Token { start: range.start, end: range.end, has_digit, is_number, gap: 0, joint: 0 });
}

fn split_any(text: &[u8], tokens: &mut Vec<Token>) {
    for word in word::words(text) {
        let has_digit = word.raw.chars().any(char::is_numeric);
        push(tokens, word.range(), has_digit, word.raw.bytes().all(|byte| byte.is_ascii_digit()));
    }
    join(text, tokens);
}

/// Says of every token what is between it and the next.
fn join(text: &[u8], tokens: &mut [Token]) {
    let mut next = text.len();
    for token in tokens.iter_mut().rev() {
        let between = text.get(token.end..next).unwrap_or_default();
        match between {
            [] => (token.gap, token.joint) = (0, 0),
            [byte] => (token.gap, token.joint) = (class(*byte), *byte),
            b"::" => (token.gap, token.joint) = (0x80, TWO_COLONS),
            more => token.gap = more.iter().fold(0, |all, byte| all | class(*byte)),
        }
        next = token.start;
    }
}

/// Calls `visit` with the range of every window: four numbers joined by dots, six pairs of hex digits joined by colons or by
/// dashes. Whatever stands around an occurrence, its window is found.
pub fn each_window(text: &[u8], tokens: &[Token], mut visit: impl FnMut(usize, usize)) {
    let (mut numbers, mut pairs) = (0, 0);
    // What joins this token to the one before, and what joined that one.
    let (mut joint, mut joint_before) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        let start = |count: usize| {
            index.checked_sub(count).and_then(|at| tokens.get(at)).map_or(0, |first| first.start)
        };
        numbers = match joint {
            _ if !token.is_number => 0,
            b'.' => numbers + 1,
            _ => 1,
        };
        pairs = match joint {
            _ if token.len() != 2 || !token.is_hex(text) => 0,
            b':' | b'-' if pairs > 1 && joint != joint_before => 2,
            b':' | b'-' => pairs + 1,
            _ => 1,
        };
        (joint_before, joint) = (joint, token.joint);
        if numbers >= 4 {
            visit(start(3), token.end);
        }
        if pairs >= 6 {
            visit(start(5), token.end);
        }
    }
}
