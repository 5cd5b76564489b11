//! [`Tenants`]: every tenant's [`Shelf`], by name and by partition.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use locard_store::{Catalog, Error};

use crate::Tenant;
use crate::hot::Shelf;
use crate::hot_bytes::HotBytes;
use crate::lock::{read, write};

/// Every tenant's shelf. A tenant's name comes from a credential, so there are no more than the operator made.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    shelves: RwLock<HashMap<Tenant, Arc<Shelf>>>,
    hot_bytes: Arc<HotBytes>,
}

impl Tenants {
    /// The tenant's shelf, if it was ever needed.
    pub(crate) fn get(&self, tenant: &Tenant) -> Option<Arc<Shelf>> {
        read(&self.shelves).get(tenant).map(Arc::clone)
    }

    /// The tenant's shelf.
    pub(crate) fn shelf(&self, tenant: &Tenant) -> Arc<Shelf> {
        if let Some(shelf) = self.get(tenant) {
            return shelf;
        }
        let new = || Arc::new(Shelf::new(tenant.clone(), Arc::clone(&self.hot_bytes)));
        Arc::clone(write(&self.shelves).entry(tenant.clone()).or_insert_with(new))
    }

    /// Every shelf.
    pub(crate) fn all(&self) -> Vec<Arc<Shelf>> {
        read(&self.shelves).values().map(Arc::clone).collect()
    }

    /// The shelf of a partition.
    pub(crate) fn by_partition(&self, partition: u32) -> Option<Arc<Shelf>> {
        read(&self.shelves).values().find(|shelf| shelf.partition.get() == Some(&partition)).map(Arc::clone)
    }

    /// Bytes in all hot parts.
    pub(crate) fn hot_bytes(&self) -> usize {
        self.hot_bytes.get()
    }

    /// Returns once all hot parts together hold at most so much.
    pub(crate) async fn hot_bytes_at_most(&self, bytes: usize) {
        self.hot_bytes.at_most(bytes).await;
    }
}

/// The shelf's partition, which the catalog gives it with the first delivery.
pub(crate) async fn partition_of(catalog: &Catalog, shelf: &Shelf) -> Result<u32, Error> {
    let ask = || async {
        let partition = catalog.partition_of(shelf.tenant.as_str()).await?;
        shelf.set_published(partition.published);
        Ok(partition.partition)
    };
    shelf.partition.get_or_try_init(ask).await.copied()
}
