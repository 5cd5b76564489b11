//! [`Replay`]: what a client of a tail missed, read from a view in sequence order.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use locard_event::{Event, EventId};
use locard_indexer::View;
use locard_store::{Control, Error as StoreError, Split};
use tokio::sync::mpsc;

use super::Metrics;
use super::part::{Part, Wanted};
use super::tail::{Gone, Lag, Tailed};

/// Events taken at a time from each of several splits that span the same numbers …
const WINDOW_EVENTS: usize = 512;
/// … and what they may hold.
const WINDOW_BYTES: usize = 4 << 20;

/// Splits of different retention classes span the same numbers; a piece is all that do.
#[derive(Debug)]
pub(crate) enum Piece {
    One(Part),
    Interleaved(Vec<Split>),
}

/// A view in sequence order: each piece with the numbers it spans.
pub(crate) fn pieces(view: &View) -> Vec<(Range<u64>, Piece)> {
    let mut splits: Vec<&Split> = view.splits.iter().collect();
    splits.sort_by_key(|split| split.meta().sequences.start);
    let mut groups: Vec<(Range<u64>, Vec<Split>)> = Vec::new();
    for split in splits {
        let sequences = split.meta().sequences.clone();
        match groups.last_mut() {
            Some((range, group)) if sequences.start < range.end => {
                range.end = range.end.max(sequences.end);
                group.push(split.clone());
            }
            _ => groups.push((sequences, vec![split.clone()])),
        }
    }
    let splits = groups.into_iter().map(|(range, mut group)| match group.pop() {
        Some(split) if group.is_empty() => (range, Piece::One(Part::Split(split))),
        last => (range, Piece::Interleaved(group.into_iter().chain(last).collect())),
    });
    let hot = view.hot.iter().filter_map(|batch| {
        let first = batch.first()?.id?.sequence;
        Some((first..first + batch.len() as u64, Piece::One(Part::Hot(vec![Arc::clone(batch)]))))
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
    pub(crate) fn run(mut self, pieces: Vec<(Range<u64>, Piece)>) -> Result<(), Gone> {
        for (sequences, piece) in pieces {
            if sequences.end <= self.next.sequence {
                continue;
            }
            if sequences.start > self.next.sequence {
                self.lag(sequences.start, "they are no longer kept, or in a split that cannot be read")?;
            }
            self.tell_gap(&sequences, &piece)?;
            match piece {
                Piece::One(part) => self.one(sequences.end, &part)?,
                Piece::Interleaved(splits) => self.interleaved(sequences.end, &splits)?,
            }
        }
        Ok(())
    }

    /// Tells the client that a piece does not hold all events of the numbers it spans: splits of one class go before those of another.
    /// How many of them are behind what the client has is not known: at most so many.
    fn tell_gap(&mut self, sequences: &Range<u64>, piece: &Piece) -> Result<(), Gone> {
        let held: u64 = match piece {
            Piece::One(Part::Hot(_)) => return Ok(()),
            Piece::One(Part::Split(split)) => split.meta().events,
            Piece::Interleaved(splits) => splits.iter().map(|split| split.meta().events).sum(),
        };
        let spanned = sequences.end - sequences.start;
        let missed = spanned.saturating_sub(held).min(sequences.end - self.next.sequence);
        if missed == 0 {
            return Ok(());
        }
        self.metrics.tail_missed.inc_by(missed);
        let because = "up to so many are no longer kept, or in a split that cannot be read";
        let lag = Lag { missed, first: self.next, because };
        self.sender.blocking_send(Tailed::Lag(lag)).map_err(|_| Gone)
    }

    fn one(&mut self, end: u64, part: &Part) -> Result<(), Gone> {
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
        if gone {
            return Err(Gone);
        }
        self.ended(end, done)
    }

    /// As [`Replay::one`], of splits whose events follow one another by turns: a window of numbers at a time.
    fn interleaved(&mut self, end: u64, splits: &[Split]) -> Result<(), Gone> {
        while self.next.sequence < end {
            let (mut events, mut until) = (Vec::new(), end);
            for split in splits {
                match self.window(split, until, &mut events) {
                    Ok(reached) => until = until.min(reached),
                    Err(error) => return self.ended(end, Err(error)),
                }
            }
            events.retain(|event: &Event| event.id.is_some_and(|id| id.sequence < until));
            events.sort_by_key(|event| event.id);
            for event in events {
                self.metrics.tail_events.inc();
                self.sender.blocking_send(Tailed::Event(event)).map_err(|_| Gone)?;
            }
            self.next.sequence = until;
        }
        Ok(())
    }

    /// Adds matching events of a split from the next number on and below `until`; says below which number these are all.
    fn window(&self, split: &Split, until: u64, events: &mut Vec<Event>) -> Result<u64, StoreError> {
        let (mut count, mut bytes, mut reached) = (0, 0, until);
        let Wanted { request, .. } = &*self.wanted;
        split.each_from(self.next.sequence, request, &self.control, &mut |event| {
            let sequence = event.id.map_or(0, |id| id.sequence);
            if sequence >= until || count >= WINDOW_EVENTS || bytes >= WINDOW_BYTES {
                reached = sequence.min(until);
                return ControlFlow::Break(());
            }
            count += 1;
            bytes += event.heap_bytes();
            events.push(event);
            ControlFlow::Continue(())
        })?;
        Ok(reached)
    }

    /// Goes on behind a piece; what of it could not be read is passed over.
    fn ended(&mut self, end: u64, done: Result<(), StoreError>) -> Result<(), Gone> {
        if self.control.check().is_err() {
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
