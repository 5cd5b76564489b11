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
    any_slot: ByteMask,
}

/// The masks that slots have, each once: they are few.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    plain: Vec<ByteMask>,
    folded: Vec<ByteMask>,
}

impl Masks {
    pub(crate) fn new(plain: Vec<ByteMask>) -> Self {
        Self { folded: plain.iter().map(ByteMask::folded).collect(), plain }
    }

    pub(crate) fn all(&self) -> &[ByteMask] {
        &self.plain
    }

    /// Slots that have the masks at these places.
    pub(crate) fn slots<'t>(&'t self, places: &'t [u32]) -> Slots<'t> {
        Slots { masks: self, places }
    }
}

/// The slots of a template.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots<'t> {
    masks: &'t Masks,
    places: &'t [u32],
}

impl<'t> Slots<'t> {
    /// The bytes that occur in each.
    pub(crate) fn plain(self) -> impl Iterator<Item = &'t ByteMask> {
        self.places.iter().map(move |place| self.masks.plain.get(*place as usize).unwrap_or(&ByteMask::ALL))
    }

    /// At least those once their case is folded.
    pub(crate) fn folded(self) -> impl Iterator<Item = &'t ByteMask> {
        self.places.iter().map(move |place| self.masks.folded.get(*place as usize).unwrap_or(&ByteMask::ALL))
    }

    /// Where each mask is among all.
    pub(crate) fn places(self) -> &'t [u32] {
        self.places
    }
}

/// One template, as it is and folded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'t> {
    /// Where it stands among all.
    pub(super) at: usize,
    pub(super) text: &'t [u8],
    pub(super) folded: &'t [u8],
    pub(super) slots: Slots<'t>,
    /// At least the bytes of any of its messages, and of any of its slots, folded.
    pub(super) bytes: &'t ByteMask,
    pub(super) any_slot: &'t ByteMask,
}

impl View<'_> {
    /// Whether some slot can hold all of these bytes.
    pub(super) fn can_hold(&self, bytes: &ByteMask) -> bool {
        self.any_slot.has_all(bytes) && self.slots.folded().any(|mask| mask.has_all(bytes))
    }
}

impl Folded {
    pub(crate) fn of<'t>(templates: impl Iterator<Item = (&'t [u8], Slots<'t>)>) -> Self {
        let mut folded = Self::default();
        for (text, slots) in templates {
            folded.push(text, slots);
        }
        folded.text.shrink_to_fit();
        folded
    }

    fn push(&mut self, text: &[u8], slots: Slots<'_>) {
        let start = self.text.len();
        word::fold_into(text, &mut self.text);
        let end = self.text.len();
        self.text.push(SLOT);
        let mut any_slot = ByteMask::default();
        slots.folded().for_each(|mask| any_slot.add(mask));
        let mut bytes = ByteMask::of(self.text.get(start..end).unwrap_or_default());
        bytes.add(&any_slot);
        self.each.push(One { end, bytes, any_slot });
    }

    /// The template at `at`, which has this text and these slots.
    pub(crate) fn view<'t>(&'t self, at: usize, text: &'t [u8], slots: Slots<'t>) -> Option<View<'t>> {
        let One { end, bytes, any_slot } = self.each.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.each.get(before).map_or(0, |one| one.end + 1));
        Some(View { at, text, folded: self.text.get(start..*end)?, slots, bytes, any_slot })
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

    /// How many bytes it takes for so many templates of so many bytes of text.
    pub(crate) fn heap_bytes_of(templates: usize, text: usize) -> usize {
        text + templates * (size_of::<One>() + 1)
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
        let masks = Masks::new(vec![ByteMask::of(b"Ab")]);
        let folded = Folded::of(texts.iter().map(|text| (*text, masks.slots(&[]))));
        let holding = |text: &[u8]| {
            let found = folded.holding(&Finder::new(text), |hay, at| word::is_bound(hay, at.start));
            (0..texts.len()).filter(|at| found.contains(*at)).collect::<Vec<_>>()
        };
        assert_eq!(holding(b"failed"), [1, 3, 4, 5]);
        assert_eq!(holding(b"un"), [2]);
        assert_eq!(holding(b"ailed"), [0; 0]);
        assert_eq!(holding(b"failedpass"), [0; 0]);
        let view = folded.view(1, texts[1], masks.slots(&[0])).unwrap();
        assert!(
            view.slots.folded().eq([&ByteMask::of(b"ab")]) && view.slots.plain().eq([&ByteMask::of(b"Ab")])
        );
        assert_eq!((view.folded, view.at), (b"failed \0".as_slice(), 1));
    }
}
