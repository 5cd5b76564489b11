//! [`Delivery`]: what every source needs to get a batch to an indexer and to remember that it did: shipper, state, counters, budget.

use std::path::PathBuf;
use std::time::Duration;

use locard_filter::Matcher;
use locard_wire::Partial;

use crate::batch::Batch;
use crate::checkpoint::{Change, Checkpoints};
use crate::metrics::{Metrics, count};
use crate::settings::Limits;
use crate::ship::{Answer, Shipper};

/// Pause after the state could not be written.
const STATE_RETRY: Duration = Duration::from_secs(1);
/// At most so many refused batches are kept.
const MAX_QUARANTINED: usize = 1000;

/// What became of the events of a batch that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The indexer took them, but for some that it rejected in its answer.
    Taken {
        /// How many.
        rejected: u64,
    },
    /// None was taken: they are in quarantine.
    Refused,
}

impl Outcome {
    /// All were taken.
    pub(crate) const TAKEN: Self = Self::Taken { rejected: 0 };
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivered {
    /// The batch is done with.
    Settled(Outcome),
    /// It must be sent in smaller parts, or put into quarantine.
    Refused(String),
    /// Its bytes shall be let go of, and read and sent again after this time.
    Stuck(Duration),
}

/// Shared by all sources.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// To the indexer.
    pub(crate) shipper: Shipper,
    /// The state.
    pub(crate) checkpoints: Checkpoints,
    /// Counters.
    pub(crate) metrics: Metrics,
    /// Bounds.
    pub(crate) limits: Limits,
    /// Events that match one are dropped.
    pub(crate) drop: Vec<Matcher>,
    /// Where refused batches are kept.
    pub(crate) quarantine: PathBuf,
}

impl Delivery {
    /// Makes changes durable, however long that takes: nothing is sent that is not remembered.
    pub(crate) async fn commit(&self, changes: Vec<Change>) {
        while let Err(error) = self.checkpoints.commit(changes.clone()).await {
            tracing::error!(%error, "waiting for the state to be writable");
            tokio::time::sleep(STATE_RETRY).await;
        }
    }

    /// Remembers that the batch is on its way, and sends it. One that was put aside before gets one round only: many such batches must
    /// not take all the room in turns.
    pub(crate) async fn deliver(&self, batch: &Batch, sending: Vec<Change>, put_aside: bool) -> Delivered {
        self.commit(sending).await;
        let patience = if put_aside { Duration::ZERO } else { self.limits.retry_max };
        match self.shipper.send(batch, patience).await {
            Answer::Acked(partial) => {
                self.metrics.batches.inc();
                self.metrics.shipped_bytes.inc_by(batch.body.len() as u64);
                tracing::debug!(batch = %batch.id, events = batch.events, bytes = batch.body.len(), "shipped");
                Delivered::Settled(rejected(batch, &partial))
            }
            Answer::Refused(why) => Delivered::Refused(why),
            Answer::Stuck(wait) => {
                if !put_aside {
                    tracing::warn!(batch = %batch.id, ?wait, "not shipped for long, put aside to be read again");
                }
                Delivered::Stuck(wait)
            }
        }
    }

    /// Counts `events` as read and not settled.
    pub(crate) fn read(&self, events: u64) {
        self.metrics.read_events.inc_by(events);
        self.metrics.in_flight_events.inc_by(events as i64);
    }

    /// Counts `events` as settled: `dropped` of them by rule, the others as `outcome` says.
    pub(crate) fn settle(&self, events: u64, dropped: u64, outcome: Outcome) {
        self.metrics.in_flight_events.dec_by(events as i64);
        count(&self.metrics.dropped_events, "rule", dropped);
        let sent = events.saturating_sub(dropped);
        match outcome {
            Outcome::Refused => count(&self.metrics.dropped_events, "refused", sent),
            Outcome::Taken { rejected } => {
                count(&self.metrics.dropped_events, "rejected", rejected.min(sent));
                self.metrics.shipped_events.inc_by(sent.saturating_sub(rejected));
            }
        }
    }

    /// Keeps a batch that no indexer will take, as it would have been sent.
    pub(crate) async fn quarantine(&self, batch: &Batch, why: &str) {
        let (directory, body) = (self.quarantine.clone(), batch.body.clone());
        let name = batch.id.to_string().replace('/', "-");
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&directory)?;
            if std::fs::read_dir(&directory)?.count() >= MAX_QUARANTINED {
                return Err(std::io::Error::other("the quarantine is full"));
            }
            std::fs::write(directory.join(format!("{name}.otlp.zst")), &body)
        });
        match written.await {
            Ok(Ok(())) => {
                tracing::error!(batch = %batch.id, events = batch.events, why, "refused, put into quarantine")
            }
            Ok(Err(error)) => {
                tracing::error!(batch = %batch.id, events = batch.events, why, %error, "refused and lost")
            }
            Err(_) => {}
        }
    }
}

/// What the indexer took and did not take of a batch.
fn rejected(batch: &Batch, partial: &Partial) -> Outcome {
    let (rejected, said) = (&partial.rejected, partial.message.chars().take(300).collect::<String>());
    if *rejected > 0 {
        tracing::error!(batch = %batch.id, events = batch.events, rejected, said, "taken in part, the rest is lost");
    } else if !said.is_empty() {
        tracing::warn!(batch = %batch.id, said, "taken, with a warning");
    }
    Outcome::Taken { rejected: *rejected }
}
