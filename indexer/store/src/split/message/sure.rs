//! [`Sure`]: what makes a test certain to match, seen from constant text alone. Knows no keys.

use std::ops::Range;

use locard_filter::glob::Piece;
use locard_filter::word;
use memchr::memmem::Finder;

use super::SLOT;
use super::folded::{Folded, Members};

/// A condition on a template under which every message of it matches.
#[derive(Debug)]
pub(super) enum Sure {
    /// None is known.
    Never,
    /// The folded template holds these texts one after another, whatever is between them. At a bounded edge no word goes on.
    Texts { texts: Vec<Finder<'static>>, bounded: (bool, bool) },
    /// The template is this text and has no slot.
    Whole(Box<[u8]>),
    /// The expression matches within constant text.
    Machine,
}

impl Sure {
    /// For a literal bounded by word ends.
    pub(super) fn of_literal(literal: &str) -> Self {
        Self::of_texts([literal].into_iter(), (true, true))
    }

    /// For a wildcard pattern.
    pub(super) fn of_pieces(pieces: &[Piece]) -> Self {
        let texts = pieces.iter().filter_map(|piece| match piece {
            Piece::Any => None,
            Piece::One => Some(""),
            Piece::Literal(text) => Some(text.as_str()),
        });
        let bounded = (pieces.first() != Some(&Piece::Any), pieces.last() != Some(&Piece::Any));
        Self::of_texts(texts, bounded)
    }

    fn of_texts<'t>(texts: impl Iterator<Item = &'t str>, bounded: (bool, bool)) -> Self {
        let folded: Vec<String> = texts.map(word::fold_str).collect();
        // The marker is no byte of the messages, and an empty text here stands for one unknown character.
        if folded.iter().any(|text| text.is_empty() || text.as_bytes().contains(&SLOT)) {
            return Self::Never;
        }
        let texts = folded.iter().map(|text| Finder::new(text.as_bytes()).into_owned()).collect();
        Self::Texts { texts, bounded }
    }

    /// The templates for which it may hold, if texts tell.
    pub(super) fn held(&self, folded: &Folded) -> Option<Members> {
        let Self::Texts { texts, .. } = self else { return None };
        let longest = texts.iter().max_by_key(|text| text.needle().len())?;
        Some(folded.holding(longest, |_, _| true))
    }

    /// Whether a condition on the texts of the template holds.
    pub(super) fn holds(&self, template: &[u8], folded: &[u8]) -> bool {
        match self {
            Self::Never | Self::Machine => false,
            Self::Whole(text) => **text == *template && !template.contains(&SLOT),
            Self::Texts { texts, bounded } => hold(texts, *bounded, folded),
        }
    }
}

fn hold(texts: &[Finder<'_>], (bound_start, bound_end): (bool, bool), hay: &[u8]) -> bool {
    let mut from = 0;
    for (index, text) in texts.iter().enumerate() {
        let is_first = index == 0 && bound_start;
        let is_last = index + 1 == texts.len() && bound_end;
        let fits = |at: &Range<usize>| {
            (!is_first || word::is_bound(hay, at.start)) && (!is_last || word::is_bound(hay, at.end))
        };
        match places(text, hay, from).find(fits) {
            Some(place) => from = place.end,
            None => return false,
        }
    }
    true
}

/// Every place of a text at or after `from`, overlaps included.
pub(super) fn places<'h>(
    text: &'h Finder<'_>,
    hay: &'h [u8],
    from: usize,
) -> impl Iterator<Item = Range<usize>> + 'h {
    let mut from = from;
    std::iter::from_fn(move || {
        let at = from + text.find(hay.get(from..)?)?;
        from = at + 1;
        Some(at..at + text.needle().len())
    })
}
