//! [`Indexer`]: the pipeline's handle.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use locard_event::{Event, Timestamp};
use locard_store::Split;
use locard_wire::{Ack, BatchId};
use prometheus_client::registry::Registry;
use tokio::sync::broadcast;

use crate::accept::{Accepted, accept, busy, reserve};
use crate::budget::Permit;
use crate::clock::{self, Clock};
use crate::core::Core;
use crate::ids::{self, Named, Place};
use crate::tenants::partition_of;
use crate::wal::Disk;
use crate::{Delivery, Error, Kept, Principal, Settings, Status, Tenant};
use crate::{accept, background, merge, open, retain, seal, status};

/// What one tenant's events are at one instant: every acked event is in exactly one of the two parts.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Acked, not yet in a split: batches in sequence order, events within them too.
    pub hot: Vec<Arc<[Event]>>,
    /// Published splits, in sequence order.
    pub splits: Vec<Split>,
    /// Splits the catalog knows and this node cannot read, with the reason: answers are incomplete.
    pub unreadable: Vec<(uuid::Uuid, String)>,
}

/// The pipeline's handle. Dropping it without [`Indexer::close`] is like a crash: nothing acked is lost.
pub struct Indexer {
    pub(crate) core: Arc<Core>,
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Indexer").field("directory", &self.core.settings.directory).finish_non_exhaustive()
    }
}

impl Indexer {
    /// Opens the store, replays the log, starts the stages.
    ///
    /// # Errors
    /// The data directory cannot be used or another process uses it.
    pub async fn open(settings: Settings) -> Result<Arc<Self>, Error> {
        Self::open_at(settings, clock::system()).await
    }

    /// As [`Indexer::open`] with another clock than the machine's.
    ///
    /// # Errors
    /// As [`Indexer::open`].
    pub async fn open_at(settings: Settings, clock: Clock) -> Result<Arc<Self>, Error> {
        Self::open_on(settings, clock, Disk::default()).await
    }

    pub(crate) async fn open_on(settings: Settings, clock: Clock, disk: Disk) -> Result<Arc<Self>, Error> {
        let core = open::open(settings, clock, disk).await?;
        background::start(&core);
        Ok(Arc::new(Self { core }))
    }

    /// Accepts a delivery. When this returns `Ok`, its events are on disk (fdatasync) and in every later [`Indexer::view`].
    /// A caller that stops waiting does not stop it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn ingest(&self, principal: &Principal, delivery: Delivery) -> Result<Ack, Error> {
        let permit = self.reserve(delivery.body.len()).await?;
        Ok(self.ingest_reserved(principal, delivery, permit).await?.ack)
    }

    /// Room for a body of `bytes`, to be taken before it is read.
    pub(crate) async fn reserve(&self, bytes: usize) -> Result<Permit, Error> {
        reserve(&self.core, bytes).await
    }

    /// Makes a permit one for `bytes`, or says that there is no room.
    pub(crate) fn grow(&self, permit: &mut Permit, bytes: usize) -> Result<(), Error> {
        if permit.resize(bytes) { Ok(()) } else { Err(busy(&self.core)) }
    }

    /// As [`Indexer::ingest`] for a body that was read under a permit.
    pub(crate) async fn ingest_reserved(
        &self,
        principal: &Principal,
        delivery: Delivery,
        permit: Permit,
    ) -> Result<Accepted, Error> {
        if self.core.stop.is_cancelled() {
            return Err(Error::Closed);
        }
        let work = accept(Arc::clone(&self.core), principal.tenant.clone(), delivery, permit);
        self.core.tasks.spawn(work).await.unwrap_or(Err(Error::Closed))
    }

    /// The tenant's events now.
    pub fn view(&self, tenant: &Tenant) -> View {
        self.core.tenants.get(tenant).map(|shelf| shelf.view()).unwrap_or_default()
    }

    /// The tap: batches of the tenant accepted from now on, once they are durable. A receiver that lags is told how many it missed.
    /// What it brings is already in every view taken afterwards.
    pub fn subscribe(&self, tenant: &Tenant) -> broadcast::Receiver<Arc<[Event]>> {
        self.core.tenants.shelf(tenant).subscribe()
    }

    /// One past the sequence number of the tenant's newest event.
    pub(crate) fn next_sequence(&self, tenant: &Tenant) -> u64 {
        self.core.tenants.get(tenant).map_or(0, |shelf| shelf.next())
    }

    /// The tenant's documents with these indices and ids that clients gave, each if it is there and can be read.
    ///
    /// # Errors
    /// The store failed.
    pub async fn documents(
        &self,
        tenant: &Tenant,
        names: &[(String, String)],
    ) -> Result<Vec<Option<Event>>, Error> {
        let shelf = self.core.tenants.shelf(tenant);
        let partition = partition_of(self.core.store.catalog(), &shelf).await?;
        let names: Vec<Named> = names.iter().map(|(index, id)| Named::new(index, id)).collect();
        let places = ids::find(&self.core, &shelf, partition, &names).await?;
        let event = |place| if let Place::Here(event) = place { Some(*event) } else { None };
        Ok(places.into_iter().map(event).collect())
    }

    /// The partition of a tenant, the first half of its events' ids.
    pub(crate) async fn partition(&self, tenant: &Tenant) -> Result<u32, Error> {
        let shelf = self.core.tenants.shelf(tenant);
        Ok(partition_of(self.core.store.catalog(), &shelf).await?)
    }

    /// When the batch of this name was accepted, if it is still known.
    ///
    /// # Errors
    /// The store failed.
    pub async fn accepted_at(&self, tenant: &Tenant, batch: &BatchId) -> Result<Option<Timestamp>, Error> {
        let shelf = self.core.tenants.shelf(tenant);
        let partition = partition_of(self.core.store.catalog(), &shelf).await?;
        let row = accept::recorded(&self.core, &shelf, partition, &batch.to_string()).await?;
        Ok(row.map(|row| row.accepted))
    }

    /// Returns when everything acked before the call is in splits, merged, and the log released. A caller that stops waiting does not
    /// stop it: halfway the catalog and the shelves would disagree.
    ///
    /// # Errors
    /// The store failed.
    pub async fn seal(&self) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        let work = async move {
            seal::seal_everything(&core).await?;
            merge::merge(&core, 2, merge::Who::All).await
        };
        self.to_its_end(work).await
    }

    /// Applies retention now; it is also applied every minute, and once there is more than may be kept.
    ///
    /// # Errors
    /// The store failed.
    pub async fn retain(&self) -> Result<(), Error> {
        let core = Arc::clone(&self.core);
        self.to_its_end(async move { retain::retain(&core).await }).await
    }

    /// Runs work that a caller who goes away must not stop halfway; [`Indexer::close`] waits for it.
    async fn to_its_end(
        &self,
        work: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) -> Result<(), Error> {
        self.core.tasks.spawn(work).await.unwrap_or(Err(Error::Closed))
    }

    /// What is kept of a tenant, and for how long.
    pub fn kept(&self, tenant: &Tenant) -> Kept {
        status::kept(&self.core, tenant)
    }

    /// What people keep with their tenant.
    pub fn catalog(&self) -> &locard_store::Catalog {
        self.core.store.catalog()
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        status::status(&self.core)
    }

    /// The earliest and latest filed time of the tenant's events.
    pub fn filed(&self, tenant: &Tenant) -> Option<(Timestamp, Timestamp)> {
        self.core.tenants.get(tenant).and_then(|shelf| status::filed(&shelf))
    }

    /// Adds the indexer's metrics to a registry whose prefix is `locard`.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("indexer");
        self.core.metrics.register(registry);
        registry.register_collector(Box::new(status::Gauges(Arc::downgrade(&self.core))));
    }

    /// The largest body on the wire that a door reads, in bytes.
    pub(crate) fn max_body_bytes(&self) -> usize {
        self.core.settings.max_body_bytes
    }

    /// Stops taking deliveries, finishes those under way, stops the stages.
    pub async fn close(&self) {
        self.core.stop();
        self.core.tasks.close();
        self.core.tasks.wait().await;
        let core = Arc::clone(&self.core);
        let stopped = tokio::task::spawn_blocking(move || {
            if let Ok(log) = core.log() {
                log.stop();
            }
        });
        if stopped.await.is_err() {
            tracing::error!("stopping the log panicked");
        }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.core.stop();
    }
}
