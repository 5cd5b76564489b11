//! Whole datasets: whether there is one, and deleting one.
//!
//! 1. Seal what is hot: only splits can be dropped.
//! 2. Count the dataset's events in each split; a split that cannot be read stops everything, for they may be in it.
//! 3. Ask the legal holds: if one covers any of the events, nothing goes.
//! 4. Splits that hold nothing else are taken out; the others are written anew without these events.
//!
//! What is accepted under the same name meanwhile stays.

use std::ops::ControlFlow;
use std::sync::Arc;

use locard_event::{Event, Timestamp, Value, name};
use locard_filter::{Filter, Predicate, Test};
use locard_store::{Control, Error as StoreError, GroupKey, Request, Split};

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::metrics::Metrics;
use crate::seal::seal_to;
use crate::spare::Holds;
use crate::swap::swap;
use crate::{Indexer, Permission, Principal, Problem, Tenant};

/// Why a dataset was not deleted. Nothing, or with [`DeleteError::Failed`] a part of it, is gone.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The principal may not.
    #[error("the permission `admin` is needed")]
    Forbidden(Problem),
    /// A legal hold covers some of it.
    #[error("the legal hold `{hold}` covers events of it")]
    Held {
        /// Its name.
        hold: String,
    },
    /// A split cannot be read, so that it is not known what is in it.
    #[error("{splits} splits cannot be read and may hold events of it")]
    Unreadable {
        /// How many.
        splits: usize,
    },
    /// The indexer failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<StoreError> for DeleteError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl Indexer {
    /// Whether the tenant has events of this dataset.
    ///
    /// # Errors
    /// A split cannot be read.
    pub async fn has_dataset(&self, tenant: &Tenant, dataset: &str) -> Result<bool, Error> {
        let Some(shelf) = self.core.tenants.get(tenant) else { return Ok(false) };
        let dataset = dataset.to_owned();
        let work = tokio::task::spawn_blocking(move || {
            let view = shelf.view();
            if view.hot.iter().flat_map(|batch| batch.iter()).any(|event| is_of(event, &dataset)) {
                return Ok(true);
            }
            for split in &view.splits {
                if count(split, &dataset, &Control::default())? > 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        work.await.map_err(|_| Error::Closed)?
    }

    /// Deletes every event that the principal's tenant has of a dataset, and says how many there were.
    ///
    /// # Errors
    /// See [`DeleteError`].
    pub async fn delete_dataset(&self, principal: &Principal, dataset: &str) -> Result<u64, DeleteError> {
        principal.require(Permission::Admin).map_err(DeleteError::Forbidden)?;
        let (core, by, dataset) = (Arc::clone(&self.core), principal.name.to_string(), dataset.to_owned());
        let shelf = core.tenants.shelf(&principal.tenant);
        let work = async move {
            let outcome = delete(&core, &shelf, &dataset).await;
            let tenant = &shelf.tenant;
            match &outcome {
                Ok(events) => tracing::info!(target: "audit", %tenant, by, dataset, events, "dataset.delete"),
                Err(error) => {
                    tracing::warn!(target: "audit", %tenant, by, dataset, %error, "dataset.delete refused");
                }
            }
            outcome
        };
        // To its end, whoever still waits.
        self.core.tasks.spawn(work).await.unwrap_or(Err(DeleteError::Failed(Error::Closed)))
    }
}

fn is_of(event: &Event, dataset: &str) -> bool {
    event.get(name::DATASET).is_some_and(|value| value.text() == dataset)
}

async fn delete(core: &Core, shelf: &Shelf, dataset: &str) -> Result<u64, DeleteError> {
    {
        let _turn = core.sealing.lock().await;
        seal_to(core, shelf, shelf.next()).await?;
    }
    let _turn = core.tidying.lock().await;
    let _dropping = core.dropping.lock().await;
    let (splits, unreadable) = shelf.splits();
    if !unreadable.is_empty() {
        return Err(DeleteError::Unreadable { splits: unreadable.len() });
    }
    let holds = Holds::read(core).await?;
    let filter =
        Filter::Is(Predicate { field: Some(name::DATASET.into()), test: Test::Equals(dataset.into()) });
    let mut concerned = Vec::new();
    for split in splits {
        let events = counted(core, &split, dataset).await?;
        if events > 0 {
            if let Some(hold) = holds.covering(core, &split, &filter).await? {
                return Err(DeleteError::Held { hold });
            }
            concerned.push((split, events));
        }
    }
    let mut deleted = 0;
    for (split, events) in concerned {
        core.go_on()?;
        drop_from(core, shelf, &split, dataset, events).await?;
        deleted += events;
    }
    core.metrics.dropped_events.inc_by(deleted);
    Ok(deleted)
}

async fn counted(core: &Core, split: &Split, dataset: &str) -> Result<u64, Error> {
    let control = Arc::new(Control::default());
    let (split, dataset, looks) = (split.clone(), dataset.to_owned(), Arc::clone(&control));
    let work = tokio::task::spawn_blocking(move || count(&split, &dataset, &looks));
    core.stoppable(&control, async { work.await.map_err(|_| Error::Closed)? }).await
}

/// How many events of a split are of the dataset: by its exact name, where a filter would take `1` for `1.0`.
fn count(split: &Split, dataset: &str, control: &Control) -> Result<u64, Error> {
    let request = Request { filter: Filter::All, filed: Timestamp::MIN..Timestamp::MAX };
    let mut found = 0;
    split.tally(&request, &[GroupKey::Field(name::DATASET.into())], control, &mut |values, events| {
        let is = |value: &Value| value.text() == dataset;
        found += if values.first().is_some_and(is) { events } else { 0 };
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

async fn drop_from(
    core: &Core,
    shelf: &Shelf,
    split: &Split,
    dataset: &str,
    events: u64,
) -> Result<(), Error> {
    let meta = split.meta();
    if events == meta.events {
        core.store.catalog().remove(&[meta.id]).await?;
        shelf.remove(&[meta.id]);
        core.store.discard(split);
        return Ok(());
    }
    let (control, gone) = (Arc::new(Control::default()), dataset.to_owned());
    let which = move |event: &Event| (!is_of(event, &gone)).then_some(0);
    let classes = vec![meta.class.clone()];
    let work = core.store.sift(split, classes, which, (core.clock)(), Arc::clone(&control));
    let made = core.stoppable(&control, async { Ok(work.await?) }).await?;
    let kept = made.iter().map(|meta| meta.events).sum::<u64>();
    if !swap(core, shelf, std::slice::from_ref(split), &made, meta.events - kept).await? {
        return Err(StoreError::Conflict("a split was replaced meanwhile; delete again".into()).into());
    }
    core.metrics.rewritten.get_or_create(&Metrics::reason("delete")).inc();
    Ok(())
}
