//! Classifying: splits whose class other rules decided get one by the rules of today.
//!
//! 1. Ask the split how many of its events are of each class.
//! 2. If all are of one, only the catalog changes.
//! 3. Else take it apart into one split for each class, and put these in its place in one transaction.
//!
//! One split at a time. What a stop or a crash leaves undone is done after the next start.

use std::sync::Arc;
use std::time::{Duration, Instant};

use locard_event::{Event, Timestamp};
use locard_store::{Class, Control, Error as StoreError, Request, Split, SplitMeta};

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::swap::swap;

/// How long it goes on before others get a turn.
const TURN: Duration = Duration::from_secs(10);

/// Classifies splits for a while; says whether some are left. A tenant with which that fails does not hold up the others.
pub(crate) async fn classify(core: &Core) -> Result<bool, Error> {
    let until = Instant::now() + TURN;
    let mut outcome = Ok(false);
    for shelf in core.tenants.all() {
        let left = classify_shelf(core, &shelf, until).await;
        outcome = outcome.and_then(|before| left.map(|left| before || left));
    }
    outcome
}

async fn classify_shelf(core: &Core, shelf: &Shelf, until: Instant) -> Result<bool, Error> {
    let policy = core.policies.of(&shelf.tenant);
    while let Some(split) = next(core, shelf, &policy) {
        if Instant::now() >= until {
            return Ok(true);
        }
        let _turn = core.tidying.lock().await;
        core.go_on()?;
        // While this waited, it may have been dropped.
        if is_there(shelf, &split) {
            classify_split(core, shelf, &policy, &split).await?;
        }
    }
    Ok(false)
}

/// The next split that is to be looked at. One that is corrupt is left as it is.
fn next(core: &Core, shelf: &Shelf, policy: &Policy) -> Option<Split> {
    let (splits, _) = shelf.splits();
    let broken = lock(&core.unmergeable);
    splits.into_iter().find(|split| !policy.knows(&split.meta().class) && !broken.contains(&split.meta().id))
}

fn is_there(shelf: &Shelf, split: &Split) -> bool {
    shelf.splits().0.iter().any(|other| other.meta().id == split.meta().id)
}

async fn classify_split(
    core: &Core,
    shelf: &Shelf,
    policy: &Arc<Policy>,
    split: &Split,
) -> Result<(), Error> {
    let done = match class_of(core, policy, split).await {
        Ok(Some(class)) => label(core, shelf, split, class).await,
        Ok(None) => take_apart(core, shelf, policy, split).await,
        Err(error) => Err(error),
    };
    match done {
        Err(Error::Store(StoreError::Corrupt { split: id, reason })) => {
            tracing::error!(split = %id, reason, "split.classify met a corrupt split; it is left as it is");
            core.metrics.stage_failures.get_or_create(&Metrics::reason("classify")).inc();
            lock(&core.unmergeable).insert(split.meta().id);
            Ok(())
        }
        other => other,
    }
}

/// The class of all events of a split, if they are of one.
async fn class_of(core: &Core, policy: &Arc<Policy>, split: &Split) -> Result<Option<Class>, Error> {
    let (policy, split, control) = (Arc::clone(policy), split.clone(), Arc::new(Control::default()));
    let looks = Arc::clone(&control);
    let work = tokio::task::spawn_blocking(move || single_class(&policy, &split, &looks));
    core.stoppable(&control, async { Ok(work.await.map_err(|_| Error::Closed)??) }).await
}

fn single_class(policy: &Policy, split: &Split, control: &Control) -> Result<Option<Class>, StoreError> {
    let classes = policy.classes();
    for (filter, class) in policy.filters().zip(&classes) {
        let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
        match split.count(&request, control)? {
            0 => {}
            all if all == split.meta().events => return Ok(Some(class.clone())),
            _ => return Ok(None),
        }
    }
    Ok(classes.last().cloned())
}

/// Only its class changes. Searches that have the split go on with it.
async fn label(core: &Core, shelf: &Shelf, split: &Split, class: Class) -> Result<(), Error> {
    let meta = SplitMeta { class, ..split.meta().clone() };
    let labelled = core.store.open_split(&meta).await?;
    core.store.catalog().reclassify(meta.id, &meta.class).await?;
    shelf.replaced(&[meta.id], vec![labelled]);
    tracing::info!(tenant = %shelf.tenant, split = %meta.id, rule = &*meta.class.rule, "split.classify");
    Ok(())
}

async fn take_apart(core: &Core, shelf: &Shelf, policy: &Arc<Policy>, split: &Split) -> Result<(), Error> {
    let (which, control) = (Arc::clone(policy), Arc::new(Control::default()));
    let which = move |event: &Event| Some(which.class_of(event));
    let work = core.store.sift(split, policy.classes(), which, (core.clock)(), Arc::clone(&control));
    let made = core.stoppable(&control, async { Ok(work.await?) }).await?;
    if swap(core, shelf, std::slice::from_ref(split), &made, 0).await? {
        core.metrics.rewritten.get_or_create(&Metrics::reason("rule")).inc();
        let meta = split.meta();
        tracing::info!(tenant = %shelf.tenant, split = %meta.id, events = meta.events, into = made.len(), "split.sift");
    }
    Ok(())
}
