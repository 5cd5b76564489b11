//! [`Delivery`]: what every source needs to get a batch to an indexer and to remember that it did: shipper, state, counters, budget.

use std::path::PathBuf;
use std::time::Duration;

use locard_filter::Matcher;

use crate::batch::Batch;
use crate::checkpoint::{Change, Checkpoints};
use crate::metrics::{Metrics, count};
use crate::settings::Limits;
use crate::ship::{Answer, Shipper};

/// Pause after the state could not be written.
const STATE_RETRY: Duration = Duration::from_secs(1);
/// At most so many refused batches are kept.
const MAX_QUARANTINED: usize = 1000;

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

    /// Remembers that the batch is on its way, and sends it.
    pub(crate) async fn deliver(&self, batch: &Batch, sending: Vec<Change>) -> Answer {
        self.commit(sending).await;
        let answer = self.shipper.send(batch).await;
        if answer == Answer::Acked {
            self.metrics.batches.inc();
            self.metrics.shipped_bytes.inc_by(batch.body.len() as u64);
            tracing::debug!(batch = %batch.id, events = batch.events, bytes = batch.body.len(), "shipped");
        }
        answer
    }

    /// Counts `events` as read and not settled.
    pub(crate) fn read(&self, events: u64) {
        self.metrics.read_events.inc_by(events);
        self.metrics.in_flight_events.inc_by(events as i64);
    }

    /// Counts `events` as settled: `dropped` of them by rule, the others acknowledged or refused.
    pub(crate) fn settle(&self, events: u64, dropped: u64, refused: bool) {
        self.metrics.in_flight_events.dec_by(events as i64);
        count(&self.metrics.dropped_events, "rule", dropped);
        match refused {
            true => count(&self.metrics.dropped_events, "refused", events - dropped),
            false => drop(self.metrics.shipped_events.inc_by(events - dropped)),
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
