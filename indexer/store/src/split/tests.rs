//! The plan on a split against the matcher on its events, and what damage does. This file has what the topics share.

mod agree;
mod cost;
mod damage;
mod golden;
mod literals;
mod seen;
mod stop;

use std::path::PathBuf;

use locard_event::Value;
use locard_filter::{Comparison, Matcher, Predicate, Test};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::testing::{START, aim, filters, hints, partitions, times};

/// Splits in a folder that goes with it.
struct Folder {
    folder: tempfile::TempDir,
    next: u32,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), next: 0 }
    }

    fn made(
        &mut self,
        make: impl FnOnce(&std::path::Path) -> Result<SplitMeta, Error>,
    ) -> (SplitMeta, PathBuf) {
        self.next += 1;
        let path = self.folder.path().join(self.next.to_string());
        let meta = make(&path).unwrap();
        assert_eq!(meta.bytes, path.metadata().unwrap().len());
        (meta, path)
    }

    fn make(&mut self, events: Vec<Event>) -> (SplitMeta, PathBuf) {
        let created = Timestamp::from_nanos(START);
        self.made(|path| write(path, &[events.into()], None, Class::default(), created, &Arc::default()))
    }

    fn merge(&mut self, parts: &[Split]) -> Split {
        let (meta, path) =
            self.made(|path| merge(path, parts, Timestamp::from_nanos(START), &Arc::default()));
        open(&meta, path).unwrap()
    }

    /// Takes a split apart: those that match, and the others if they are wanted.
    fn sift(&mut self, source: &Split, matcher: &Matcher, others: bool) -> Vec<Split> {
        self.next += 1;
        let path = self.folder.path().join(self.next.to_string());
        std::fs::create_dir(&path).unwrap();
        let task = Sift {
            folder: &path,
            source,
            classes: vec![source.meta().class.clone(); 2],
            created: Timestamp::from_nanos(START),
            cache: Cache::new(1 << 20),
            control: &Arc::default(),
        };
        let which = |event: &Event| if matcher.matches(event) { Some(0) } else { others.then_some(1) };
        let made = sift(&task, &which).unwrap();
        made.into_iter().map(|(meta, path)| open(&meta, path).unwrap()).collect()
    }

    fn of_events(&mut self, events: &[Event]) -> Split {
        let (meta, path) = self.make(events.to_vec());
        open(&meta, path).unwrap()
    }
}

fn open(meta: &SplitMeta, path: PathBuf) -> Result<Split, Error> {
    Split::open(meta, LocalObject::at(path), &Cache::new(1 << 20))
}

fn position(event: &Event) -> Position {
    Position { filed: event.filed(), id: event.id.unwrap() }
}

fn ids<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<u64> {
    events.into_iter().map(|event| event.id.unwrap().sequence).collect()
}

/// What the matcher says, in descending order.
fn expected<'a>(events: &'a [Event], request: &Request) -> Vec<&'a Event> {
    let matcher = Matcher::new(&request.filter).unwrap();
    let is_in = |event: &&Event| request.filed.contains(&event.filed()) && matcher.matches(event);
    let mut found: Vec<&Event> = events.iter().filter(is_in).collect();
    found.sort_by_key(|event| std::cmp::Reverse(position(event)));
    found
}

/// Enough events for several pages of everything.
fn many_events(count: u64) -> Vec<Event> {
    let stream = std::sync::Arc::new(locard_event::Stream::new([("host.name", "node-1")]));
    (0..count)
        .map(|at| {
            // Multiplied so that nothing compresses to less than a page.
            let noise = at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let time = Timestamp::from_nanos(START + (at ^ 3) as i64 * 1000);
            let mut event =
                Event::new(time, Arc::clone(&stream), format!("failed password {noise:x} from 10.0.0.{at}"));
            event.id = Some(EventId::new(0, at));
            event.ingested = Some(Timestamp::from_nanos(START));
            event.fields.set("trace.id", format!("{:x}", noise.rotate_left(17)));
            event.fields.set("n", at as i64);
            event
        })
        .collect()
}

/// The value of one key, from the event itself.
fn value_of(event: &Event, key: &GroupKey) -> Value {
    match key {
        GroupKey::Field(name) => event.get(name).map_or(Value::Null, std::borrow::Cow::into_owned),
        GroupKey::Bucket { origin, span_nanos } => {
            Value::Int(tally::bucket_of(event.filed(), *origin, *span_nanos))
        }
        GroupKey::Pattern => {
            pattern_of(&event.message).map_or(Value::Null, |(id, _)| Value::str(format!("{id:016x}")))
        }
    }
}
