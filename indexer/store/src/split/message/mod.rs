//! How a message becomes a *template* and *needle keys*, and what a test on a text asks of these.
//!
//! The template is the message's constant text with a [`SLOT`] for every variable (`scan`, `entity`); every word of a variable
//! is a needle key (`hash`). A [`TextPlan`] tells from a template alone whether its messages never, perhaps or always match a
//! test, and which keys they then must have. It may be too generous, never too narrow: the matcher has the last word.
//! Pure; knows neither events nor splits nor filters of keys.

mod entity;
#[cfg(test)]
mod examples;
mod hash;
mod machine;
mod mask;
mod need;
mod plan;
mod reach;
mod required;
mod scan;
mod sure;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use hash::{key_of_presence, key_of_value};
pub(crate) use mask::ByteMask;
pub(crate) use need::Ask;
pub(crate) use plan::{TextPlan, Verdict};
pub(crate) use scan::Scanner;
use sha2::{Digest, Sha256};

/// Stands in a template for a variable, and for a run of this very byte: no constant text holds it.
pub(crate) const SLOT: u8 = 0;

/// The name of a pattern: the first eight bytes of the SHA-256 of its template.
pub(crate) fn pattern_id(template: &[u8]) -> u64 {
    let digest = Sha256::digest(template);
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// A template as people see it: slots as `<*>`.
pub(crate) fn show(template: &[u8]) -> String {
    let constants = template.split(|byte| *byte == SLOT);
    constants.map(String::from_utf8_lossy).collect::<Vec<_>>().join("<*>")
}
