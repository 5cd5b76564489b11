//! [`Arrangement`]: in which order the records of a chunk are stored.
//!
//! Records of one template stand together, templates in the order of their texts, and records of one template in the order of
//! documents. So like lines are compressed together, and who asks for some templates' lines reads few blocks. It is made of the
//! column of templates, whose ordinals ascend as the texts do, and stays what it is when a merge gives them other ordinals.

use std::ops::Range;

use super::mask::Mask;

/// Where each document of a chunk has its record, and whose each record is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arrangement {
    ranks: Vec<u16>,
    places: Vec<u16>,
}

impl Arrangement {
    /// Of the documents of a chunk, by the ordinals of their templates; there are no more than a chunk may have.
    pub(crate) fn of(templates: impl Iterator<Item = u32>) -> Self {
        let mut order: Vec<(u32, u16)> = templates.zip(0..).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        for (rank, (_, place)) in (0..).zip(&order) {
            if let Some(own) = ranks.get_mut(usize::from(*place)) {
                *own = rank;
            }
        }
        let places = order.into_iter().map(|(_, place)| place).collect();
        Self { ranks, places }
    }

    /// Which of the chunk's records the document at a place has.
    pub(crate) fn rank(&self, place: usize) -> Option<usize> {
        self.ranks.get(place).map(|rank| usize::from(*rank))
    }

    /// The places of the documents whose records these are.
    pub(crate) fn places(&self, records: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let records = records.start..records.end.min(self.places.len());
        self.places.get(records).unwrap_or_default().iter().map(|place| usize::from(*place))
    }

    /// The documents whose records these are.
    pub(crate) fn mask(&self, records: Range<usize>) -> Mask {
        let mut mask = Mask::NONE;
        self.places(records).for_each(|place| mask.insert(place));
        mask
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        (self.ranks.capacity() + self.places.capacity()) * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(templates: &[u32], places: &[usize]) {
        let made = Arrangement::of(templates.iter().copied());
        assert_eq!(made.places(0..templates.len()).collect::<Vec<_>>(), places);
        for (rank, place) in places.iter().enumerate() {
            assert_eq!(made.rank(*place), Some(rank));
        }
    }

    #[test]
    fn records_of_one_template_stand_together() {
        check(&[], &[]);
        check(&[4], &[0]);
        check(&[7, 0, 7, 3, 0, 7], &[1, 4, 3, 0, 2, 5]);
        let made = Arrangement::of([7, 0, 7].into_iter());
        assert_eq!((made.rank(3), made.mask(1..9).iter().collect::<Vec<_>>()), (None, vec![0, 2]));
    }

    #[test]
    fn a_full_chunk_has_room() {
        let made = Arrangement::of((0..super::super::mask::CHUNK as u32).rev());
        assert_eq!(made.mask(0..4096), Mask::first(4096));
    }

    #[test]
    fn other_ordinals_of_the_same_order_make_no_difference() {
        let (one, other) = ([1, 2, 1, 3, 2], [0, 5, 0, 9, 5]);
        assert_eq!(Arrangement::of(one.into_iter()), Arrangement::of(other.into_iter()));
    }
}
