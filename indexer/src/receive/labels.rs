//! [`Streams`]: which fields of an event are its stream's labels. [`Fitting`]: keeping a stream within its limits.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use locard_event::{Event, Fields, Name, Stream, Value, name};

use crate::mix::MixState;

/// Longer texts stay fields: they name no origin.
pub(super) const MAX_LABEL_BYTES: usize = 1024;

/// Most sets of labels kept for one body: a stream of another is made for each of its events.
const MAX_SETS: usize = 64;

/// Most streams whose fit is remembered.
const MAX_SEEN: usize = 4096;

type Labels = Vec<(Box<str>, Box<str>)>;

/// The names of a stream's labels.
#[derive(Debug)]
pub(super) struct LabelSet {
    number: u32,
    /// In order.
    names: Vec<Name>,
    /// The event says its dataset in no field either.
    lacks_dataset: bool,
}

/// The streams of one body, each made once.
pub(super) struct Streams<'a> {
    /// Names, or subtrees: `kubernetes` means `kubernetes.*`.
    names: &'a [String],
    /// `event.dataset` of events that have none.
    dataset: &'a str,
    /// Those kept.
    sets: Vec<Rc<LabelSet>>,
    /// That of the newest.
    number: u32,
    /// By the number of the set and the values, each behind its length.
    known: HashMap<Box<[u8]>, (Arc<Stream>, bool), RandomState>,
    key: Vec<u8>,
}

impl<'a> Streams<'a> {
    pub(super) fn new(names: &'a [String], dataset: &'a str) -> Self {
        Self { names, dataset, sets: Vec::new(), number: 0, known: HashMap::default(), key: Vec::new() }
    }

    /// Takes the labels out of `fields`.
    pub(super) fn take(&mut self, fields: &mut Fields) -> Arc<Stream> {
        let is_label = |(name, value): &(&str, &Value)| covers(self.names, name) && fits(value);
        let names: Vec<Name> = fields.iter().filter(is_label).map(|(name, _)| name.into()).collect();
        let values: Vec<Value> = names.iter().filter_map(|name| fields.remove(name)).collect();
        let set = self.set(names, fields.get(name::DATASET).is_none());
        let texts: Vec<_> = values.iter().map(Value::text).collect();
        self.stream(&set, texts.iter().map(|text| &**text)).0
    }

    /// The set of these names, which are in order.
    pub(super) fn set(&mut self, names: Vec<Name>, lacks_dataset: bool) -> Rc<LabelSet> {
        let same = |set: &&Rc<LabelSet>| set.lacks_dataset == lacks_dataset && set.names == names;
        if let Some(known) = self.sets.iter().rev().find(same) {
            return Rc::clone(known);
        }
        self.number += 1;
        let set = Rc::new(LabelSet { number: self.number, names, lacks_dataset });
        if self.sets.len() < MAX_SETS {
            self.sets.push(Rc::clone(&set));
        }
        set
    }

    /// The stream with these values for the labels of a set, and whether its dataset may be called so.
    pub(super) fn stream<'v>(
        &mut self,
        set: &LabelSet,
        values: impl Iterator<Item = &'v str> + Clone,
    ) -> (Arc<Stream>, bool) {
        self.key.clear();
        self.key.extend_from_slice(&set.number.to_le_bytes());
        for value in values.clone() {
            self.key.extend_from_slice(&(value.len() as u32).to_le_bytes());
            self.key.extend_from_slice(value.as_bytes());
        }
        if let Some(known) = self.known.get(&*self.key) {
            return known.clone();
        }
        let mut labels: Vec<(&str, &str)> = set.names.iter().map(|name| &**name).zip(values).collect();
        if set.lacks_dataset && !labels.iter().any(|(name, _)| *name == name::DATASET) {
            // An empty one is none.
            labels.push((name::DATASET, self.dataset));
        }
        let stream = Arc::new(Stream::new(labels));
        let good = stream.get(name::DATASET).is_none_or(name::is_dataset);
        self.known.insert(self.key.as_slice().into(), (Arc::clone(&stream), good));
        (stream, good)
    }
}

/// Whether `field` is one of `names` or within one.
pub(super) fn covers(names: &[String], field: &str) -> bool {
    names.iter().any(|name| {
        field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Whether a value can be a label: one value, not a list, not empty, not too long.
fn fits(value: &Value) -> bool {
    let single = !matches!(value, Value::List(_) | Value::Null);
    let length = value.text().len();
    single && length > 0 && length <= MAX_LABEL_BYTES
}

/// Pods carry as many of these as their owners like; every other label says where a line comes from.
const POD_LABELS: &str = "kubernetes.labels.";

/// Keeps streams within their limits, whichever the door. Labels that do not fit become fields of the event, so nothing is lost.
pub(super) struct Fitting {
    max_labels: usize,
    max_bytes: usize,
    max_name_bytes: usize,
    /// Those seen lately, by where they are: a body has a few hundred, and its events come from all of them in turn.
    seen: HashMap<usize, Fitted, MixState>,
}

/// A stream as it fits, and what did not.
struct Fitted {
    /// As it came: while it is held here, no other stream is where it is.
    _whole: Arc<Stream>,
    kept: Arc<Stream>,
    rest: Labels,
}

impl Fitting {
    pub(super) fn new(max_labels: usize, max_bytes: usize, max_name_bytes: usize) -> Self {
        Self { max_labels, max_bytes, max_name_bytes, seen: HashMap::default() }
    }

    /// Makes the event's stream one that fits.
    pub(super) fn fit(&mut self, event: &mut Event) {
        let place = Arc::as_ptr(&event.stream).addr();
        if !self.seen.contains_key(&place) {
            if self.seen.len() >= MAX_SEEN {
                self.seen.clear();
            }
            let fitted = self.split(&event.stream);
            self.seen.insert(place, fitted);
        }
        let Some(fitted) = self.seen.get(&place).filter(|fitted| !fitted.rest.is_empty()) else { return };
        event.stream = Arc::clone(&fitted.kept);
        for (name, value) in &fitted.rest {
            event.fields.append(name, &**value);
        }
    }

    fn split(&self, whole: &Arc<Stream>) -> Fitted {
        let bytes: usize = whole.iter().map(size).sum();
        let short = |(name, _): (&str, &str)| name.len() <= self.max_name_bytes;
        if whole.len() <= self.max_labels && bytes <= self.max_bytes && whole.iter().all(short) {
            return Fitted { _whole: Arc::clone(whole), kept: Arc::clone(whole), rest: Labels::new() };
        }
        let mut labels: Vec<(&str, &str)> = whole.iter().collect();
        labels.sort_by_key(|(name, _)| (*name != name::DATASET, name.starts_with(POD_LABELS)));
        let (mut kept, mut rest, mut left) = (Labels::new(), Labels::new(), self.max_bytes);
        for label in labels {
            let fits = short(label) && kept.len() < self.max_labels && size(label) <= left;
            left -= if fits { size(label) } else { 0 };
            let place = if fits { &mut kept } else { &mut rest };
            place.push((label.0.into(), label.1.into()));
        }
        Fitted { _whole: Arc::clone(whole), kept: Arc::new(Stream::new(kept)), rest }
    }
}

fn size((name, value): (&str, &str)) -> usize {
    name.len() + value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_a_line_comes_from_is_kept_before_what_owners_add() {
        let mut labels: Vec<(String, String)> =
            (0..10).map(|n| (format!("kubernetes.labels.l{n}"), "v".repeat(30))).collect();
        labels.push(("kubernetes.pod.name".into(), "p".into()));
        labels.push(("event.dataset".into(), "container".into()));
        labels.push(("log.file.path".into(), "x".repeat(500)));
        let stream = Arc::new(Stream::new(labels));
        let mut fitting = Fitting::new(100, 200, 100);
        for _ in 0..2 {
            let mut event = Event::new(locard_event::Timestamp::MIN, Arc::clone(&stream), "x");
            fitting.fit(&mut event);
            let kept: Vec<_> = event.stream.iter().map(|(name, _)| name).collect();
            let expected =
                ["event.dataset", "kubernetes.labels.l0", "kubernetes.labels.l1", "kubernetes.labels.l2"];
            assert_eq!((&kept[..4], &kept[4..]), (&expected[..], &["kubernetes.pod.name"][..]));
            assert_eq!(event.fields.len(), 8);
            assert_eq!(event.get("log.file.path").unwrap().text().len(), 500);
        }
    }

    #[track_caller]
    fn check(names: &[&str], fields: &[(&str, Value)], labels: &[(&str, &str)], rest: &[&str]) {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut fields: Fields = fields.iter().cloned().collect();
        let stream = Streams::new(&names, "ndjson").take(&mut fields);
        assert_eq!(stream.iter().collect::<Vec<_>>(), labels);
        assert_eq!(fields.iter().map(|(name, _)| name).collect::<Vec<_>>(), rest);
    }

    #[test]
    fn names_and_subtrees_become_labels() {
        let fields = [
            ("host.name", Value::str("n1")),
            ("host.name.x", Value::str("deeper")),
            ("hostname", Value::str("other")),
            ("kubernetes.pod.name", Value::str("p")),
            ("kubernetes.ports", Value::List(vec![Value::Int(1)])),
            ("kubernetes.restarts", Value::Int(3)),
        ];
        check(
            &["host.name", "kubernetes"],
            &fields,
            &[
                ("event.dataset", "ndjson"),
                ("host.name", "n1"),
                ("host.name.x", "deeper"),
                ("kubernetes.pod.name", "p"),
                ("kubernetes.restarts", "3"),
            ],
            &["hostname", "kubernetes.ports"],
        );
    }

    #[test]
    fn the_dataset_of_the_object_wins() {
        let fields = [("event.dataset", Value::str("app"))];
        check(&["event.dataset"], &fields, &[("event.dataset", "app")], &[]);
        check(&[], &fields, &[], &["event.dataset"]);
        check(&[], &[], &[("event.dataset", "ndjson")], &[]);
    }
}
