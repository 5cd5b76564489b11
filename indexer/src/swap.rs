//! Puts splits in the place of others, in the catalog and on the shelf; and makes the shelf agree with the catalog where an outcome was
//! not learnt. Whoever calls holds `core.tidying`.

use std::collections::{HashMap, HashSet};

use locard_store::{Split, SplitMeta};
use uuid::Uuid;

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::seal::open_written;

/// Puts the written splits `made` in the place of `sources`, of whose events `dropped` are in none of them. `false`: a source was
/// not there any more, and the shelf has been made to agree.
pub(crate) async fn swap(
    core: &Core,
    shelf: &Shelf,
    sources: &[Split],
    made: &[SplitMeta],
    dropped: u64,
) -> Result<bool, Error> {
    let opened = open_all(core, made).await?;
    let ids: Vec<Uuid> = sources.iter().map(|split| split.meta().id).collect();
    if let Err(error) = core.store.catalog().replace(&ids, made, dropped).await {
        // A failed transaction may have been committed all the same; the catalog decides.
        let known: HashSet<Uuid> = core.store.catalog().splits().await?.iter().map(|meta| meta.id).collect();
        let committed =
            made.iter().all(|meta| known.contains(&meta.id)) && ids.iter().all(|id| !known.contains(id));
        if !committed {
            opened.iter().for_each(|split| core.store.discard(split));
            return if reconcile(core, shelf).await? { Ok(false) } else { Err(error.into()) };
        }
    }
    shelf.replaced(&ids, opened);
    sources.iter().for_each(|source| core.store.discard(source));
    Ok(true)
}

/// Opens splits that were just written; if one cannot be opened or everything is to stop, none is left behind.
async fn open_all(core: &Core, made: &[SplitMeta]) -> Result<Vec<Split>, Error> {
    let mut opened = Vec::with_capacity(made.len());
    let mut outcome = Ok(());
    for meta in made {
        match open_written(core, meta).await {
            Ok(split) => opened.push(split),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    if let Err(error) = outcome.and_then(|()| core.go_on()) {
        opened.iter().for_each(|split| core.store.discard(split));
        return Err(error);
    }
    Ok(opened)
}

/// Makes the shelf agree with the catalog; says whether anything was different. What is being published meanwhile is left to sealing.
async fn reconcile(core: &Core, shelf: &Shelf) -> Result<bool, Error> {
    // Before the catalog is read: what is published later is in it already.
    let end = shelf.published();
    let (splits, unreadable) = shelf.splits();
    let partition = shelf.partition.get().copied();
    let known = core.store.catalog().splits().await?;
    let known: HashMap<Uuid, SplitMeta> = known.into_iter().map(|meta| (meta.id, meta)).collect();
    let gone: Vec<&Split> = splits.iter().filter(|split| !known.contains_key(&split.meta().id)).collect();
    let here: HashSet<Uuid> =
        splits.iter().map(|split| split.meta().id).chain(unreadable.iter().map(|meta| meta.id)).collect();
    let mut new = Vec::new();
    for meta in known.values().filter(|meta| Some(meta.partition) == partition && meta.sequences.end <= end) {
        if !here.contains(&meta.id) {
            new.push(core.store.open_split(meta).await?);
        }
    }
    let changed = !gone.is_empty() || !new.is_empty();
    tracing::warn!(tenant = %shelf.tenant, gone = gone.len(), new = new.len(), "the catalog had other splits");
    shelf.replaced(&gone.iter().map(|split| split.meta().id).collect::<Vec<_>>(), new);
    gone.iter().for_each(|split| core.store.discard(split));
    Ok(changed)
}
