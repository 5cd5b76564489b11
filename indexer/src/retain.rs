//! Retention: splits that are too old, or too much, go.
//!
//! 1. Seal hot parts that are too old as a whole: only splits can be dropped.
//! 2. Take the splits out of the catalog, then off the shelf: later searches do not see them.
//! 3. Their objects go when the last search that has them ends.

use locard_event::Timestamp;
use locard_store::{Split, SplitMeta};
use uuid::Uuid;

use crate::core::Core;
use crate::dedupe::KNOWN_FOR;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::seal::seal_to;

/// Drops what is to be dropped now.
pub(crate) async fn retain(core: &Core) -> Result<(), Error> {
    let cutoff = cutoff(core);
    if let Some(cutoff) = cutoff {
        seal_old(core, cutoff).await?;
    }
    let _turn = core.tidying.lock().await;
    core.go_on()?;
    let shelves = core.tenants.all();
    let (splits, unreadable): (Vec<_>, Vec<_>) = shelves.iter().map(|shelf| shelf.splits()).unzip();
    let splits: Vec<Split> = splits.into_iter().flatten().collect();
    let known = splits.iter().map(|split| split.meta().clone()).chain(unreadable.into_iter().flatten());
    let gone = choose(known.collect(), cutoff, core.settings.retain_bytes);
    if gone.is_empty() {
        return Ok(());
    }
    core.store.catalog().remove(&gone).await?;
    shelves.iter().for_each(|shelf| shelf.remove(&gone));
    splits.iter().filter(|split| gone.contains(&split.meta().id)).for_each(|split| core.store.discard(split));
    core.metrics.retained_away.inc_by(gone.len() as u64);
    tracing::info!(splits = gone.len(), "split.retain");
    Ok(())
}

/// Whether there is more than may be kept.
pub(crate) fn presses(core: &Core) -> bool {
    let bytes = |shelf: &Shelf| shelf.splits().0.iter().map(|split| split.meta().bytes).sum::<u64>();
    let all = || core.tenants.all().iter().map(|shelf| bytes(shelf)).sum::<u64>();
    core.settings.retain_bytes.is_some_and(|most| all() > most)
}

/// Forgets named batches that no repeat is recognised for any more.
pub(crate) async fn forget_batches(core: &Core) -> Result<(), Error> {
    let before = (core.clock)().plus_nanos(-KNOWN_FOR);
    core.store.catalog().forget_batches(before).await?;
    Ok(())
}

fn cutoff(core: &Core) -> Option<Timestamp> {
    let age = core.settings.retain_for?;
    Some((core.clock)().plus_nanos(-i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)))
}

async fn seal_old(core: &Core, cutoff: Timestamp) -> Result<(), Error> {
    for shelf in core.tenants.all() {
        if shelf.hot_filed().is_some_and(|(_, newest)| newest < cutoff) {
            let target = shelf.next();
            let _turn = core.sealing.lock().await;
            seal_to(core, &shelf, target).await?;
        }
    }
    Ok(())
}

/// Those whose newest event is older than `cutoff`, and the oldest of the others until all are within `max_bytes`.
fn choose(mut splits: Vec<SplitMeta>, cutoff: Option<Timestamp>, max_bytes: Option<u64>) -> Vec<Uuid> {
    splits.sort_by_key(|split| (split.filed.1, split.sequences.start));
    let mut bytes: u64 = splits.iter().map(|split| split.bytes).sum();
    let mut gone = Vec::new();
    for split in &splits {
        let old = cutoff.is_some_and(|cutoff| split.filed.1 < cutoff);
        let much = max_bytes.is_some_and(|max| bytes > max);
        if old || much {
            gone.push(split.id);
            bytes -= split.bytes;
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(name: u64, newest: i64, bytes: u64) -> SplitMeta {
        SplitMeta {
            id: Uuid::from_u64_pair(0, name),
            partition: 0,
            sequences: name..name + 1,
            events: 1,
            filed: (Timestamp::MIN, Timestamp::from_seconds(newest)),
            bytes,
            created: Timestamp::MIN,
            level: 0,
        }
    }

    #[track_caller]
    fn check(cutoff: Option<i64>, max_bytes: Option<u64>, expected: &[u64]) {
        let splits = vec![meta(1, 100, 10), meta(2, 50, 10), meta(3, 70, 10)];
        let gone = choose(splits, cutoff.map(Timestamp::from_seconds), max_bytes);
        let expected: Vec<Uuid> = expected.iter().map(|name| Uuid::from_u64_pair(0, *name)).collect();
        assert_eq!(gone, expected);
    }

    #[test]
    fn the_old_go_and_the_oldest_of_too_many() {
        check(None, None, &[]);
        check(Some(70), None, &[2]);
        check(Some(71), None, &[2, 3]);
        check(None, Some(30), &[]);
        check(None, Some(29), &[2]);
        check(None, Some(10), &[2, 3]);
        check(Some(71), Some(10), &[2, 3]);
        check(None, Some(0), &[2, 3, 1]);
    }
}
