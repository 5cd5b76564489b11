//! How much room each index takes: its events' share of the splits they are in, by number, and what those not yet in one take in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use locard_event::{Event, Value, name};
use locard_filter::Filter;
use locard_indexer::Principal;
use locard_store::{Control, Error as StoreError, GroupKey, Order};

use super::Es;
use super::error::Error;
use super::hit::{self, NO_DATASET};
use crate::search::{Part, Run, Wanted, lock, parts};

/// What an index takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Bytes on disk, and in memory of what is not there yet.
    pub(super) bytes: u64,
    /// In how many parts it is.
    pub(super) parts: u64,
}

impl Size {
    pub(super) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.parts += other.parts;
    }
}

/// What each index takes of what the principal may see.
pub(super) async fn sizes(es: &Es, principal: &Principal) -> Result<BTreeMap<String, Size>, Error> {
    let searcher = &es.searcher;
    let mut run = Run::begin(&searcher.gate, &searcher.metrics, searcher.limits.deadline).await?;
    let (view, wanted) = super::run::prepare(&mut run, es, principal, Filter::All).await?;
    let parts = parts(&view, &wanted, Order::Descending);
    let sum: Arc<Mutex<BTreeMap<String, Size>>> = Arc::default();
    let (into, control) = (Arc::clone(&sum), Arc::clone(&run.control));
    let work = move |part: &Part| {
        let mut bytes = BTreeMap::new();
        let done = of_part(part, &wanted, &control, &mut bytes);
        let mut sum = lock(&into);
        for (name, bytes) in bytes {
            sum.entry(name).or_default().add(Size { bytes, parts: 1 });
        }
        done
    };
    let coverage = run.scan(parts, work).await?;
    searcher.conclude(&mut run, &coverage);
    let sizes = std::mem::take(&mut *lock(&sum));
    Ok(sizes)
}

fn of_part(
    part: &Part,
    wanted: &Wanted,
    control: &Control,
    sum: &mut BTreeMap<String, u64>,
) -> Result<(), StoreError> {
    let mut add = |name: &str, bytes: u64| match sum.get_mut(name) {
        Some(sum) => *sum += bytes,
        None => drop(sum.insert(name.to_owned(), bytes)),
    };
    match part {
        Part::Split(split) => {
            let (bytes, events) = (u128::from(split.meta().bytes), u128::from(split.meta().events.max(1)));
            let key = GroupKey::Field(name::DATASET.into());
            split.tally(&wanted.request, &[key], control, &mut |values, count| {
                let text = values.first().map(Value::text).unwrap_or_default();
                let share = u64::try_from(bytes * u128::from(count) / events).unwrap_or(u64::MAX);
                add(if text.is_empty() { NO_DATASET } else { &text }, share);
                ControlFlow::Continue(())
            })
        }
        Part::Hot(_) => part.each(wanted, control, &mut |event: &Event| {
            add(&hit::index(event), (size_of::<Event>() + event.heap_bytes()) as u64);
            ControlFlow::Continue(())
        }),
    }
}

/// A size as tables show it: `1.2kb`.
pub(super) fn shown(bytes: u64) -> String {
    let mut number = bytes as f64;
    let mut units = ["b", "kb", "mb", "gb", "tb"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while number >= 1024.0
        && let Some(next) = units.next()
    {
        (number, unit) = (number / 1024.0, next);
    }
    let text = format!("{:.1}", (number * 10.0).floor() / 10.0);
    format!("{}{unit}", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_shown_as_elasticsearch_shows_them() {
        for (bytes, expected) in [
            (0, "0b"),
            (225, "225b"),
            (1024, "1kb"),
            (228_147, "222.7kb"),
            (5 << 30, "5gb"),
            (3 << 50, "3072tb"),
        ] {
            assert_eq!(shown(bytes), expected);
        }
    }
}
