//! The work on one log: look at its files, read a batch, ship it, remember. One task owns the log while it lasts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::generation::{Generation, Record};
use super::identity::Sample;
use super::log::{Log, Next, gap};
use super::read::{Draft, Job, Outcome, Reading, read};
use super::reconcile::Moment;
use crate::checkpoint::Change;
use crate::delivery::{Delivered, Delivery, Outcome as Sent};
use crate::source::FoundFile;

/// Pause after a file could not be read.
const READ_RETRY: Duration = Duration::from_secs(1);
/// A compressed file that is damaged and was not written to for so long is given up.
const DAMAGED_AFTER: Duration = Duration::from_secs(60);

/// A log, and what a scan found for it.
#[derive(Debug)]
pub(crate) struct Work {
    /// The log.
    pub(crate) log: Log,
    /// All its files, if there was a scan.
    pub(crate) found: Option<Vec<FoundFile>>,
}

/// Takes note of what scans found, looks at the files and decides what is next.
pub(crate) async fn look(work: Vec<Work>, delivery: Arc<Delivery>) -> Vec<(Log, Next)> {
    let with = Arc::clone(&delivery);
    let looked = tokio::task::spawn_blocking(move || {
        let moment = Moment { now: Instant::now(), limits: &with.limits, metrics: &with.metrics };
        work.into_iter().map(|work| look_at(work, moment)).collect::<Vec<_>>()
    });
    let mut looked = looked.await.unwrap_or_default();
    let changes: Vec<_> = looked.iter_mut().flat_map(|(log, _)| std::mem::take(&mut log.changes)).collect();
    if !changes.is_empty() {
        delivery.checkpoints.note(changes).await;
    }
    looked
}

fn look_at(work: Work, moment: Moment<'_>) -> (Log, Next) {
    let Work { mut log, found } = work;
    let recheck = log.deferred.iter().any(|deferred| deferred.until <= moment.now);
    if found.is_some() || recheck {
        // Before copies are told from new files: a copy is known by what it was copied from.
        log.find_truncated(moment.now, moment.limits, moment.metrics, true);
    }
    match found {
        Some(found) => log.reconcile(found, moment),
        None if recheck => log.recheck(moment),
        None => {}
    }
    let next = log.look(moment.now, moment.limits, moment.metrics);
    if !log.search {
        // What appears from now on did so while the collector ran.
        log.resumed = false;
        return (log, next);
    }
    log.search(moment);
    let next = log.look(moment.now, moment.limits, moment.metrics);
    (log, next)
}

/// Reads and ships one batch; then looks again.
pub(crate) async fn ship(mut log: Log, index: usize, job: Job, delivery: Arc<Delivery>) -> Vec<(Log, Next)> {
    let mut job = job;
    loop {
        let Some((returned, outcome)) = read_blocking(log, index, job, &delivery).await else {
            return Vec::new();
        };
        log = returned;
        let draft = match outcome {
            Ok(Outcome::Draft(draft)) => draft,
            Ok(Outcome::Nothing) => {
                log.at(index, |generation| {
                    generation.fruitless_at = Some(generation.size);
                    generation.has_more = false;
                    generation.tried(job);
                    generation.waiting_since = None;
                });
                break;
            }
            Ok(Outcome::Changed) => {
                changed(&mut log, index, &delivery);
                break;
            }
            Err(error) => {
                failed(&mut log, index, &error, &delivery);
                break;
            }
        };
        match settle(&mut log, index, job, *draft, &delivery).await {
            Some(smaller) => job = smaller,
            None => break,
        }
    }
    look(vec![Work { log, found: None }], delivery).await
}

async fn read_blocking(
    mut log: Log,
    index: usize,
    job: Job,
    delivery: &Arc<Delivery>,
) -> Option<(Log, std::io::Result<Outcome>)> {
    let with = Arc::clone(delivery);
    let blocking = tokio::task::spawn_blocking(move || {
        let origin = Arc::clone(&log.origin);
        let reading = Reading { origin: &origin, limits: &with.limits, drop: &with.drop };
        let outcome = match log.generations.get_mut(index) {
            Some(generation) => read(generation, job, &reading),
            None => Ok(Outcome::Nothing),
        };
        (log, outcome)
    });
    blocking.await.inspect_err(|error| tracing::error!(%error, "reading failed")).ok()
}

/// Ships a draft and advances the log. `Some` if the batch must be made again, smaller.
async fn settle(log: &mut Log, index: usize, job: Job, draft: Draft, delivery: &Delivery) -> Option<Job> {
    let bytes = draft.bytes();
    let Draft { batch, sending, settled, sample, events, dropped, cut, carried } = draft;
    let counted = log.at(index, |generation| {
        let counted = generation.counted;
        generation.counted = counted.max(events);
        counted
    });
    delivery.read(events.saturating_sub(counted.unwrap_or_default()));
    let mut sent = Sent::TAKEN;
    if let Some(batch) = batch {
        let put_aside = log.generations.get(index).is_some_and(|generation| generation.put_aside);
        let mut changes = std::mem::take(&mut log.changes);
        changes.push(Change::File(sending.clone()));
        match delivery.deliver(&batch, changes, put_aside).await {
            Delivered::Settled(taken) => sent = taken,
            Delivered::Stuck(wait) => {
                log.at(index, |generation| generation.put_aside(sending, Instant::now() + wait));
                return None;
            }
            Delivered::Refused(why) if events > 1 && job.max_lines > 1 => {
                tracing::warn!(batch = %batch.id, events, why, "refused, sent in smaller parts");
                log.at(index, |generation| generation.record.in_flight = None);
                let max_lines = usize::try_from(events / 2).unwrap_or(1).min(job.max_lines / 2);
                return Some(Job { max_lines, ..job });
            }
            Delivered::Refused(why) => {
                sent = Sent::Refused;
                delivery.quarantine(&batch, &why).await;
            }
        }
    }
    delivery.settle(events, dropped, sent);
    delivery.metrics.read_bytes.inc_by(bytes);
    delivery.metrics.cut_lines.inc_by(cut);
    log.at(index, |generation| {
        generation.advance(settled, sample, events);
        generation.has_more = events >= job.max_lines as u64;
        generation.tried(job);
    });
    log.carry(index, carried, &delivery.metrics);
    if let Some(generation) = log.generations.get(index) {
        log.changes.push(Change::File(generation.record.clone()));
    }
    None
}

fn changed(log: &mut Log, index: usize, delivery: &Delivery) {
    log.truncated(index, Instant::now(), &delivery.limits, &delivery.metrics);
}

fn failed(log: &mut Log, index: usize, error: &std::io::Error, delivery: &Delivery) {
    delivery.metrics.read_errors.inc();
    log.at(index, |generation| {
        tracing::warn!(path = %generation.record.path.display(), %error, "not read, trying again");
        let now = Instant::now();
        generation.retry_at = Some(now + READ_RETRY);
        let is_gzip = generation.content.as_ref().is_some_and(super::content::Content::is_gzip);
        if is_gzip && now.saturating_duration_since(generation.quiet_since) > DAMAGED_AFTER {
            gap(&delivery.metrics, "gzip", &generation.record, 0);
            generation.exhausted = true;
            generation.record.frontier = crate::frame::Frontier::default();
            generation.record.in_flight = None;
            generation.uncount(&delivery.metrics);
        }
    });
}

impl Log {
    fn at<T>(&mut self, index: usize, change: impl FnOnce(&mut Generation) -> T) -> Option<T> {
        self.generations.get_mut(index).map(change)
    }
}

impl Generation {
    fn advance(&mut self, settled: Record, sample: Sample, events: u64) {
        self.record = settled;
        self.verified = self.record.modified;
        self.sample = self.content.as_ref().filter(|content| content.is_gzip()).map(|_| sample);
        self.counted = self.counted.saturating_sub(events);
        self.fruitless_at = None;
        self.waiting_since = None;
        self.put_aside = false;
    }

    /// What is unfinished now stays so until the file grows.
    fn tried(&mut self, job: Job) {
        if job.partial {
            self.partial_at = Some(self.size);
        }
    }

    /// The batch on its way is let go of, to be read again and sent as the very same batch. What follows it waits: in a log, lines
    /// arrive in their order.
    fn put_aside(&mut self, sending: Record, until: Instant) {
        self.record = sending;
        self.put_aside = true;
        self.retry_at = Some(until);
    }
}
