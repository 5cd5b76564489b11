//! What a test on a text asks of templates, needle keys and listed words ([`locard_filter::template`]).
//!
//! A [`TextPlan`] tells from a template alone whether its messages never, perhaps or always match a test, and what must then be true of
//! them besides. It may be too generous, never too narrow: the matcher has the last word. Pure; knows neither events nor splits.

#[cfg(test)]
mod examples;
mod folded;
mod machine;
mod need;
mod plan;
mod reach;
mod required;
mod sure;
#[cfg(test)]
mod tests;

pub(crate) use folded::{Folded, Masks, Slots};
use locard_filter::template::{ByteMask, SLOT};
#[cfg(test)]
use locard_filter::template::{Scanner, show};
pub(crate) use need::Ask;
pub(crate) use plan::{Held, TextPlan, Verdict};
