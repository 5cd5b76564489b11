//! [`Folded`]: the templates of a split once their case is folded, made once whatever is asked. Knows no plan.

use std::ops::Range;

use locard_filter::word;
use memchr::memmem::Finder;

use super::sure::places;
use super::{ByteMask, SLOT};

/// All templates of a split, their case folded.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Their texts, a marker behind each: nothing that is looked for holds one.
    text: Vec<u8>,
    each: Vec<One>,
}

/// What is known of one.
#[derive(Debug)]
struct One {
    /// Where its text ends.
    end: usize,
    /// At least the bytes of any of its messages, and of any of its slots.
    bytes: ByteMask,
    slots: ByteMask,
    /// The masks of its slots, if folding makes others of them.
    masks: Option<Box<[ByteMask]>>,
}

/// One template, as it is and folded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'t> {
    /// Where it stands among all.
    pub(super) at: usize,
    pub(super) text: &'t [u8],
    pub(super) masks: &'t [ByteMask],
    pub(super) folded: &'t [u8],
    pub(super) folded_masks: &'t [ByteMask],
    /// At least the bytes of any of its messages, and of any of its slots, folded.
    pub(super) bytes: &'t ByteMask,
    pub(super) slots: &'t ByteMask,
}

impl Folded {
    pub(crate) fn of<'t>(templates: impl Iterator<Item = (&'t [u8], &'t [ByteMask])>) -> Self {
        let mut folded = Self::default();
        for (text, masks) in templates {
            folded.push(text, masks);
        }
        folded
    }

    fn push(&mut self, text: &[u8], masks: &[ByteMask]) {
        let start = self.text.len();
        word::fold_into(text, &mut self.text);
        let end = self.text.len();
        self.text.push(SLOT);
        let mut slots = ByteMask::default();
        masks.iter().for_each(|mask| slots.add(&mask.folded()));
        let mut bytes = ByteMask::of(self.text.get(start..end).unwrap_or_default());
        bytes.add(&slots);
        let is_same = masks.iter().all(|mask| mask.folded() == *mask);
        let masks = (!is_same).then(|| masks.iter().map(ByteMask::folded).collect());
        self.each.push(One { end, bytes, slots, masks });
    }

    /// The template at `at`, which has this text and these masks.
    pub(crate) fn view<'t>(&'t self, at: usize, text: &'t [u8], masks: &'t [ByteMask]) -> Option<View<'t>> {
        let one = self.each.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.each.get(before).map_or(0, |one| one.end + 1));
        let folded = self.text.get(start..one.end)?;
        let folded_masks = one.masks.as_deref().unwrap_or(masks);
        Some(View { at, text, masks, folded, folded_masks, bytes: &one.bytes, slots: &one.slots })
    }

    /// The templates whose constant text holds `text` at a place that `fits`: one pass over all of them.
    pub(super) fn holding(&self, text: &Finder<'_>, fits: impl Fn(&[u8], &Range<usize>) -> bool) -> Members {
        let mut members = Members(vec![0; self.each.len().div_ceil(64)]);
        let (mut at, mut from) = (0, 0);
        while let Some(found) = places(text, &self.text, from).find(|place| fits(&self.text, place)) {
            while self.each.get(at).is_some_and(|one| one.end <= found.start) {
                at += 1;
            }
            members.insert(at);
            from = self.each.get(at).map_or(self.text.len(), |one| one.end + 1);
        }
        members
    }

    /// About as many bytes as it takes for templates of so many bytes of text, with so many slots.
    pub(crate) fn heap_bytes_of(text: usize, slots: usize) -> usize {
        size_of::<One>() + text + 1 + slots * size_of::<ByteMask>() / 4
    }
}

/// A set of templates.
#[derive(Debug)]
pub(super) struct Members(Vec<u64>);

impl Members {
    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    pub(super) fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_the_templates_that_hold_it_and_over_no_edge() {
        let texts: [&[u8]; 6] = [b"", b"Failed \0", b"un", b"failed", b"pass failed", b"x failed"];
        let folded = Folded::of(texts.iter().map(|text| (*text, [].as_slice())));
        let holding = |text: &[u8]| {
            let found = folded.holding(&Finder::new(text), |hay, at| word::is_bound(hay, at.start));
            (0..texts.len()).filter(|at| found.contains(*at)).collect::<Vec<_>>()
        };
        assert_eq!(holding(b"failed"), [1, 3, 4, 5]);
        assert_eq!(holding(b"un"), [2]);
        assert_eq!(holding(b"ailed"), [0; 0]);
        assert_eq!(holding(b"failedpass"), [0; 0]);
        let masks = [ByteMask::of(b"Ab")];
        let view = folded.view(1, texts[1], &masks).unwrap();
        assert_eq!((view.folded, view.at), (b"failed \0".as_slice(), 1));
    }
}
