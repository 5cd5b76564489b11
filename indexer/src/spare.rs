//! What legal holds spare of a split that is to go.
//!
//! 1. Those in force whose range overlaps the split's are asked how many of its events they cover.
//! 2. None: it goes. All: it stays. Some: these are written anew, and take its place in one transaction.
//!
//! What cannot be asked, a hold of a version to come or a split that cannot be read, is taken for covering or covered.

use std::ops::Range;
use std::sync::Arc;

use locard_event::{Event, Timestamp};
use locard_filter::{Filter, Matcher};
use locard_store::{Control, Error as StoreError, Hold, Request, Split, SplitMeta};
use uuid::Uuid;

use crate::core::Core;
use crate::delivery::Error;
use crate::hot::Shelf;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::rule::fixed_filter;
use crate::swap::swap;

/// A hold that is in force.
#[derive(Clone, Debug)]
struct Active {
    name: String,
    partition: u32,
    filed: Range<Timestamp>,
    /// Nothing: this program cannot read it, so it covers everything.
    test: Option<(Filter, Arc<Matcher>)>,
}

impl Active {
    fn of(hold: Hold) -> Self {
        let Hold { name, partition, start, end, filter, .. } = hold;
        let test = fixed_filter(&filter);
        if let Err(reason) = &test {
            tracing::error!(name, reason, "a hold cannot be read: it holds everything");
        }
        let filed = start.unwrap_or(Timestamp::MIN)..end.unwrap_or(Timestamp::MAX);
        let test = test.ok().map(|(filter, matcher)| (filter, Arc::new(matcher)));
        Self { name, partition, filed, test }
    }

    fn overlaps(&self, meta: &SplitMeta) -> bool {
        let (first, last) = meta.filed;
        self.partition == meta.partition && first < self.filed.end && last >= self.filed.start
    }

    fn covers(&self, event: &Event) -> bool {
        let Some((_, matcher)) = &self.test else { return true };
        self.filed.contains(&event.filed()) && matcher.matches(event)
    }

    /// How many events of a split it covers.
    fn count(&self, split: &Split, control: &Control) -> Result<u64, StoreError> {
        match &self.test {
            None => Ok(split.meta().events),
            Some((filter, _)) => {
                let request = Request { filter: filter.clone(), filed: self.filed.clone() };
                split.count(&request, control)
            }
        }
    }
}

/// What holds leave of a split that is to go.
pub(crate) enum Held {
    /// None covers any of it.
    Nothing,
    /// It stays as it is.
    Everything,
    /// It was written anew with what they cover.
    Part { meta: SplitMeta, split: Split },
}

/// The holds in force.
pub(crate) struct Holds(Vec<Active>);

impl Holds {
    pub(crate) async fn read(core: &Core) -> Result<Self, Error> {
        let holds = core.store.catalog().holds().await?;
        Ok(Self(holds.into_iter().filter(|hold| hold.released.is_none()).map(Active::of).collect()))
    }

    /// The name of a hold that covers some of a split's events that match a filter.
    pub(crate) async fn covering(
        &self,
        core: &Core,
        split: &Split,
        filter: &Filter,
    ) -> Result<Option<String>, Error> {
        let asked: Vec<Active> = self.0.iter().filter(|hold| hold.overlaps(split.meta())).cloned().collect();
        let (split, filter, control) = (split.clone(), filter.clone(), Arc::new(Control::default()));
        let looks = Arc::clone(&control);
        let work = tokio::task::spawn_blocking(move || {
            for hold in asked {
                let both = match hold.test.map(|(held, _)| held) {
                    None => filter.clone(),
                    Some(Filter::And(mut parts)) => {
                        parts.push(filter.clone());
                        Filter::And(parts)
                    }
                    Some(held) => Filter::And(vec![held, filter.clone()]),
                };
                let request = Request { filter: both, filed: hold.filed };
                if split.count(&request, &looks)? > 0 {
                    return Ok(Some(hold.name));
                }
            }
            Ok::<_, StoreError>(None)
        });
        core.stoppable(&control, async { Ok(work.await.map_err(|_| Error::Closed)??) }).await
    }

    /// Asks what is to stay of a split that is to go, and takes out the rest if it is some.
    pub(crate) async fn spare(
        &self,
        core: &Core,
        shelf: &Shelf,
        meta: &SplitMeta,
        split: Option<&Split>,
    ) -> Result<Held, Error> {
        let asked: Vec<Active> = self.0.iter().filter(|hold| hold.overlaps(meta)).cloned().collect();
        if asked.is_empty() {
            return Ok(Held::Nothing);
        }
        let names = asked.iter().map(|hold| hold.name.as_str()).collect::<Vec<_>>().join("\n");
        let Some(split) = split else { return Ok(Held::Everything) };
        if lock(&core.held).contains(&(meta.id, names.clone())) {
            return Ok(Held::Everything);
        }
        match keep_held(core, shelf, split, asked).await {
            Ok(held) => {
                remember(core, meta.id, names, &held);
                Ok(held)
            }
            Err(Error::Store(StoreError::Corrupt { split, reason })) => {
                tracing::error!(%split, reason, "split.retain cannot read a split that a hold may cover; it stays");
                core.metrics.stage_failures.get_or_create(&Metrics::reason("retain")).inc();
                remember(core, meta.id, names, &Held::Everything);
                Ok(Held::Everything)
            }
            Err(error) => Err(error),
        }
    }
}

/// What is held wholly need not be asked again while the same holds are in force.
fn remember(core: &Core, id: Uuid, names: String, held: &Held) {
    let id = match held {
        Held::Nothing => return,
        Held::Everything => id,
        Held::Part { meta, .. } => meta.id,
    };
    lock(&core.held).insert((id, names));
}

async fn keep_held(core: &Core, shelf: &Shelf, split: &Split, asked: Vec<Active>) -> Result<Held, Error> {
    let asked = Arc::new(asked);
    let events = split.meta().events;
    match covered(core, split, &asked).await? {
        0 => return Ok(Held::Nothing),
        all if all == events => return Ok(Held::Everything),
        _ => {}
    }
    let control = Arc::new(Control::default());
    let which = move |event: &Event| asked.iter().any(|hold| hold.covers(event)).then_some(0);
    let classes = vec![split.meta().class.clone()];
    let work = core.store.sift(split, classes, which, (core.clock)(), Arc::clone(&control));
    let made = core.stoppable(&control, async { Ok(work.await?) }).await?;
    let kept = made.iter().map(|meta| meta.events).sum::<u64>();
    let meta = match made.as_slice() {
        [meta] if kept < events => meta.clone(),
        made => {
            for meta in made {
                core.store.forget(meta).await;
            }
            return Ok(if kept == 0 { Held::Nothing } else { Held::Everything });
        }
    };
    if !swap(core, shelf, std::slice::from_ref(split), &made, events - kept).await? {
        // It was gone already; nothing is left to drop.
        return Ok(Held::Everything);
    }
    core.metrics.rewritten.get_or_create(&Metrics::reason("hold")).inc();
    core.metrics.dropped_events.inc_by(events - kept);
    tracing::info!(tenant = %shelf.tenant, split = %split.meta().id, events, kept, "split.retain kept what is held");
    let split = shelf.splits().0.into_iter().find(|split| split.meta().id == meta.id);
    Ok(split.map_or(Held::Everything, |split| Held::Part { meta, split }))
}

/// How many events are covered: all, none, or at least so many.
async fn covered(core: &Core, split: &Split, asked: &Arc<Vec<Active>>) -> Result<u64, Error> {
    let (split, asked, control) = (split.clone(), Arc::clone(asked), Arc::new(Control::default()));
    let looks = Arc::clone(&control);
    let work = tokio::task::spawn_blocking(move || {
        let mut most = 0;
        for hold in asked.iter() {
            most = most.max(hold.count(&split, &looks)?);
            if most == split.meta().events {
                break;
            }
        }
        Ok::<_, StoreError>(most)
    });
    core.stoppable(&control, async { Ok(work.await.map_err(|_| Error::Closed)??) }).await
}
