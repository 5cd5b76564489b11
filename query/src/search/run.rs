//! [`Run`]: one running search. Its permit, its control, and the threads that work for it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use locard_store::{Control, Error as StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};

use super::Error;
use super::coverage::Coverage;
use super::metrics::{End, Metrics};
use super::part::Part;

/// How long a search waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long after the deadline its threads may take to notice, before the search goes on without them.
const GRACE: Duration = Duration::from_millis(100);
/// Most threads that work for one search.
pub(crate) const MAX_WIDTH: usize = 4;

/// One running search. When it is dropped its threads stop at their next look at the control.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) control: Arc<Control>,
    permit: Arc<OwnedSemaphorePermit>,
    metrics: Metrics,
    began: Instant,
    deadline: Instant,
    outcome: End,
}

impl Run {
    /// Waits for a turn, not for long. That counts as time of the search.
    pub(crate) async fn begin(
        gate: &Arc<Semaphore>,
        metrics: &Metrics,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let turn = tokio::time::timeout(PATIENCE.min(deadline), Arc::clone(gate).acquire_owned()).await;
        let Ok(Ok(permit)) = turn else {
            metrics.ended(End::Busy, began.elapsed().as_secs_f64());
            return Err(busy());
        };
        Ok(Self::with(permit, metrics, began + deadline, began))
    }

    /// Waits for a turn as long as it takes: the client has a part of its answer already.
    pub(crate) async fn begin_patiently(
        gate: &Arc<Semaphore>,
        metrics: &Metrics,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let permit = Arc::clone(gate).acquire_owned().await.map_err(|_| Error::Failed)?;
        Ok(Self::with(permit, metrics, Instant::now() + deadline, began))
    }

    fn with(permit: OwnedSemaphorePermit, metrics: &Metrics, deadline: Instant, began: Instant) -> Self {
        metrics.running.inc();
        let control = Arc::new(Control::until(deadline));
        let (permit, metrics) = (Arc::new(permit), metrics.clone());
        Self { control, permit, metrics, began, deadline, outcome: End::Cancelled }
    }

    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// Does `work` on every part, several at a time, the first parts first. What could not be done is told in the coverage.
    ///
    /// Threads look at the control themselves. One that does not come to it in time, because it waits for a processor, a lock or a
    /// disk, or because one step takes long, is not waited for: its part counts as left out. It keeps the turn until it ends, so
    /// that such threads are no more than turns allow.
    pub(crate) async fn scan<W>(&mut self, parts: Vec<Part>, work: W) -> Result<Coverage, Error>
    where
        W: Fn(&Part) -> Result<(), StoreError> + Send + Sync + 'static,
    {
        let width =
            std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WIDTH).min(parts.len());
        let shared = Arc::new(Shared::new(parts, Arc::clone(&self.control), Arc::clone(&self.permit), work));
        let mut threads = JoinSet::new();
        for _ in 0..width {
            let shared = Arc::clone(&shared);
            let span = tracing::Span::current();
            threads.spawn_blocking(move || span.in_scope(|| shared.work()));
        }
        let all = async {
            while let Some(ended) = threads.join_next().await {
                ended?;
            }
            Ok::<(), JoinError>(())
        };
        match tokio::time::timeout_at((self.deadline + GRACE).into(), all).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "search.scan broke");
                self.outcome = End::Failed;
                return Err(Error::Failed);
            }
            Err(_) => self.control.cancel(),
        }
        Ok(shared.coverage())
    }

    /// As [`Run::blocking`], for what comes before the first look at an event: without it there is no answer, so it is given up only
    /// when a turn would be, too.
    pub(crate) async fn prepare<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let until = self.deadline.max(self.began + PATIENCE) + GRACE;
        let prepared = tokio::time::timeout_at(until.into(), self.blocking(work)).await;
        prepared.unwrap_or_else(|_| {
            self.outcome = End::Busy;
            Err(busy())
        })
    }

    /// Does work that keeps a processor busy where it holds nobody up. The turn is kept until it is done, whoever still waits.
    pub(crate) async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (permit, span) = (Arc::clone(&self.permit), tracing::Span::current());
        let work = move || {
            let _permit = permit;
            span.in_scope(work)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "search.work broke");
            self.outcome = End::Failed;
            Error::Failed
        })
    }

    /// Notes how the search ended, for the metrics.
    pub(crate) fn ended(&mut self, outcome: End) {
        self.outcome = outcome;
    }
}

fn busy() -> Error {
    Error::Busy { what: "searches", retry_after: Duration::from_secs(1) }
}

/// Also runs when the client goes away: the handler's future is dropped, and this with it.
impl Drop for Run {
    fn drop(&mut self) {
        self.control.cancel();
        self.metrics.running.dec();
        self.metrics.events.inc_by(self.control.events_scanned());
        self.metrics.bytes.inc_by(self.control.bytes_scanned());
        self.metrics.ended(self.outcome, self.began.elapsed().as_secs_f64());
    }
}

/// What the threads of one search share. The permit is here because threads may outlive a cancelled search by a moment.
struct Shared<W> {
    parts: Vec<Part>,
    next: AtomicUsize,
    control: Arc<Control>,
    /// And how many parts it speaks of.
    coverage: Mutex<(Coverage, usize)>,
    work: W,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl<W: Fn(&Part) -> Result<(), StoreError>> Shared<W> {
    fn new(parts: Vec<Part>, control: Arc<Control>, permit: Arc<OwnedSemaphorePermit>, work: W) -> Self {
        let (next, coverage) = (AtomicUsize::new(0), Mutex::default());
        Self { parts, next, control, coverage, work, _permit: permit }
    }

    fn work(&self) {
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let done = self.control.check().map_err(StoreError::from).and_then(|()| (self.work)(part));
            let mut coverage = lock(&self.coverage);
            coverage.0.note(part, done);
            coverage.1 += 1;
        }
    }

    fn coverage(&self) -> Coverage {
        let (mut coverage, noted) = std::mem::take(&mut *lock(&self.coverage));
        coverage.late(self.parts.len().saturating_sub(noted));
        coverage.events = self.control.events_scanned();
        coverage.bytes = self.control.bytes_scanned();
        coverage
    }
}

/// A lock whose holder panicked is still good here: every change under it is a single step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_search_stops_its_threads_and_gives_its_turn_back() {
        let (gate, metrics) = (Arc::new(Semaphore::new(1)), Metrics::default());
        let mut run = Run::begin(&gate, &metrics, Duration::from_secs(600)).await.unwrap();
        let control = Arc::clone(&run.control);
        let (started, wait) = tokio::sync::mpsc::unbounded_channel();
        let search = tokio::spawn(async move {
            let endless = move |_: &Part| {
                started.send(()).unwrap_or_default();
                loop {
                    control.check()?;
                    std::thread::yield_now();
                }
            };
            run.scan(vec![Part::Hot(Vec::new())], endless).await
        });
        let mut wait = wait;
        wait.recv().await.unwrap();
        assert_eq!((gate.available_permits(), metrics.running.get()), (0, 1));
        search.abort();
        let turn = tokio::time::timeout(Duration::from_secs(20), gate.acquire()).await;
        assert!(turn.is_ok(), "the threads did not stop");
        assert_eq!(metrics.running.get(), 0);
    }

    #[tokio::test]
    async fn a_thread_that_breaks_is_a_failure_and_no_silent_gap() {
        let (gate, metrics) = (Arc::new(Semaphore::new(1)), Metrics::default());
        let mut run = Run::begin(&gate, &metrics, Duration::from_secs(600)).await.unwrap();
        let broken = run.scan(vec![Part::Hot(Vec::new())], |_| panic!("on purpose")).await;
        assert!(matches!(broken, Err(Error::Failed)));
    }

    /// As a step that waits for a lock, or one that takes long, and does not look at the control meanwhile.
    #[tokio::test]
    async fn a_thread_that_does_not_see_the_deadline_is_not_waited_for() {
        let (gate, metrics) = (Arc::new(Semaphore::new(1)), Metrics::default());
        let mut run = Run::begin(&gate, &metrics, Duration::from_millis(50)).await.unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let held = Mutex::new(held);
        let parts = (0..3).map(|_| Part::Hot(Vec::new())).collect();
        let work = move |_: &Part| {
            lock(&held).recv().unwrap_or_default();
            Ok(())
        };
        let coverage = tokio::time::timeout(Duration::from_secs(20), run.scan(parts, work)).await;
        let coverage = coverage.expect("the search waits for a thread that does not answer").unwrap();
        assert_eq!(coverage.because().unwrap(), "the deadline passed with 3 parts left to search");
        assert_eq!(gate.available_permits(), 0, "its turn is not over before its threads are");
        drop((run, release));
        let turn = tokio::time::timeout(Duration::from_secs(20), gate.acquire()).await;
        assert!(turn.is_ok(), "the turn was not given back");
    }

    #[tokio::test]
    async fn waiting_for_a_turn_is_time_of_the_search() {
        let (gate, metrics) = (Arc::new(Semaphore::new(1)), Metrics::default());
        let held = Run::begin(&gate, &metrics, Duration::from_secs(600)).await.unwrap();
        let run = async { Run::begin(&gate, &metrics, Duration::from_millis(500)).await };
        let free = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            drop(held);
        };
        let (run, ()) = tokio::join!(run, free);
        let run = run.unwrap();
        assert_eq!(run.deadline, run.began + Duration::from_millis(500));
    }

    #[tokio::test]
    async fn a_search_that_gets_no_turn_is_told_when_to_come_back() {
        let (gate, metrics) = (Arc::new(Semaphore::new(1)), Metrics::default());
        let held = Run::begin(&gate, &metrics, Duration::from_secs(600)).await.unwrap();
        let refused = Run::begin(&gate, &metrics, Duration::from_secs(600)).await;
        assert!(matches!(refused, Err(Error::Busy { .. })));
        drop(held);
        assert!(Run::begin(&gate, &metrics, Duration::from_secs(600)).await.is_ok());
    }
}
