//! Finding events: the first of an order, and how many match in all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use locard_indexer::View;
use locard_store::{Control, Error as StoreError, First, Order, Position};

use super::Error;
use super::best::{Best, Page};
use super::coverage::Coverage;
use super::part::{self, Part, Wanted, parts};
use super::run::{Run, lock};

/// Several parts are looked through at a time, beside what is held already: each may hold this share of a search's memory.
pub(crate) const SHARE: usize = 8;

/// Which events are looked for.
#[derive(Debug)]
pub(crate) struct Find {
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
    pub(crate) limit: usize,
    pub(crate) memory_bytes: usize,
    /// Whether to count all that match; without it parts that cannot be on the page are left alone.
    pub(crate) count: bool,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Found<T> {
    pub(crate) page: Page<T>,
    pub(crate) matched: u64,
    pub(crate) coverage: Coverage,
}

/// What the threads fill.
struct Gathered<T> {
    find: Find,
    best: Mutex<Best<T>>,
    matched: AtomicU64,
}

/// Looks through a view.
pub(crate) async fn find<T: part::Hit>(run: &mut Run, view: &View, find: Find) -> Result<Found<T>, Error> {
    let parts = parts(view, &find.wanted, find.order);
    let best = Mutex::new(Best::new(find.order, find.after, find.limit, find.memory_bytes));
    let gathered = Arc::new(Gathered { find, best, matched: AtomicU64::new(0) });
    let (work, control) = (Arc::clone(&gathered), Arc::clone(&run.control));
    let mut coverage = run.scan(parts, move |part| work.gather(part, &control)).await?;
    coverage.lacks(view);
    let best = std::mem::replace(&mut *lock(&gathered.best), Best::new(Order::Descending, None, 0, 0));
    Ok(Found { page: best.page(), matched: gathered.matched.load(Ordering::Relaxed), coverage })
}

impl<T: part::Hit> Gathered<T> {
    fn gather(&self, part: &Part, control: &Control) -> Result<(), StoreError> {
        let Find { wanted, order, after, count, .. } = &self.find;
        let limit = lock(&self.best).wants(part.filed());
        let matched = match limit {
            0 if !count => 0,
            0 => part.count(wanted, control)?,
            limit => {
                let max_bytes = self.find.memory_bytes / SHARE;
                let first = First { order: *order, after: *after, limit, max_bytes, count: *count };
                let first = T::first(part, wanted, first, control)?;
                lock(&self.best).add(first.events, first.cut);
                first.matched
            }
        };
        self.matched.fetch_add(matched, Ordering::Relaxed);
        Ok(())
    }
}
