//! A test on integers that are in pages themselves.

use std::cell::RefCell;
use std::collections::HashMap;

use locard_event::Value;
use locard_filter::ValueTest;

use super::super::columns::Page;
use super::super::fault::Result;
use super::super::mask::Mask;

/// A test on integers that remembers its answers.
#[derive(Debug)]
pub(crate) struct NumberTest {
    pub(super) test: ValueTest,
    known: RefCell<HashMap<i64, bool>>,
}

/// Answers that are remembered, at most.
const MAX_KNOWN: usize = 1 << 20;

impl NumberTest {
    pub(crate) fn new(test: ValueTest) -> Self {
        Self { test, known: RefCell::default() }
    }

    fn matches(&self, number: i64) -> bool {
        let mut known = self.known.borrow_mut();
        if known.len() > MAX_KNOWN {
            known.clear();
        }
        *known.entry(number).or_insert_with(|| self.test.matches(&Value::Int(number)))
    }

    /// The documents in `within` whose number matches.
    pub(super) fn mark(&self, page: &Page, within: &Mask) -> Result<Mask> {
        let (mut mask, packed) = (Mask::NONE, page.packed());
        for (at, place) in page.values.iter().enumerate() {
            if within.contains(place) {
                mask.insert_if(place, self.matches(packed.get(at)));
            }
        }
        Ok(mask)
    }
}
