//! [`Run`]: one running search. Its permit, its control, and the threads that work for it.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use locard_store::{Control, Error as StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::Error;
use super::coverage::Coverage;
use super::metrics::{End, Metrics};
use super::part::Part;

/// How long a search waits for its turn before it is refused.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most threads that work for one search.
const MAX_WIDTH: usize = 4;

/// One running search. When it is dropped its threads stop at their next look at the control.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) control: Arc<Control>,
    permit: Arc<OwnedSemaphorePermit>,
    metrics: Metrics,
    began: Instant,
    outcome: End,
}

impl Run {
    /// Waits for a turn, not for long.
    pub(crate) async fn begin(
        gate: &Arc<Semaphore>,
        metrics: &Metrics,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(gate).acquire_owned()).await;
        let Ok(Ok(permit)) = turn else {
            metrics.ended(End::Busy, began.elapsed().as_secs_f64());
            return Err(Error::Busy { what: "searches", retry_after: Duration::from_secs(1) });
        };
        Ok(Self::with(permit, metrics, deadline, began))
    }

    /// Waits for a turn as long as it takes: the client has a part of its answer already.
    pub(crate) async fn begin_patiently(
        gate: &Arc<Semaphore>,
        metrics: &Metrics,
        deadline: Duration,
    ) -> Result<Self, Error> {
        let began = Instant::now();
        let permit = Arc::clone(gate).acquire_owned().await.map_err(|_| Error::Failed)?;
        Ok(Self::with(permit, metrics, deadline, began))
    }

    fn with(permit: OwnedSemaphorePermit, metrics: &Metrics, deadline: Duration, began: Instant) -> Self {
        metrics.running.inc();
        let control = Arc::new(Control::until(Instant::now() + deadline));
        let (permit, metrics) = (Arc::new(permit), metrics.clone());
        Self { control, permit, metrics, began, outcome: End::Cancelled }
    }

    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    /// Does `work` on every part, several at a time, the first parts first. What could not be done is told in the coverage.
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
        while let Some(ended) = threads.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "search.scan broke");
                self.outcome = End::Failed;
                return Err(Error::Failed);
            }
        }
        Ok(shared.coverage())
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
    coverage: Mutex<Coverage>,
    work: W,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl<W: Fn(&Part) -> Result<(), StoreError>> Shared<W> {
    fn new(parts: Vec<Part>, control: Arc<Control>, permit: Arc<OwnedSemaphorePermit>, work: W) -> Self {
        let (next, coverage) = (AtomicUsize::new(0), Mutex::new(Coverage::default()));
        Self { parts, next, control, coverage, work, _permit: permit }
    }

    fn work(&self) {
        while let Some(part) = self.parts.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            let done = self.control.check().map_err(StoreError::from).and_then(|()| (self.work)(part));
            lock(&self.coverage).note(part, done);
        }
    }

    fn coverage(&self) -> Coverage {
        let mut coverage = std::mem::take(&mut *lock(&self.coverage));
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
