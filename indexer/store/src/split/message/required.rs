//! The texts that every match of a regular expression holds. Knows no keys.
//!
//! A word boundary of the expression is none of ours (`½` is part of a word here, but not of `\w`), so only the ends of the text
//! and of lines bound words.

use locard_filter::word;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Calls `visit` with each text, its case folded, and at which of its edges no word can go on.
pub(super) fn each_text(hir: &Hir, visit: &mut dyn FnMut(&str, (bool, bool))) {
    let mut reader = Reader { text: String::new(), is_bound: false, visit };
    reader.read(hir);
    reader.end(false);
}

/// What stands just before is `text`, and before that something unknown unless it is bound there.
struct Reader<'v> {
    text: String,
    is_bound: bool,
    visit: &'v mut dyn FnMut(&str, (bool, bool)),
}

impl Reader<'_> {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.text.extend(text.chars().map(word::fold)),
                Err(_) => self.end(false),
            },
            HirKind::Class(class) => match single(class) {
                Some(char) => self.text.push(char),
                None => self.end(false),
            },
            HirKind::Look(look) => self.end(is_edge(*look)),
            HirKind::Repetition(repetition) => {
                self.end(false);
                if repetition.min > 0 {
                    self.read(&repetition.sub);
                    self.end(false);
                }
            }
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.read(part)),
            HirKind::Alternation(_) => self.end(false),
        }
    }

    /// The text ends here, at a bound or at something unknown.
    fn end(&mut self, is_bound: bool) {
        if !self.text.is_empty() {
            (self.visit)(&self.text, (self.is_bound, is_bound));
            self.text.clear();
        }
        self.is_bound = is_bound;
    }
}

/// The character that all of a class fold to.
fn single(class: &Class) -> Option<char> {
    let mut folded = match class {
        Class::Unicode(class) => class
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(8)
            .map(word::fold)
            .collect::<Vec<_>>(),
        Class::Bytes(class) if class.is_ascii() => class
            .iter()
            .flat_map(|range| range.start()..=range.end())
            .take(8)
            .map(|byte| word::fold(char::from(byte)))
            .collect(),
        Class::Bytes(_) => return None,
    };
    folded.dedup();
    match folded.as_slice() {
        [char] => Some(*char),
        _ => None,
    }
}

/// Whether no word goes over the place where it holds.
fn is_edge(look: Look) -> bool {
    matches!(look, Look::Start | Look::End | Look::StartLF | Look::EndLF | Look::StartCRLF | Look::EndCRLF)
}
