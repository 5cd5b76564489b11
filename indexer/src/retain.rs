//! Retention: splits that are too old, or too much, go.
//!
//! 1. Seal hot parts that are due as a whole: only splits can be dropped.
//! 2. Choose splits: those whose class is due; then, where a tenant or all together have too much, the oldest of those that no rule
//!    keeps, and the oldest of the others only when nothing else is left.
//! 3. Ask the legal holds. What none covers is taken out of the catalog, then off the shelf; what one covers wholly stays; what is
//!    covered in part is written anew without the rest.
//! 4. The objects go when the last search that has them ends.

use std::collections::HashSet;
use std::sync::Arc;

use locard_event::Timestamp;
use locard_store::{Split, SplitMeta};
use uuid::Uuid;

use crate::core::Core;
use crate::dedupe::KNOWN_FOR;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::lock::lock;
use crate::policy::Policy;
use crate::seal::seal_to;
use crate::spare::{Held, Holds};

/// Drops what is to be dropped now.
pub(crate) async fn retain(core: &Core) -> Result<(), Error> {
    seal_due(core).await?;
    let _turn = core.tidying.lock().await;
    let _dropping = core.dropping.lock().await;
    core.go_on()?;
    let mut items = items(core);
    forget_held(core, &items);
    let mut pass = Pass { core, holds: Holds::read(core).await?, gone: Vec::new() };
    let dropped = pass.run(&mut items).await;
    pass.remove(&items).await?;
    dropped
}

/// A split, and what is to be known to decide about it.
struct Item {
    shelf: Arc<Shelf>,
    policy: Arc<Policy>,
    meta: SplitMeta,
    /// Nothing: it cannot be read.
    split: Option<Split>,
    /// What of it may still be dropped to make room.
    bytes: u64,
}

impl Item {
    fn is_due(&self, now: Timestamp) -> bool {
        let due = self.policy.age_of(&self.meta.class).due(self.meta.filed.1);
        due.is_some_and(|due| due < now)
    }
}

/// Every split, those first that go first when there is too much.
fn items(core: &Core) -> Vec<Item> {
    let mut items = Vec::new();
    for shelf in core.tenants.all() {
        let policy = core.policies.of(&shelf.tenant);
        let (splits, unreadable) = shelf.splits();
        let known = splits.into_iter().map(|split| (split.meta().clone(), Some(split)));
        for (meta, split) in known.chain(unreadable.into_iter().map(|meta| (meta, None))) {
            let (shelf, policy, bytes) = (Arc::clone(&shelf), Arc::clone(&policy), meta.bytes);
            items.push(Item { shelf, policy, meta, split, bytes });
        }
    }
    items.sort_by_key(|item| going_order(&item.policy, &item.meta));
    items
}

/// Those that a rule keeps go last; else the oldest go first.
fn going_order(policy: &Policy, meta: &SplitMeta) -> (bool, Timestamp, u64) {
    (policy.may_be_ruled(meta), meta.filed.1, meta.sequences.start)
}

/// Splits that are no more need not be remembered as held.
fn forget_held(core: &Core, items: &[Item]) {
    let ids: HashSet<Uuid> = items.iter().map(|item| item.meta.id).collect();
    lock(&core.held).retain(|(split, _)| ids.contains(split));
}

/// One look at everything.
struct Pass<'a> {
    core: &'a Core,
    holds: Holds,
    /// What no hold covers and is to go.
    gone: Vec<Uuid>,
}

impl Pass<'_> {
    /// Drops what is due, then what is too much of each tenant, then what is too much of all together.
    async fn run(&mut self, items: &mut [Item]) -> Result<(), Error> {
        let now = (self.core.clock)();
        for item in items.iter_mut().filter(|item| item.is_due(now)) {
            self.drop_item(item).await?;
        }
        for shelf in self.core.tenants.all() {
            let most = self.core.policies.of(&shelf.tenant).bytes;
            self.fit(items, |item| item.shelf.tenant == shelf.tenant, most).await?;
        }
        self.fit(items, |_| true, self.core.policies.bytes()).await
    }

    /// Drops, in order, until what is left of those that count is no more than `most`.
    async fn fit(
        &mut self,
        items: &mut [Item],
        counts: impl Fn(&Item) -> bool,
        most: Option<u64>,
    ) -> Result<(), Error> {
        let Some(most) = most else { return Ok(()) };
        let mut bytes: u64 = items.iter().filter(|item| counts(item)).map(|item| item.bytes).sum();
        for item in items.iter_mut().filter(|item| counts(item)) {
            if bytes <= most {
                break;
            }
            let before = item.bytes;
            self.drop_item(item).await?;
            bytes = bytes.saturating_sub(before - item.bytes.min(before));
        }
        Ok(())
    }

    /// Drops of a split what no hold covers.
    async fn drop_item(&mut self, item: &mut Item) -> Result<(), Error> {
        if item.bytes == 0 {
            return Ok(());
        }
        self.core.go_on()?;
        match self.holds.spare(self.core, &item.shelf, &item.meta, item.split.as_ref()).await? {
            Held::Nothing => {
                self.gone.push(item.meta.id);
                item.bytes = 0;
            }
            Held::Everything => {}
            // It stands for the split from now on; what is left of it is held.
            Held::Part { meta, split } => {
                item.bytes = meta.bytes;
                item.meta = meta;
                item.split = Some(split);
            }
        }
        Ok(())
    }

    /// Takes out what is to go, in one transaction.
    async fn remove(self, items: &[Item]) -> Result<(), Error> {
        let Self { core, gone, .. } = self;
        if gone.is_empty() {
            return Ok(());
        }
        core.store.catalog().remove(&gone).await?;
        core.tenants.all().iter().for_each(|shelf| shelf.remove(&gone));
        let gone: HashSet<Uuid> = gone.into_iter().collect();
        let mut events = 0;
        for item in items.iter().filter(|item| gone.contains(&item.meta.id)) {
            events += item.meta.events;
            if let Some(split) = &item.split {
                core.store.discard(split);
            }
        }
        core.metrics.retained_away.inc_by(gone.len() as u64);
        core.metrics.dropped_events.inc_by(events);
        tracing::info!(splits = gone.len(), events, "split.retain");
        Ok(())
    }
}

/// Whether there is more than may be kept.
pub(crate) fn presses(core: &Core) -> bool {
    let is_over = |bytes: u64, most: Option<u64>| most.is_some_and(|most| bytes > most);
    let mut all = 0;
    for shelf in core.tenants.all() {
        let bytes = shelf.splits().0.iter().map(|split| split.meta().bytes).sum::<u64>();
        if is_over(bytes, core.policies.of(&shelf.tenant).bytes) {
            return true;
        }
        all += bytes;
    }
    is_over(all, core.policies.bytes())
}

/// Forgets named batches that no repeat is recognised for any more.
pub(crate) async fn forget_batches(core: &Core) -> Result<(), Error> {
    let before = (core.clock)().plus_nanos(-KNOWN_FOR);
    core.store.catalog().forget_batches(before).await?;
    Ok(())
}

/// Seals hot parts of which some events may be due: sealing tells the classes apart.
async fn seal_due(core: &Core) -> Result<(), Error> {
    let now = (core.clock)();
    for shelf in core.tenants.all() {
        let shortest = core.policies.of(&shelf.tenant).shortest();
        let is_due = |newest| shortest.due(newest).is_some_and(|due| due < now);
        if shelf.hot_filed().is_some_and(|(_, newest)| is_due(newest)) {
            let target = shelf.next();
            let _turn = core.sealing.lock().await;
            seal_to(core, &shelf, target).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keep, Retention, Rule, Tenant};
    use locard_store::Class;

    fn meta(name: u64, newest: i64, class: Class) -> SplitMeta {
        SplitMeta {
            id: Uuid::from_u64_pair(0, name),
            partition: 0,
            sequences: name..name + 1,
            events: 1,
            filed: (Timestamp::MIN, Timestamp::from_seconds(newest)),
            bytes: 10,
            created: Timestamp::MIN,
            level: 0,
            class,
        }
    }

    #[test]
    fn what_no_rule_keeps_goes_first_and_the_oldest_of_it() {
        let rules = vec![Rule::parse("keep a for 1d").unwrap()];
        let common = Keep { rules, ..Keep::default() };
        let policy = Policy::of(&Retention { common, ..Retention::default() }, &Tenant::default());
        let [ruled, free] = policy.classes().try_into().unwrap();
        let unknown = Class { rules: "other".into(), ..Class::default() };
        let mut metas = [
            meta(1, 10, ruled.clone()),
            meta(2, 30, free.clone()),
            meta(3, 5, ruled),
            meta(4, 20, free.clone()),
            meta(5, 1, unknown),
            meta(0, 30, free),
        ];
        metas.sort_by_key(|meta| going_order(&policy, meta));
        assert_eq!(metas.map(|meta| meta.sequences.start), [4, 0, 2, 5, 3, 1]);
    }
}
