//! [`Tail`]: the events that match, as they are accepted, and before that those a client missed.
//!
//! A tail never holds up ingest: the tap drops what a slow client does not take, and the tail says how many events that were.
//! A client that names the last event it has gets what came since from the view, then follows the tap; sequence numbers
//! without gaps make the seam exact. It is told up to where it is, first of all and while nothing matches, so that one that has been
//! shown nothing can come back too.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use locard_event::{Event, EventId, Timestamp};
use locard_filter::{Filter, Predicate, Test, TimePoint};
use locard_indexer::{Indexer, Principal, Tenant, View};
use locard_store::Control;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::part::Wanted;
use super::plan::{reversed_range, wanted};
use super::replay::{Replay, pieces};
use super::run::lock;
use super::searcher::{Searcher, clock};
use super::{Error, Metrics};

/// Events that wait for the client before the tap's own buffer fills.
const CHANNEL_EVENTS: usize = 256;
/// How long matching one batch may take before the tail ends.
const BATCH_TIME: Duration = Duration::from_secs(2);
/// How old a filter's idea of `now` may become.
const NOW_AGE: Duration = Duration::from_secs(1);
/// How long a client on which nothing matches goes without being told where it is. An older place is as good, it only means more to read
/// when it comes back.
const PLACE_AGE: Duration = Duration::from_secs(1);

/// What a tail tells its client.
#[derive(Clone, Debug)]
pub enum Tailed {
    /// An event that matches.
    Event(Event),
    /// What matched up to this event has been told.
    Place(EventId),
    /// Events were passed over, matching or not.
    Lag(Lag),
    /// The tail ends here, and why.
    End(&'static str),
}

/// Events that a tail passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// How many, whether they match or not.
    pub missed: u64,
    /// The first of them.
    pub first: EventId,
    /// Why.
    pub because: &'static str,
}

/// A tail's other end. The tail ends when this is dropped.
pub type Tailing = mpsc::Receiver<Tailed>;

impl Searcher {
    /// Follows the events that match `q`, from now on or from after `resume`.
    ///
    /// # Errors
    /// The query cannot be read, `resume` is not of this tenant, or too many tails run.
    pub async fn tail(
        &self,
        principal: &Principal,
        q: &str,
        resume: Option<EventId>,
        shutdown: CancellationToken,
    ) -> Result<Tailing, Error> {
        let (asked, asker) = (locard_filter::parse(q)?, principal.clone());
        let permit = Arc::clone(&self.tail_gate).try_acquire_owned();
        let permit =
            permit.map_err(|_| Error::Busy { what: "tails", retry_after: Duration::from_secs(5) })?;
        let lens = tokio::task::spawn_blocking(move || Lens::new(asked, asker));
        let lens = Arc::new(Mutex::new(lens.await.map_err(|_| Error::Failed)??));
        // First the tap, then the view: what is accepted in between is in both, and told apart by its number.
        let live = self.indexer.subscribe(&principal.tenant);
        let view = self.indexer.view(&principal.tenant);
        if let Some(id) = resume {
            check_partition(&view, id)?;
        }
        let newest = newest(&view);
        drop(view);
        let (sender, receiver) = mpsc::channel(CHANNEL_EVENTS);
        let indexer = Arc::clone(&self.indexer);
        let open = Open::new(self.metrics.clone(), permit);
        let tenant = principal.tenant.clone();
        let tail = Tail { indexer, tenant, lens, live, sender, last: resume.or(newest), placed: None, open };
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tail.run(resume.is_some()) => {}
            }
        });
        Ok(receiver)
    }
}

fn check_partition(view: &View, id: EventId) -> Result<(), Error> {
    match extent(view) {
        Some((partition, _)) if partition != id.partition => Err(Error::Parameter {
            name: "Last-Event-ID",
            reason: format!("`{id}` is no event of this tenant"),
            hint: "leave it out to follow from now on".into(),
        }),
        _ => Ok(()),
    }
}

/// A view's partition and the sequence number after its last event.
fn extent(view: &View) -> Option<(u32, u64)> {
    let hot = view.hot.iter().rev().find_map(|batch| batch.last()).and_then(|event| event.id);
    let hot = hot.map(|id| (id.partition, id.sequence + 1));
    let splits = view.splits.iter().map(|split| (split.meta().partition, split.meta().sequences.end));
    hot.into_iter().chain(splits).max()
}

/// The event that was accepted last.
fn newest(view: &View) -> Option<EventId> {
    let (partition, end) = extent(view)?;
    Some(EventId::new(partition, end.checked_sub(1)?))
}

/// Counts a tail as open while it lives.
struct Open {
    metrics: Metrics,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    fn new(metrics: Metrics, permit: OwnedSemaphorePermit) -> Self {
        metrics.tails.inc();
        Self { metrics, _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.metrics.tails.dec();
    }
}

/// The filter of a tail, compiled anew from time to time if it speaks of `now`. Compiling may take long: only for threads that may
/// block.
struct Lens {
    asked: Filter,
    principal: Principal,
    wanted: Arc<Wanted>,
    compiled: Instant,
    relative: bool,
}

impl Lens {
    fn new(asked: Filter, principal: Principal) -> Result<Self, Error> {
        let now = clock();
        if let Some(predicate) = asked.reversed_at(now) {
            return Err(reversed_range(predicate, now));
        }
        let relative = has_now(&asked) || principal.filter.as_deref().is_some_and(has_now);
        let wanted = Arc::new(compile(&asked, &principal)?);
        Ok(Self { asked, principal, wanted, compiled: Instant::now(), relative })
    }

    fn wanted(&mut self) -> Arc<Wanted> {
        if self.relative
            && self.compiled.elapsed() >= NOW_AGE
            && let Ok(wanted) = compile(&self.asked, &self.principal)
        {
            self.wanted = Arc::new(wanted);
            self.compiled = Instant::now();
        }
        Arc::clone(&self.wanted)
    }
}

fn compile(asked: &Filter, principal: &Principal) -> Result<Wanted, Error> {
    let now = clock();
    wanted(asked.clone().resolve(now), Timestamp::MIN..Timestamp::MAX, principal, now)
}

fn has_now(filter: &Filter) -> bool {
    match filter {
        Filter::All => false,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(has_now),
        Filter::Not(part) => has_now(part),
        Filter::Is(Predicate { test: Test::Time(range), .. }) => {
            [range.from, range.to].iter().any(|point| matches!(point, Some(TimePoint::Now(_))))
        }
        Filter::Is(_) => false,
    }
}

/// Nobody listens any more.
pub(crate) struct Gone;

struct Tail {
    indexer: Arc<Indexer>,
    tenant: Tenant,
    lens: Arc<Mutex<Lens>>,
    live: broadcast::Receiver<Arc<[Event]>>,
    sender: mpsc::Sender<Tailed>,
    /// The event up to which the client has what matches; nothing while the tenant has none.
    last: Option<EventId>,
    /// When the client was told that nothing matched up to there.
    placed: Option<Instant>,
    open: Open,
}

impl Tail {
    async fn run(mut self, resumed: bool) {
        if resumed && self.catch_up().await.is_err() || self.tell_place().await.is_err() {
            return;
        }
        while let Ok(batch) = self.receive().await {
            if self.pass_on(&batch).await.is_err() {
                return;
            }
        }
    }

    /// The next batch; an error when the client or the indexer is gone. What was missed shows in the numbers of the next batch.
    async fn receive(&mut self) -> Result<Arc<[Event]>, Gone> {
        loop {
            let received = tokio::select! {
                () = self.sender.closed() => return Err(Gone),
                received = self.live.recv() => received,
            };
            match received {
                Ok(batch) => return Ok(batch),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Err(Gone),
            }
        }
    }

    async fn pass_on(&mut self, batch: &Arc<[Event]>) -> Result<(), Gone> {
        let Some(first) = batch.first().and_then(|event| event.id) else { return Ok(()) };
        if let Some(last) = self.last
            && first.sequence > last.sequence + 1
        {
            let missed = first.sequence - last.sequence - 1;
            let first = EventId::new(last.partition, last.sequence + 1);
            self.tell(Tailed::Lag(Lag { missed, first, because: "the client was slow" })).await?;
        }
        let seen = self.last;
        let Matched { events, in_time } = look(&self.lens, batch, seen).await?;
        let nothing = events.is_empty();
        for event in events {
            self.tell(Tailed::Event(event)).await?;
        }
        if !in_time {
            let because =
                "matching takes too long: write a filter with fewer wildcards and regular expressions";
            self.tell(Tailed::End(because)).await?;
            return Err(Gone);
        }
        self.last = self.last.max(batch.last().and_then(|event| event.id));
        if nothing && self.placed.is_none_or(|told| told.elapsed() >= PLACE_AGE) {
            self.placed = Some(Instant::now());
            self.tell_place().await?;
        }
        Ok(())
    }

    async fn tell_place(&self) -> Result<(), Gone> {
        match self.last {
            Some(id) => self.tell(Tailed::Place(id)).await,
            None => Ok(()),
        }
    }

    async fn tell(&self, tailed: Tailed) -> Result<(), Gone> {
        match &tailed {
            Tailed::Event(_) => self.open.metrics.tail_events.inc(),
            Tailed::Lag(lag) => self.open.metrics.tail_missed.inc_by(lag.missed),
            Tailed::Place(_) | Tailed::End(_) => 0,
        };
        self.sender.send(tailed).await.map_err(|_| Gone)
    }

    /// Reads what the client missed from the view, again until the tap has kept everything since.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        loop {
            self.replay().await?;
            match self.live.try_recv() {
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Ok(batch) => return self.pass_on(&batch).await,
                Err(_) => return Ok(()),
            }
        }
    }

    async fn replay(&mut self) -> Result<(), Gone> {
        let Some(last) = self.last else { return Ok(()) };
        let view = self.indexer.view(&self.tenant);
        let Some((partition, end)) = extent(&view) else { return Ok(()) };
        let control = Arc::new(Control::default());
        let _stop = StopOnDrop(Arc::clone(&control));
        let (lens, sender) = (Arc::clone(&self.lens), self.sender.clone());
        let next = EventId::new(partition, last.sequence.saturating_add(1));
        let metrics = self.open.metrics.clone();
        let replayed = tokio::task::spawn_blocking(move || {
            let wanted = lock(&lens).wanted();
            Replay { wanted, sender, control, metrics, next }.run(pieces(&view))
        });
        let replayed = replayed.await;
        self.last = end.checked_sub(1).map(|sequence| EventId::new(partition, sequence));
        replayed.unwrap_or(Err(Gone))
    }
}

/// The events of a batch that match, as far as time allowed.
struct Matched {
    events: Vec<Event>,
    in_time: bool,
}

/// Looks at a batch through the lens, on a thread that may be busy: compiling and matching may take long.
async fn look(lens: &Arc<Mutex<Lens>>, batch: &Arc<[Event]>, seen: Option<EventId>) -> Result<Matched, Gone> {
    let (lens, batch) = (Arc::clone(lens), Arc::clone(batch));
    let matched = tokio::task::spawn_blocking(move || {
        let wanted = lock(&lens).wanted();
        matching_of(&batch, seen, &wanted, BATCH_TIME)
    });
    matched.await.map_err(|_| Gone)
}

/// Keeps a processor busy: not to be run where others are served.
fn matching_of(batch: &[Event], after: Option<EventId>, wanted: &Wanted, time: Duration) -> Matched {
    let began = Instant::now();
    let mut matched = Matched { events: Vec::new(), in_time: true };
    for event in batch.iter().filter(|event| event.id > after) {
        if wanted.matches(event) {
            matched.events.push(event.clone());
        }
        matched.in_time = began.elapsed() <= time;
        if !matched.in_time {
            break;
        }
    }
    matched
}

struct StopOnDrop(Arc<Control>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use locard_event::Stream;

    use super::*;

    /// The lens is held as if it were compiling: nobody but the tail waits for it.
    #[tokio::test]
    async fn a_filter_is_compiled_where_it_holds_nobody_up() {
        let asked = locard_filter::parse("_time>=now-1h").unwrap();
        let lens = Arc::new(Mutex::new(Lens::new(asked, Principal::loopback()).ok().unwrap()));
        let (compiling, done) = (Arc::clone(&lens), std::sync::mpsc::channel::<()>());
        let (held, is_held) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let _held = lock(&compiling);
            held.send(()).unwrap();
            done.1.recv().unwrap_or_default();
        });
        is_held.await.unwrap();
        let batch: Arc<[Event]> = Vec::new().into();
        let look = look(&lens, &batch, None);
        tokio::pin!(look);
        let waited = tokio::time::timeout(Duration::from_millis(20), look.as_mut()).await;
        assert!(waited.is_err(), "it did not wait for the filter");
        drop(done.0);
        assert!(look.await.is_ok());
        thread.join().unwrap();
    }

    #[test]
    fn a_filter_with_now_is_compiled_once_a_second_at_most() {
        let lens = |q| Lens::new(locard_filter::parse(q).unwrap(), Principal::loopback()).ok().unwrap();
        for (q, again) in [("_time>=now-1h", true), ("_time>=2026-03-01", false)] {
            let mut lens = lens(q);
            let first = lens.wanted();
            assert!(Arc::ptr_eq(&first, &lens.wanted()), "{q}");
            lens.compiled = Instant::now().checked_sub(NOW_AGE).unwrap();
            assert_eq!(!Arc::ptr_eq(&first, &lens.wanted()), again, "{q}");
        }
    }

    #[test]
    fn a_batch_is_matched_as_far_as_time_allows() {
        let stream = Arc::new(Stream::new([("host.name", "a")]));
        let event = |sequence| {
            let mut event = Event::new(Timestamp::from_seconds(1), Arc::clone(&stream), "word");
            event.id = Some(EventId::new(0, sequence));
            event
        };
        let batch: Vec<Event> = (0..5).map(event).collect();
        let principal = Principal::loopback();
        let wanted = compile(&locard_filter::parse("word").unwrap(), &principal).unwrap();
        let matched = |time| {
            let Matched { events, in_time } = matching_of(&batch, Some(EventId::new(0, 1)), &wanted, time);
            (events.len(), in_time)
        };
        assert_eq!(matched(Duration::MAX), (3, true));
        assert_eq!(matched(Duration::ZERO), (1, false));
    }
}
