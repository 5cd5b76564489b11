//! Takes a split apart by what its events are: one split for each class. Ids, order and events stay as they are.
//!
//! 1. Events are read in document order and gathered by class, some tens of MB at a time.
//! 2. When there are enough, the largest heap is written as a piece.
//! 3. The pieces of each class are merged.
//!
//! Does not know what a class means.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use locard_event::{Event, Timestamp};

use super::write::{Label, write_events};
use super::{Cache, Split, SplitMeta, merge};
use crate::blob::LocalObject;
use crate::{Class, Control, Error};

/// Events gathered at a time, all classes together …
const MAX_EVENTS: usize = if cfg!(test) { 9 } else { 128 * 1024 };
/// … and what they may hold.
const MAX_BYTES: usize = 64 << 20;

/// What is taken apart, and into what.
pub(crate) struct Sift<'a> {
    /// Where the new objects go.
    pub(crate) folder: &'a Path,
    pub(crate) source: &'a Split,
    pub(crate) classes: Vec<Class>,
    pub(crate) created: Timestamp,
    pub(crate) cache: Cache,
    pub(crate) control: &'a Arc<Control>,
}

/// The events of one class: those at hand, and the pieces written before.
#[derive(Default)]
struct Heap {
    events: Vec<Event>,
    bytes: usize,
    pieces: Vec<(Split, PathBuf)>,
}

/// Writes one split for each class that `which` finds any event of, and says in which file it is.
pub(crate) fn sift(
    task: &Sift<'_>,
    which: &dyn Fn(&Event) -> Option<usize>,
) -> Result<Vec<(SplitMeta, PathBuf)>, Error> {
    let mut heaps: Vec<Heap> = task.classes.iter().map(|_| Heap::default()).collect();
    let mut outcome = Ok(());
    task.source.everything_until(task.control, &mut |event| {
        outcome = task.add(&mut heaps, which, event);
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome?;
    let mut made = Vec::new();
    for (class, mut heap) in heaps.into_iter().enumerate() {
        task.flush(class, &mut heap)?;
        made.extend(task.join(class, heap)?);
    }
    Ok(made)
}

impl Sift<'_> {
    fn add(
        &self,
        heaps: &mut [Heap],
        which: &dyn Fn(&Event) -> Option<usize>,
        event: Event,
    ) -> Result<(), Error> {
        let Some(heap) = which(&event).and_then(|class| heaps.get_mut(class)) else { return Ok(()) };
        heap.bytes += size_of::<Event>() + event.heap_bytes();
        heap.events.push(event);
        let (events, bytes) = heaps
            .iter()
            .fold((0, 0), |(events, bytes), heap| (events + heap.events.len(), bytes + heap.bytes));
        if events < MAX_EVENTS && bytes < MAX_BYTES {
            return Ok(());
        }
        let largest = heaps.iter_mut().enumerate().max_by_key(|(_, heap)| heap.bytes);
        largest.map_or(Ok(()), |(class, heap)| self.flush(class, heap))
    }

    /// Writes what a heap has at hand as a piece.
    fn flush(&self, class: usize, heap: &mut Heap) -> Result<(), Error> {
        if heap.events.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(format!("{class}-{}", heap.pieces.len()));
        let meta = write_events(&path, heap.events.iter().collect(), self.label(class), self.control)?;
        heap.events.clear();
        heap.bytes = 0;
        heap.pieces.push((Split::open(&meta, LocalObject::at(path.clone()), &self.cache)?, path));
        Ok(())
    }

    fn label(&self, class: usize) -> Label {
        let SplitMeta { partition, sequences, level, .. } = self.source.meta().clone();
        let class = self.classes.get(class).cloned().unwrap_or_default();
        Label { partition, sequences, created: self.created, level, class }
    }

    /// Makes one split of the pieces of a class; nothing if it has none.
    fn join(&self, class: usize, mut heap: Heap) -> Result<Option<(SplitMeta, PathBuf)>, Error> {
        self.control.check()?;
        if heap.pieces.len() < 2 {
            return Ok(heap.pieces.pop().map(|(split, path)| (split.meta().clone(), path)));
        }
        let path = self.folder.join(class.to_string());
        let pieces: Vec<Split> = heap.pieces.iter().map(|(split, _)| split.clone()).collect();
        let meta = merge(&path, &pieces, self.created, self.control)?;
        drop((pieces, heap));
        Ok(Some((meta, path)))
    }
}
