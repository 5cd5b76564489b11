//! Which patterns have been seen before: what `patterns new` asks of all that may be seen, whatever the filter of the search.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use locard_event::Timestamp;
use locard_filter::{Filter, Matcher};
use locard_indexer::View;
use locard_store::{Control, Error as StoreError, Order, Request, pattern_of};

use super::Error;
use super::coverage::Coverage;
use super::part::{Part, Wanted, parts};
use super::run::{Run, lock};

/// Those of `suspects` that some event has that `seen` matches and that is filed before `since`.
pub(crate) async fn known_patterns(
    run: &mut Run,
    view: &View,
    seen: Filter,
    since: Timestamp,
    suspects: HashSet<u64>,
) -> Result<(HashSet<u64>, Coverage), Error> {
    let compile = move || Matcher::new(&seen).map(|matcher| (seen, matcher));
    let (filter, matcher) = run.blocking(compile).await??;
    let wanted = Wanted { request: Request { filter, filed: Timestamp::MIN..since }, matcher };
    let parts = parts(view, &wanted, Order::Descending);
    let known = Arc::new(Mutex::new(HashSet::new()));
    let (into, control) = (Arc::clone(&known), Arc::clone(&run.control));
    let look = move |part: &Part| {
        let mut found = HashSet::new();
        let done = look(part, &wanted, &control, &mut |id| {
            if suspects.contains(&id) {
                found.insert(id);
            }
        });
        lock(&into).extend(found);
        done
    };
    let mut coverage = run.scan(parts, look).await?;
    coverage.lacks(view);
    let known = std::mem::take(&mut *lock(&known));
    Ok((known, coverage))
}

/// Calls `visit` with the patterns of a part.
fn look(
    part: &Part,
    wanted: &Wanted,
    control: &Control,
    visit: &mut dyn FnMut(u64),
) -> Result<(), StoreError> {
    match part {
        Part::Split(split) => split.patterns(&wanted.request, control, &mut |row| visit(row.id)).map(drop),
        Part::Hot(_) => part.each(wanted, control, &mut |event| {
            if let Some((id, _)) = pattern_of(&event.message) {
                visit(id);
            }
            ControlFlow::Continue(())
        }),
    }
}
