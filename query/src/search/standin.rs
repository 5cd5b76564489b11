//! What the store is about to offer, made of what it does.

use std::collections::HashMap;
use std::ops::ControlFlow;

use locard_event::Value;
use locard_store::{Control, Error, Request, Split};

use crate::pipe::{GroupKey, PatternRow, pattern_of};

/// Calls `visit` with combinations of values, and how many matching events have each.
pub(crate) fn tally(
    split: &Split,
    request: &Request,
    keys: &[GroupKey],
    control: &Control,
    visit: &mut dyn FnMut(&[Value], u64) -> ControlFlow<()>,
) -> Result<(), Error> {
    split.each(request, control, &mut |event| {
        let values: Vec<Value> = keys.iter().map(|key| key.of(&event)).collect();
        visit(&values, 1)
    })
}

/// Calls `visit` with the patterns of matching events.
pub(crate) fn patterns(
    split: &Split,
    request: &Request,
    control: &Control,
    visit: &mut dyn FnMut(PatternRow) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut rows: HashMap<u64, PatternRow> = HashMap::new();
    split.each(request, control, &mut |event| {
        let Some((id, template)) = pattern_of(&event.message) else { return ControlFlow::Continue(()) };
        let filed = event.filed();
        let row = rows.entry(id).or_insert_with(|| PatternRow {
            id,
            template,
            count: 0,
            first: filed,
            last: filed,
            example: Some(event),
        });
        row.count += 1;
        row.first = row.first.min(filed);
        row.last = row.last.max(filed);
        ControlFlow::Continue(())
    })?;
    for row in rows.into_values() {
        if visit(row).is_break() {
            break;
        }
    }
    Ok(())
}
