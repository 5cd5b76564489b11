//! [`Top`]: the first documents of a bucket, for `top_hits` and `top_metrics`.

use std::sync::Arc;

use locard_event::{Event, Value};
use locard_store::Position;

use crate::es::sort::{Sorting, Values};
use crate::search::position;

/// Held beyond the limit before they are sorted and cut.
const SLACK: usize = 16;

/// What is kept of a document.
#[derive(Clone, Debug)]
pub(super) enum Keep {
    Whole(Box<Event>),
    Values(Vec<Value>),
}

/// The first documents in an order, the newest first among equals.
#[derive(Clone, Debug)]
pub(super) struct Top {
    sorting: Arc<Sorting>,
    limit: usize,
    held: Vec<(Values, Option<Position>, Keep)>,
}

impl Top {
    pub(super) fn new(sorting: &Arc<Sorting>, limit: usize) -> Self {
        Self { sorting: Arc::clone(sorting), limit, held: Vec::new() }
    }

    /// Adds a document; says by how many bytes it grew.
    pub(super) fn add(&mut self, event: &Event, keep: impl FnOnce(&Event) -> Keep) -> usize {
        let values = self.sorting.values(event);
        self.hold(values, position(event), keep(event))
    }

    fn hold(&mut self, values: Values, place: Option<Position>, keep: Keep) -> usize {
        let bytes = values.heap_bytes()
            + match &keep {
                Keep::Whole(event) => event.heap_bytes(),
                Keep::Values(values) => {
                    values.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum()
                }
            };
        self.held.push((values, place, keep));
        if self.held.len() > self.limit + SLACK {
            self.cut();
            return 0;
        }
        bytes
    }

    fn cut(&mut self) {
        let sorting = Arc::clone(&self.sorting);
        self.held.sort_by(|one, two| sorting.compare(&one.0, &two.0).then_with(|| two.1.cmp(&one.1)));
        self.held.truncate(self.limit);
    }

    pub(super) fn merge(&mut self, other: Self) -> usize {
        other.held.into_iter().map(|(values, place, keep)| self.hold(values, place, keep)).sum()
    }

    /// The first ones, in order.
    pub(super) fn first(&self) -> Vec<(Values, Keep)> {
        let mut copy = self.clone();
        copy.cut();
        copy.held.into_iter().map(|(values, _, keep)| (values, keep)).collect()
    }
}
