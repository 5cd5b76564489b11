//! How a message becomes a *template*: its constant text with a [`SLOT`] for every variable.
//!
//! What the variables hold is handed out as needle keys and listed words, for indexes to be made of. [`pattern_id`] names a template
//! for good: it is what `_pattern` means in queries. Pure; knows neither events nor splits.

mod entity;
mod hash;
mod mask;
mod scan;
mod token;

use sha2::{Digest, Sha256};

pub use hash::{Kind, TableHasher, key, key_of_presence, key_of_value};
pub use mask::ByteMask;
pub use scan::{Scanner, is_listed, prefixes};
pub use token::{Token, each_window, split};

/// Stands in a template for a variable, and for a run of this very byte: no constant text holds it.
pub const SLOT: u8 = 0;

/// The name of a pattern: the first eight bytes of the SHA-256 of its template.
pub fn pattern_id(template: &[u8]) -> u64 {
    let digest = Sha256::digest(template);
    digest.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The name of a pattern as people write it.
pub fn pattern_name(template: &[u8]) -> String {
    format!("{:016x}", pattern_id(template))
}

/// A template as people see it: slots as `<*>`.
pub fn show(template: &[u8]) -> String {
    let constants = template.split(|byte| *byte == SLOT);
    constants.map(String::from_utf8_lossy).collect::<Vec<_>>().join("<*>")
}
