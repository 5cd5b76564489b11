//! Objects the catalog does not know: what a crash between writing and publishing left, or the splits of a newer catalog.
//!
//! A split is written where the published part ends, so what a crash left never begins beyond it: an object that does means that the
//! catalog is older than the splits, and nothing is touched. One that begins at the end may be either; it stays until its events are
//! published from the log.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::blob::Blobs;
use crate::split::header_of;
use crate::{Catalog, Error};

/// Removes objects the catalog does not know, and answers how many; refuses if the catalog is behind them.
pub(super) async fn remove(catalog: &Catalog, blobs: &Blobs) -> Result<usize, Error> {
    let known: HashSet<Uuid> = catalog.splits().await?.into_iter().map(|split| split.id).collect();
    let partitions = catalog.partitions().await?;
    let published: HashMap<u32, u64> = partitions.iter().map(|it| (it.partition, it.published)).collect();
    let orphans: Vec<Uuid> = blobs.list().await?.into_iter().filter(|id| !known.contains(id)).collect();
    let mut gone = Vec::new();
    for id in orphans {
        if is_covered(id, blobs, &published).await? {
            gone.push(id);
        } else {
            tracing::warn!(split = %id, "the catalog does not know this split; it stays until its events are published");
        }
    }
    // Only now: had one of them shown that the catalog is old, none was to go.
    for id in &gone {
        blobs.remove(*id).await?;
    }
    Ok(gone.len())
}

/// Whether all that an object holds was published.
async fn is_covered(id: Uuid, blobs: &Blobs, published: &HashMap<u32, u64>) -> Result<bool, Error> {
    let object = blobs.get(id);
    let refusal = match super::blocking(move || header_of(id, object.path())).await {
        Err(Error::Corrupt { .. }) => return Ok(false),
        Err(error) => return Err(error),
        Ok((partition, sequences)) => match published.get(&partition) {
            None => format!("is of partition {partition}, which the catalog does not know"),
            Some(end) if sequences.start > *end => {
                format!(
                    "holds events {sequences:?} of partition {partition}, of which the catalog knows {end}"
                )
            }
            Some(end) => return Ok(sequences.end <= *end),
        },
    };
    let path = blobs.get(id).path().display().to_string();
    Err(Error::Conflict(format!(
        "{path} {refusal}: the catalog is older than the splits. Restore the catalog that belongs to them, or move the file away"
    )))
}
