//! `context before=50 after=50`: the events around those that came through, in the same stream or sharing fields with them: `by host.name`.
//!
//! What is around them is not among what was fed: whoever feeds the pipeline looks it up, see `crate::search`.

use locard_filter::SyntaxError;

use super::read::Reader;

/// How many events on each side unless asked otherwise.
const SIDE: usize = 10;
/// Most events on one side.
const MAX_SIDE: usize = 10_000;

/// The pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// How many events before each.
    pub before: usize,
    /// How many events after each.
    pub after: usize,
    /// What they share with it; nothing: the stream.
    pub by: Vec<Box<str>>,
}

impl Context {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut context = Self { before: SIDE, after: SIDE, by: Vec::new() };
        let mut said = (false, false);
        while !reader.at_end() {
            if reader.option("before") {
                context.before = reader.count(0..=MAX_SIDE)?;
                said.0 = true;
            } else if reader.option("after") {
                context.after = reader.count(0..=MAX_SIDE)?;
                said.1 = true;
            } else if reader.keyword("by") {
                context.by = reader.fields()?;
            } else {
                return Err(reader
                    .expected("`before=`, `after=` or `by`")
                    .hint("as in context before=50 after=50"));
            }
        }
        // Who asks for one side alone wants no other.
        match said {
            (true, false) => context.after = 0,
            (false, true) => context.before = 0,
            _ => {}
        }
        Ok(context)
    }
}
