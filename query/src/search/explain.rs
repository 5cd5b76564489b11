//! How a search goes about it: what was understood, and where the work is done.

use std::ops::Range;

use locard_event::Timestamp;
use locard_filter::Filter;
use locard_indexer::Principal;
use locard_store::Order;

use super::Error;
use super::metrics::End;
use super::plan::{Ask, Plan};
use super::run::Run;
use super::searcher::{Searcher, within};
use crate::pipe::{Setting, Tables, explain};

/// How a search goes about it.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The filter that was asked, as it was understood.
    pub filter: Filter,
    /// The filter that is searched for, all times fixed; nothing for who may see only some events: it tells of what they may not.
    pub searched: Option<Filter>,
    /// Which filed times.
    pub filed: Range<Timestamp>,
    /// What comes first.
    pub order: Order,
    /// What `now` means.
    pub now: Timestamp,
    /// The pipes, and where each runs.
    pub pipes: Vec<(&'static str, String)>,
    /// What there is to be looked into; nothing for who may see only some events.
    pub extent: Option<Extent>,
}

/// What there is to be looked into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Splits of the tenant that can be read.
    pub splits: u64,
    /// Those of them that may hold events of the range.
    pub splits_in_range: u64,
    /// Splits that cannot be read.
    pub splits_unreadable: u64,
    /// Events in those of the range.
    pub events_in_range: u64,
    /// Events that are not in a split yet: each is looked at.
    pub events_hot: u64,
}

impl Searcher {
    /// How what is asked would be searched.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    #[tracing::instrument(name = "search.explain", skip_all, fields(principal = %principal.name))]
    pub async fn explain(&self, principal: &Principal, ask: &Ask) -> Result<Explained, Error> {
        let mut run = Run::begin(&self.gate, &self.metrics, self.limits.deadline).await?;
        let (plan, view) = self.plan(&mut run, principal, ask, Filter::All).await?;
        let Plan { wanted, asked, pipes, order, limit, now, .. } = plan;
        let lookups = self.lookups(principal, &pipes).await?;
        let setting = Setting {
            memory_bytes: self.limits.memory_bytes,
            page: limit,
            filed: within(&wanted.request),
            now,
            tables: Tables { lookups, joins: Vec::new() },
        };
        let pipes = run.prepare(move || explain(&pipes, &setting)).await??;
        let mut extent = Extent {
            splits: view.splits.len() as u64,
            splits_unreadable: view.unreadable.len() as u64,
            events_hot: view.hot.iter().map(|batch| batch.len() as u64).sum(),
            ..Extent::default()
        };
        for split in view.splits.iter().filter(|split| wanted.overlaps(split.meta().filed)) {
            extent.splits_in_range += 1;
            extent.events_in_range += split.meta().events;
        }
        run.ended(End::Complete);
        let sees_all = principal.filter.is_none();
        Ok(Explained {
            filter: asked,
            searched: sees_all.then(|| wanted.request.filter.clone()),
            filed: wanted.request.filed,
            order,
            now,
            pipes,
            extent: sees_all.then_some(extent),
        })
    }
}
