//! One event by its id.

use locard_event::{Event, EventId, Timestamp};
use locard_filter::Filter;
use locard_indexer::{Principal, View};
use locard_store::{Error as StoreError, Split};

use super::Error;
use super::plan::wanted;
use super::searcher::{Searcher, clock};

impl Searcher {
    /// The event with this id, if this principal may see it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also for what another tenant owns or the row filter hides; [`Error::Unreadable`] when it may be in a
    /// split that cannot be read.
    pub async fn event(&self, principal: &Principal, id: EventId) -> Result<Event, Error> {
        let view = self.indexer.view(&principal.tenant);
        let event = lookup(view, id).await?;
        let seen = wanted(Filter::All, Timestamp::MIN..Timestamp::MAX, principal, clock())?;
        if seen.matcher.matches(&event) { Ok(event) } else { Err(Error::NotFound) }
    }
}

/// Looks where the id says. The partition must fit: a view holds one tenant's.
async fn lookup(view: View, id: EventId) -> Result<Event, Error> {
    if let Some(event) = hot(&view, id) {
        return Ok(event.clone());
    }
    // Splits of several retention classes may span it; one has it.
    let holds = |split: &&Split| {
        split.meta().partition == id.partition && split.meta().sequences.contains(&id.sequence)
    };
    let splits: Vec<Split> = view.splits.iter().filter(holds).cloned().collect();
    match tokio::task::spawn_blocking(move || get(&splits, id.sequence)).await {
        Ok(Ok(Some(event))) => Ok(event),
        Ok(Ok(None)) => Err(absent(&view)),
        Ok(Err(error)) => {
            tracing::error!(%id, %error, "event.get cannot read a split");
            Err(Error::Unreadable(format!("the split that holds {id} cannot be read")))
        }
        Err(error) => {
            tracing::error!(%id, %error, "event.get broke");
            Err(Error::Failed)
        }
    }
}

/// One split that cannot be read does not hide what another one has.
fn get(splits: &[Split], sequence: u64) -> Result<Option<Event>, StoreError> {
    let mut outcome = Ok(None);
    for split in splits {
        match split.get(sequence) {
            Ok(Some(event)) => return Ok(Some(event)),
            Ok(None) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// Both the batches and the events in them are in sequence order.
fn hot(view: &View, id: EventId) -> Option<&Event> {
    let after = view.hot.partition_point(|batch| batch.first().is_some_and(|first| first.id <= Some(id)));
    let batch = view.hot.get(after.checked_sub(1)?)?;
    batch.binary_search_by(|event| event.id.cmp(&Some(id))).ok().and_then(|index| batch.get(index))
}

/// Not there, unless it may be in what cannot be read.
fn absent(view: &View) -> Error {
    match view.unreadable.len() {
        0 => Error::NotFound,
        n => Error::Unreadable(format!("not found, but {n} of the splits cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use locard_event::Stream;

    use super::*;

    fn batch(partition: u32, sequences: std::ops::Range<u64>) -> Arc<[Event]> {
        let stream = Arc::new(Stream::new([("host.name", "a")]));
        let event = |sequence| {
            let mut event = Event::new(Timestamp::from_seconds(1), Arc::clone(&stream), "x");
            event.id = Some(EventId::new(partition, sequence));
            event
        };
        sequences.map(event).collect()
    }

    #[tokio::test]
    async fn a_hot_event_is_found_by_its_whole_id() {
        let view =
            View { hot: vec![batch(1, 10..20), batch(1, 20..21), batch(1, 21..30)], ..View::default() };
        for (id, found) in [("1-10", true), ("1-20", true), ("1-29", true), ("1-9", false), ("1-30", false)] {
            let id: EventId = id.parse().unwrap();
            assert_eq!(lookup(view.clone(), id).await.is_ok_and(|event| event.id == Some(id)), found, "{id}");
        }
        for id in ["0-15", "2-15"] {
            let missed = lookup(view.clone(), id.parse().unwrap()).await;
            assert!(matches!(missed, Err(Error::NotFound)), "{id}");
        }
    }

    #[tokio::test]
    async fn what_may_be_in_an_unreadable_split_is_not_denied() {
        let view = View { unreadable: vec![(uuid::Uuid::nil(), "gone".into())], ..View::default() };
        assert!(matches!(lookup(view, EventId::new(0, 1)).await, Err(Error::Unreadable(_))));
    }
}
