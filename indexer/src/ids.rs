//! Ids that clients gave to documents: unique in their index, durably, whoever comes at the same time.
//!
//! 1. Claim the ids of a batch all at once, or wait until whoever has one of them is done: no two batches with a common id are
//!    between look-up and log together.
//! 2. Look them up: a hash table over the hot part, then a filter for each range of the catalog, which is kept in memory; only what
//!    a filter lets through costs a row of SQL, and only what has a row is read from a split.
//! 3. What is there already, or comes again in the same body, is a conflict.
//!
//! An id is free again when its event is gone.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use locard_event::{Event, name};
use locard_store::{IdRange, KeyFilter, Split};
use tokio::sync::Notify;

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;

use crate::lock::lock;
use crate::receive::{CLIENT_ID, Received, key_of};
use crate::{Indexer, Tenant};

/// Keys of batches between look-up and log, by partition.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    taken: Mutex<HashSet<(u32, u64)>>,
    freed: Notify,
}

/// The right to be the only one with these keys. Ends when it is dropped.
pub(crate) struct Claim<'a> {
    claims: &'a Claims,
    keys: Vec<(u32, u64)>,
}

impl Claims {
    /// Waits until nobody has any of the keys, and takes them all.
    async fn take(&self, partition: u32, keys: impl Iterator<Item = u64>) -> Claim<'_> {
        let keys: Vec<(u32, u64)> = keys.map(|key| (partition, key)).collect();
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Before looking, so that nothing is freed unseen.
            freed.as_mut().enable();
            if self.try_take(&keys) {
                return Claim { claims: self, keys };
            }
            freed.await;
        }
    }

    fn try_take(&self, keys: &[(u32, u64)]) -> bool {
        let mut taken = lock(&self.taken);
        let free = keys.iter().all(|key| !taken.contains(key));
        if free {
            taken.extend(keys);
        }
        free
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut taken = lock(&self.claims.taken);
        for key in &self.keys {
            taken.remove(key);
        }
        drop(taken);
        self.claims.freed.notify_waiters();
    }
}

/// Filters of ranges in memory.
pub(crate) type Filters = Mutex<HashMap<(u32, IdRange), Arc<KeyFilter>>>;

/// Which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) key: u64,
    pub(crate) index: String,
    pub(crate) id: String,
}

impl Named {
    pub(crate) fn new(index: &str, id: &str) -> Self {
        Self { key: key_of(index, id), index: index.to_owned(), id: id.to_owned() }
    }

    /// Whether the event is this document.
    pub(crate) fn is(&self, event: &Event) -> bool {
        let text = |name, wanted: &str| event.get(name).is_some_and(|value| value.text() == wanted);
        text(CLIENT_ID, &self.id) && text(name::DATASET, &self.index)
    }
}

/// Refuses the documents of a batch that are there already, and claims the ids of the others until the claim is dropped.
pub(crate) async fn settle<'a>(
    core: &'a Core,
    shelf: &Arc<Shelf>,
    partition: u32,
    read: &mut Received,
) -> Result<Option<Claim<'a>>, Error> {
    let named: Vec<(usize, Named)> = read.named().collect();
    if named.is_empty() {
        return Ok(None);
    }
    let keys: HashSet<u64> = named.iter().map(|(_, named)| named.key).collect();
    let claim = core.claims.take(partition, keys.into_iter()).await;
    let (items, names): (Vec<usize>, Vec<Named>) = named.into_iter().unzip();
    let there = find(core, shelf, partition, &names).await?;
    let mut seen = HashSet::new();
    let conflicts: Vec<usize> = (items.iter().zip(&names).zip(&there))
        .filter(|((_, named), there)| {
            !matches!(there, Place::Nowhere) || !seen.insert((named.index.as_str(), named.id.as_str()))
        })
        .map(|((item, _), _)| *item)
        .collect();
    read.refuse_conflicts(&conflicts);
    Ok(Some(claim))
}

impl Indexer {
    /// Finds the document that a client gave this id to, by the index that keeps such ids unique. One whose own text says its id was
    /// never in it: nothing does not mean that there is none.
    ///
    /// # Errors
    /// The catalog or a split cannot be read.
    pub async fn document(&self, tenant: &Tenant, index: &str, id: &str) -> Result<Option<Event>, Error> {
        let Some(shelf) = self.core.tenants.get(tenant) else { return Ok(None) };
        let Some(partition) = shelf.partition.get().copied() else { return Ok(None) };
        let found = find(&self.core, &shelf, partition, &[Named::new(index, id)]).await?;
        Ok(found.into_iter().find_map(|place| match place {
            Place::Here(event) => Some(*event),
            Place::Nowhere | Place::Unknown => None,
        }))
    }
}

/// Where a document is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Nowhere,
    Here(Box<Event>),
    /// In a split that cannot be read.
    Unknown,
}

/// Finds documents by their ids.
pub(crate) async fn find(
    core: &Core,
    shelf: &Arc<Shelf>,
    partition: u32,
    names: &[Named],
) -> Result<Vec<Place>, Error> {
    // In this order: what is sealed meanwhile is in the catalog before it leaves the hot part.
    let mut places = shelf.hot_documents(names);
    let mut candidates: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, named) in names.iter().enumerate() {
        if matches!(places.get(at), Some(Place::Nowhere)) {
            candidates.entry(named.key).or_default().push(at);
        }
    }
    if candidates.is_empty() {
        return Ok(places);
    }
    let mut looks = Vec::new();
    for range in core.store.catalog().id_ranges(partition).await? {
        let Some(filter) = filter(core, partition, range).await? else { continue };
        let keys: Vec<u64> = candidates.keys().copied().filter(|key| filter.may_have(*key)).collect();
        for row in core.store.catalog().ids(partition, range.first, &keys).await? {
            let wanted = candidates.get(&row.key).into_iter().flatten();
            looks.extend(wanted.map(|at| (row.sequence, *at)));
        }
    }
    if looks.is_empty() {
        return Ok(places);
    }
    looks.sort_unstable();
    let (shelf, names) = (Arc::clone(shelf), names.to_vec());
    let work = tokio::task::spawn_blocking(move || look(&shelf, &names, &looks));
    for (at, place) in work.await.map_err(|_| Error::Closed)?? {
        if let Some(slot) = places.get_mut(at) {
            *slot = place;
        }
    }
    Ok(places)
}

/// Reads events by their sequence numbers, which come in order, and gives those that are what is looked for.
fn look(shelf: &Shelf, names: &[Named], looks: &[(u64, usize)]) -> Result<Vec<(usize, Place)>, Error> {
    let (splits, unreadable) = shelf.splits();
    let mut found = Vec::new();
    for (sequence, at) in looks {
        let Some(named) = names.get(*at) else { continue };
        match event(&splits, *sequence)? {
            Some(event) if named.is(&event) => found.push((*at, Place::Here(Box::new(event)))),
            Some(_) => {}
            None if unreadable.iter().any(|meta| meta.sequences.contains(sequence)) => {
                found.push((*at, Place::Unknown));
            }
            None => {}
        }
    }
    Ok(found)
}

fn event(splits: &[Split], sequence: u64) -> Result<Option<Event>, Error> {
    for split in splits.iter().filter(|split| split.meta().sequences.contains(&sequence)) {
        if let Some(event) = split.get(sequence)? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// A range that grew is another one; its old filter goes.
async fn filter(core: &Core, partition: u32, range: IdRange) -> Result<Option<Arc<KeyFilter>>, Error> {
    if let Some(known) = lock(&core.id_filters).get(&(partition, range)) {
        return Ok(Some(Arc::clone(known)));
    }
    let Some(filter) = core.store.catalog().id_filter(partition, range.first).await? else { return Ok(None) };
    let filter = Arc::new(filter);
    let mut known = lock(&core.id_filters);
    known.retain(|(other, old), _| *other != partition || old.first != range.first);
    known.insert((partition, range), Arc::clone(&filter));
    Ok(Some(filter))
}

/// Lets filters of ranges go that are no more.
pub(crate) async fn forget(core: &Core) -> Result<(), Error> {
    if core.store.catalog().forget_ids().await? > 0 {
        lock(&core.id_filters).clear();
    }
    Ok(())
}
