//! [`Cache`]: what was read of splits and checked, kept decoded while there is room. One for all splits of a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as Kept;
use quick_cache::{OptionsBuilder, Weighter};

use super::arrangement::Arrangement;
use super::columns::Extent;
use super::dictionary::Dictionary;
use super::needles::Filters;
use super::presence::Sets;
use super::templates::Templates;

/// A split open for reading, and where in it something begins.
type Key = (u64, u64);

/// Something decoded.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Extent(Arc<Extent>),
    Sets(Arc<Sets>),
    Dictionary(Arc<Dictionary>),
    Templates(Arc<Templates>),
    Filters(Arc<Filters>),
    Arrangement(Arc<Arrangement>),
}

#[derive(Clone, Debug)]
struct Weigh;

impl Weighter<Key, Item> for Weigh {
    fn weight(&self, _: &Key, item: &Item) -> u64 {
        let bytes = match item {
            Item::Extent(extent) => extent.heap_bytes(),
            Item::Sets(sets) => sets.heap_bytes(),
            Item::Dictionary(dictionary) => dictionary.heap_bytes(),
            Item::Templates(templates) => templates.heap_bytes(),
            Item::Filters(filters) => filters.heap_bytes(),
            Item::Arrangement(arrangement) => arrangement.heap_bytes(),
        };
        bytes as u64 + 64
    }
}

/// What was decoded lately, within a number of bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    kept: Arc<Kept<Key, Item, Weigh>>,
    readers: Arc<AtomicU64>,
}

/// A shard keeps no item larger than itself, so shards are few and large: what was read of a table of templates, for one, may take tens
/// of megabytes, and was read for every search anew when shards were smaller.
const SHARD_BYTES: u64 = 64 << 20;
const MAX_SHARDS: usize = 16;

/// What is expected of one item, so that the cache sizes its table.
const MEAN_BYTES: usize = 32 * 1024;

impl Cache {
    /// Keeps at most about so many bytes.
    pub(crate) fn new(max_bytes: u64) -> Self {
        let items = usize::try_from(max_bytes).unwrap_or(usize::MAX) / MEAN_BYTES;
        let shards = usize::try_from(max_bytes / SHARD_BYTES).unwrap_or(MAX_SHARDS).clamp(1, MAX_SHARDS);
        let mut options = OptionsBuilder::new();
        options.weight_capacity(max_bytes).estimated_items_capacity(items.max(16)).shards(shards);
        let kept = match options.build() {
            Ok(options) => Kept::with_options(options, Weigh, Default::default(), Default::default()),
            // Cannot be: all that must be set is.
            Err(_) => Kept::with_weighter(items.max(16), max_bytes, Weigh),
        };
        Self { kept: Arc::new(kept), readers: Arc::default() }
    }

    /// A number that no other reader of this cache has.
    pub(crate) fn reader(&self) -> u64 {
        self.readers.fetch_add(1, Ordering::Relaxed)
    }

    /// What begins at `offset` of `reader`'s split; made if it is not there.
    pub(crate) fn get<T, E>(
        &self,
        reader: u64,
        offset: u64,
        take: impl Fn(&Item) -> Option<Arc<T>>,
        make: impl FnOnce() -> Result<T, E>,
        wrap: impl FnOnce(Arc<T>) -> Item,
    ) -> Result<Arc<T>, E> {
        let key = (reader, offset);
        if let Some(found) = self.kept.get(&key).as_ref().and_then(&take) {
            return Ok(found);
        }
        let made = Arc::new(make()?);
        self.kept.insert(key, wrap(Arc::clone(&made)));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much as the templates of a split of millions of events take.
    #[test]
    fn a_large_item_is_kept() {
        let cache = Cache::new(256 << 20);
        let (reader, mut made) = (cache.reader(), 0);
        for _ in 0..3 {
            let take = |item: &Item| match item {
                Item::Filters(filters) => Some(Arc::clone(filters)),
                _ => None,
            };
            let make = || {
                made += 1;
                Filters::read(vec![0; 40 << 20], &[40 << 20], 512, 512)
            };
            cache.get(reader, 7, take, make, Item::Filters).unwrap();
        }
        assert_eq!(made, 1);
    }
}
