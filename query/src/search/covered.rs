//! How many events a stored filter finds now.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use locard_event::{Event, Timestamp};
use locard_indexer::Principal;
use locard_store::Order;

use super::find::{Find, find};
use super::metrics::End;
use super::plan::wanted;
use super::run::Run;
use super::searcher::{Searcher, clock};
use super::{Error, Matched};

/// How many events a stored filter finds.
#[derive(Clone, Debug)]
pub struct Covered {
    /// The count.
    pub matched: Matched,
    /// Why it is not all of them; nothing if it is.
    pub incomplete_because: Option<String>,
}

impl Searcher {
    /// Counts the events that a filter without relative times finds among those filed in a range, for at most `time`.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.covered", skip_all, fields(principal = %principal.name))]
    pub async fn covered(
        &self,
        principal: &Principal,
        filter: &str,
        filed: Range<Timestamp>,
        time: Duration,
    ) -> Result<Covered, Error> {
        let filter = locard_filter::parse(filter)?;
        let mut run = Run::begin(&self.gate, &self.metrics, time.min(self.limits.deadline)).await?;
        let (asker, indexer) = (principal.clone(), Arc::clone(&self.indexer));
        let plan = move || (wanted(filter, filed, &asker, clock()), indexer.view(&asker.tenant));
        let (wanted, view) = run.prepare(plan).await?;
        let wanted = Arc::new(wanted.inspect_err(|_| run.ended(End::Refused))?);
        let count = Find {
            wanted,
            order: Order::Descending,
            after: None,
            limit: 0,
            memory_bytes: self.limits.memory_bytes,
            count: true,
        };
        let found = find::<Event>(&mut run, &view, count).await?;
        let matched = Matched { value: found.matched, exact: found.coverage.saw_everything() };
        Ok(Covered { matched, incomplete_because: self.conclude(&mut run, &found.coverage) })
    }
}
