//! [`Replay`]: what a client of a tail missed, read from a view in sequence order.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use locard_event::EventId;
use locard_indexer::View;
use locard_store::Control;
use tokio::sync::mpsc;

use super::Metrics;
use super::part::{Part, Wanted};
use super::tail::{Gone, Lag, Tailed};

/// A view in sequence order: each piece with the numbers it spans.
pub(crate) fn pieces(view: &View) -> Vec<(Range<u64>, Part)> {
    let splits = view.splits.iter().map(|split| (split.meta().sequences.clone(), Part::Split(split.clone())));
    let hot = view.hot.iter().filter_map(|batch| {
        let first = batch.first()?.id?.sequence;
        Some((first..first + batch.len() as u64, Part::Hot(vec![Arc::clone(batch)])))
    });
    let mut pieces: Vec<_> = splits.chain(hot).collect();
    pieces.sort_by_key(|(sequences, _)| sequences.start);
    pieces
}

/// Reads the view for a client that comes back. Runs on a blocking thread, as fast as the client takes it.
pub(crate) struct Replay {
    pub(crate) wanted: Arc<Wanted>,
    pub(crate) sender: mpsc::Sender<Tailed>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Metrics,
    /// The first event that the client does not have.
    pub(crate) next: EventId,
}

impl Replay {
    pub(crate) fn run(mut self, pieces: Vec<(Range<u64>, Part)>) -> Result<(), Gone> {
        for (sequences, part) in pieces {
            if sequences.end <= self.next.sequence {
                continue;
            }
            if sequences.start > self.next.sequence {
                self.lag(sequences.start, "they are no longer kept, or in a split that cannot be read")?;
            }
            self.piece(sequences.end, &part)?;
        }
        Ok(())
    }

    fn piece(&mut self, end: u64, part: &Part) -> Result<(), Gone> {
        let mut gone = false;
        let (sender, sent, next) = (self.sender.clone(), &self.metrics.tail_events, &mut self.next);
        let done = part.each(&self.wanted, &self.control, &mut |event| {
            let Some(id) = event.id.filter(|id| id.sequence >= next.sequence) else {
                return ControlFlow::Continue(());
            };
            *next = EventId::new(id.partition, id.sequence + 1);
            sent.inc();
            gone = sender.blocking_send(Tailed::Event(event.clone())).is_err();
            if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if gone || self.control.check().is_err() {
            return Err(Gone);
        }
        if let Err(error) = done {
            tracing::error!(%error, "tail.replay cannot read a split");
            return self.lag(end, "they are in a split that cannot be read");
        }
        self.next.sequence = end;
        Ok(())
    }

    /// Tells the client that everything up to `until` is passed over.
    fn lag(&mut self, until: u64, because: &'static str) -> Result<(), Gone> {
        self.metrics.tail_missed.inc_by(until - self.next.sequence);
        let lag = Lag { missed: until - self.next.sequence, first: self.next, because };
        self.next.sequence = until;
        self.sender.blocking_send(Tailed::Lag(lag)).map_err(|_| Gone)
    }
}
