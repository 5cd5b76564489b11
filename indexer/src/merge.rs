//! Merging: adjacent fresh splits of one tenant and retention class become one, and a few of those become one again, up to the largest a split may be.
//!
//! Merging copies most of what it merges, so a second time costs little, and a search asks every split. Small merged splits (after a
//! seal by hand) count as fresh, so that sealing often does not leave many behind.

use std::collections::BTreeMap;
use std::ops::Range;

use locard_store::{Class, Error as StoreError, Split, SplitMeta};
use uuid::Uuid;

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::lock::lock;
use crate::swap::swap;

/// Most splits merged at once.
const MAX_WIDTH: usize = 40;
/// Merged splits that are merged again, at least.
const MIN_LARGE: usize = 4;

/// Most packed bytes that the tables of templates have together of what is merged. Who writes log lines chooses how many templates there
/// are: without a bound, the table of a split that was merged again and again would grow with all of them. Some 30 times the usual.
const MAX_TEMPLATE_BYTES: u64 = 16 << 20;

/// The stage's name.
const STAGE: &str = "merge";

/// Whose splits a pass merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everyone's.
    All,
    /// Of those with whom merging did not just fail.
    Rested,
}

/// A split, and the bytes of its templates.
type Part<'a> = (&'a SplitMeta, u64);

/// What a merge may take.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// At least so many splits.
    width: usize,
    /// At most so many events.
    max_events: u64,
    /// A merged split with fewer events still counts as fresh.
    small: u64,
}

/// Merges wherever at least `width` fresh splits are adjacent. Leaves alone what is published meanwhile, so that it ends.
pub(crate) async fn merge(core: &Core, width: usize, who: Who) -> Result<(), Error> {
    let _turn = core.tidying.lock().await;
    let mut outcome = Ok(());
    for shelf in core.tenants.all() {
        if who == Who::Rested && core.resting.rests(STAGE, &shelf.tenant) {
            continue;
        }
        let merged = merge_shelf(core, &shelf, width).await;
        match &merged {
            Ok(()) => core.resting.succeeded(STAGE, &shelf.tenant),
            Err(_) => core.resting.failed(STAGE, &shelf.tenant),
        }
        outcome = outcome.and(merged);
    }
    outcome
}

async fn merge_shelf(core: &Core, shelf: &Shelf, width: usize) -> Result<(), Error> {
    let end = shelf.published();
    while let Some(run) = next_run(core, shelf, width, end) {
        core.go_on()?;
        merge_run(core, shelf, &run).await?;
    }
    Ok(())
}

/// The first run among the splits below sequence number `end`.
fn next_run(core: &Core, shelf: &Shelf, width: usize, end: u64) -> Option<Vec<Split>> {
    let settings = &core.settings;
    let small = settings.seal_events as u64;
    let rule = Rule { width: width.max(2), max_events: settings.max_split_events, small };
    let (splits, unreadable) = shelf.splits();
    let known_bad = lock(&core.unmergeable);
    let policy = core.policies.of(&shelf.tenant);
    let barred = |meta: &SplitMeta| {
        meta.sequences.start >= end || known_bad.contains(&meta.id) || !policy.knows(&meta.class)
    };
    by_class(&splits).into_iter().find_map(|splits| {
        let metas: Vec<Part<'_>> =
            splits.iter().map(|split| (split.meta(), split.template_bytes())).collect();
        let run = choose(&metas, &unreadable, rule, barred)
            .or_else(|| choose_large(&metas, &unreadable, rule, barred))?;
        let run = splits.get(run)?;
        Some(run.iter().copied().cloned().collect())
    })
}

/// The splits of each class, in sequence order.
fn by_class(splits: &[Split]) -> Vec<Vec<&Split>> {
    let mut classes: BTreeMap<&Class, Vec<&Split>> = BTreeMap::new();
    for split in splits {
        classes.entry(&split.meta().class).or_default().push(split);
    }
    classes.into_values().collect()
}

/// The first run of adjacent fresh splits that is long enough.
fn choose(
    splits: &[Part<'_>],
    unreadable: &[SplitMeta],
    rule: Rule,
    barred: impl Fn(&SplitMeta) -> bool,
) -> Option<Range<usize>> {
    let fresh = |meta: &SplitMeta| (meta.level == 0 || meta.events < rule.small) && !barred(meta);
    runs(splits, unreadable, rule.max_events, fresh).into_iter().find(|run| run.len() >= rule.width)
}

/// The first run of merged splits that are worth merging again: at least four, none of them half of the whole, so that no event is
/// copied more often than its split can grow fourfold.
fn choose_large(
    splits: &[Part<'_>],
    unreadable: &[SplitMeta],
    rule: Rule,
    barred: impl Fn(&SplitMeta) -> bool,
) -> Option<Range<usize>> {
    let large = |meta: &SplitMeta| {
        meta.level > 0 && meta.events >= rule.small && meta.events <= rule.max_events / 4 && !barred(meta)
    };
    runs(splits, unreadable, rule.max_events, large).into_iter().find(|run| {
        let events = splits.get(run.clone()).unwrap_or_default().iter().map(|(meta, _)| meta.events);
        let (sum, most) = events.fold((0, 0), |(sum, most), events| (sum + events, most.max(events)));
        run.len() >= MIN_LARGE && most * 2 <= sum
    })
}

/// Runs of adjacent splits that may be merged, each as long as it can be.
fn runs(
    splits: &[Part<'_>],
    unreadable: &[SplitMeta],
    max_events: u64,
    may_merge: impl Fn(&SplitMeta) -> bool,
) -> Vec<Range<usize>> {
    let apart = |before: &SplitMeta, after: &SplitMeta| {
        let between = before.sequences.end..after.sequences.start;
        unreadable.iter().any(|lost| between.contains(&lost.sequences.start))
    };
    let mut runs: Vec<Range<usize>> = Vec::new();
    let (mut events, mut templates) = (0, 0);
    for (index, (meta, bytes)) in splits.iter().enumerate().filter(|(_, (meta, _))| may_merge(meta)) {
        let joins = |run: &Range<usize>| {
            index == run.end
                && run.len() < MAX_WIDTH
                && events + meta.events <= max_events
                && templates + bytes <= MAX_TEMPLATE_BYTES
                && splits.get(run.end - 1).is_some_and(|(before, _)| !apart(before, meta))
        };
        match runs.last_mut() {
            Some(run) if joins(run) => {
                run.end = index + 1;
                events += meta.events;
                templates += bytes;
            }
            _ => {
                runs.push(index..index + 1);
                (events, templates) = (meta.events, *bytes);
            }
        }
    }
    runs
}

async fn merge_run(core: &Core, shelf: &Shelf, run: &[Split]) -> Result<(), Error> {
    let sources: Vec<Uuid> = run.iter().map(|split| split.meta().id).collect();
    let merged = match core.store.merge(run, (core.clock)()).await {
        Ok(merged) => merged,
        Err(StoreError::Corrupt { split, reason }) => {
            tracing::error!(%split, reason, "split.merge met a corrupt split; it is left as it is");
            core.metrics.stage_failures.get_or_create(&crate::metrics::Metrics::reason("merge")).inc();
            // If the store named another one, none of these may be tried again, or this would never end.
            let mut barred = lock(&core.unmergeable);
            if sources.contains(&split) {
                barred.insert(split);
            } else {
                barred.extend(&sources);
            }
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if swap(core, shelf, run, std::slice::from_ref(&merged), 0).await? {
        core.metrics.merged.inc_by(run.len() as u64);
        tracing::info!(tenant = %shelf.tenant, split = %merged.id, sources = run.len(), events = merged.events, "split.merge");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use locard_event::Timestamp;

    fn meta(start: u64, events: u64, level: u8) -> SplitMeta {
        SplitMeta {
            id: Uuid::from_u64_pair(0, start),
            partition: 0,
            sequences: start..start + events,
            events,
            filed: (Timestamp::MIN, Timestamp::MAX),
            bytes: 1,
            created: Timestamp::MIN,
            level,
            class: Class::default(),
        }
    }

    const RULE: Rule = Rule { width: 3, max_events: 100, small: 10 };

    /// Adjacent splits: (events, level).
    fn adjacent(splits: &[(u64, u8)]) -> Vec<SplitMeta> {
        let mut start = 0;
        let next = |&(events, level): &(u64, u8)| {
            start += events;
            meta(start - events, events, level)
        };
        splits.iter().map(next).collect()
    }

    /// Without templates to speak of.
    fn plain(metas: &[SplitMeta]) -> Vec<Part<'_>> {
        metas.iter().map(|meta| (meta, 1)).collect()
    }

    #[track_caller]
    fn check(splits: &[(u64, u8)], expected: Option<Range<usize>>) {
        let metas = adjacent(splits);
        let found = choose(&plain(&metas), &[], RULE, |meta| meta.events == 13);
        assert_eq!(found, expected, "{splits:?}");
    }

    #[test]
    fn the_first_long_enough_run_of_fresh_splits_is_chosen() {
        check(&[(20, 0), (20, 0)], None);
        check(&[(20, 0), (20, 0), (20, 0)], Some(0..3));
        check(&[(90, 1), (20, 0), (20, 0), (20, 0), (20, 0)], Some(1..5));
        check(&[(20, 0), (90, 1), (20, 0), (20, 0)], None);
        check(&[(20, 0), (5, 1), (20, 0)], Some(0..3));
        check(&[(20, 0), (13, 0), (20, 0)], None);
        check(&[(60, 0), (60, 0), (20, 0), (20, 0)], Some(1..4));
        check(&[(20, 0); 9], Some(0..5));
    }

    #[test]
    fn a_few_merged_splits_are_merged_again() {
        let check = |splits: &[(u64, u8)], expected: Option<Range<usize>>| {
            let metas = adjacent(splits);
            let found = choose_large(&plain(&metas), &[], RULE, |_| false);
            assert_eq!(found, expected, "{splits:?}");
        };
        check(&[(20, 1), (20, 1), (20, 1)], None);
        check(&[(20, 1), (20, 1), (20, 2), (20, 1)], Some(0..4));
        check(&[(90, 2), (20, 1), (20, 1), (20, 1), (20, 1), (20, 1), (20, 1)], Some(1..6));
        check(&[(20, 1), (20, 1), (20, 0), (20, 1), (20, 1)], None);
        check(&[(25, 1), (25, 1), (25, 1), (25, 1)], Some(0..4));
        check(&[(26, 1), (26, 1), (26, 1), (26, 1)], None);
    }

    #[test]
    fn splits_of_too_many_templates_stay_apart() {
        let metas = adjacent(&[(10, 0); 7]);
        let check = |third: u64, expected| {
            let bytes = |at| if at == 2 { third } else { MAX_TEMPLATE_BYTES / 3 };
            let parts: Vec<Part<'_>> = metas.iter().enumerate().map(|(at, meta)| (meta, bytes(at))).collect();
            assert_eq!(choose(&parts, &[], RULE, |_| false), expected, "{third}");
        };
        check(MAX_TEMPLATE_BYTES / 3, Some(0..3));
        check(MAX_TEMPLATE_BYTES / 2, Some(4..7));
        check(2 * MAX_TEMPLATE_BYTES, Some(3..6));
    }

    #[test]
    fn a_run_does_not_reach_over_an_unreadable_split() {
        let (one, lost, two) = (meta(0, 20, 0), meta(20, 20, 0), meta(40, 20, 0));
        let rule = Rule { width: 2, max_events: 100, small: 10 };
        assert_eq!(choose(&[(&one, 1), (&two, 1)], &[lost], rule, |_| false), None);
        assert_eq!(choose(&[(&one, 1), (&two, 1)], &[], rule, |_| false), Some(0..2));
    }
}
