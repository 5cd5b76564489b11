//! JSON objects that applications write as lines.
//!
//! Which members mean something is known to [`crate::app`]; this reads the object, and says so when it is broken.

use locard_event::Fields;

use crate::facts::Facts;
use crate::{app, flatten};

/// A line gives no more fields than this.
pub(crate) const MAX_FIELDS: usize = 1_000;

/// Reads `text` if it is an object, or looks like one that broke.
pub(crate) fn read(text: &str, facts: &mut Facts<'_>) -> bool {
    if !looks_like_object(text) {
        return false;
    }
    let mut said = Fields::new();
    match flatten::flatten_text("", text, &mut said, MAX_FIELDS) {
        Ok(left_out) => {
            note_left_out(left_out, MAX_FIELDS, facts);
            app::add(said, facts);
        }
        Err(error) => facts.error(format!("broken JSON: {error}")),
    }
    true
}

pub(crate) fn note_left_out(left_out: usize, max_fields: usize, facts: &mut Facts<'_>) {
    if left_out > 0 {
        facts.error(format!(
            "{left_out} members are only in the line: more than {max_fields}, or names too long"
        ));
    }
}

/// `{` and then a quote or `}`: prose in braces does not begin so.
fn looks_like_object(text: &str) -> bool {
    let inner = text.trim_start().strip_prefix('{').map(str::trim_start);
    inner.is_some_and(|inner| inner.starts_with(['"', '}']))
}
