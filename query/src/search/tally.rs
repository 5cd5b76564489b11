//! [`Tally`]: what is counted about events, part by part, and summed. Bounded in memory; what did not fit is said.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use locard_event::{Event, Value, name};
use locard_store::{GroupKey, Having};

use super::fields::{AskValues, Field};

/// Most names that are told apart.
pub(crate) const MAX_NAMES: usize = 10_000;

/// Something that counts events and can be summed: names, or the values of one.
pub(crate) trait Tally: Clone + Send + Sync + 'static {
    fn add(&mut self, event: &Event);
    /// The one thing that it looks at, if it is one: then it takes values of that, too.
    fn key(&self) -> Option<GroupKey> {
        None
    }
    /// Whether it takes what a split says of its names, beside a sample of its events.
    fn takes_names(&self) -> bool {
        false
    }
    /// Counts the names of so many events; an example of each type is in the `sample`.
    fn add_names(&mut self, _names: BTreeMap<Box<str>, Having>, _events: u64, _sample: &[Event]) {}
    /// Is told that a split has more names than it tells.
    fn lacks_names(&mut self) {}
    /// Counts so many events that have this value.
    fn add_value(&mut self, _value: &Value, _events: u64) {}
    fn merge(&mut self, other: Self);
}

/// Type names as clients see them, by index in [`Seen::types`].
const TYPES: [&str; 6] = ["string", "integer", "float", "boolean", "ip", "time"];

fn type_index(value: &Value) -> Option<usize> {
    match value {
        Value::Str(_) => Some(0),
        Value::Int(_) => Some(1),
        Value::Float(_) => Some(2),
        Value::Bool(_) => Some(3),
        Value::Ip(_) => Some(4),
        Value::Time(_) => Some(5),
        Value::Null | Value::List(_) => None,
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    count: u64,
    types: [u64; TYPES.len()],
    label: bool,
}

impl Seen {
    fn note(&mut self, value: &Value) {
        for index in value.elements().iter().filter_map(type_index) {
            if let Some(count) = self.types.get_mut(index) {
                *count += 1;
            }
        }
        self.count += 1;
    }

    fn types(&self) -> Vec<&'static str> {
        let mut types: Vec<(u64, &str)> =
            self.types.into_iter().zip(TYPES).filter(|(count, _)| *count > 0).collect();
        types.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        types.into_iter().map(|(_, name)| name).collect()
    }
}

/// The names of fields and labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) events: u64,
    seen: HashMap<Box<str>, Seen>,
    /// Whether there were more names than are told apart.
    pub(crate) full: bool,
    /// Whether some split has names that it does not tell.
    pub(crate) left_out: bool,
}

impl Names {
    fn seen(&mut self, name: &str) -> Option<&mut Seen> {
        if !self.seen.contains_key(name) {
            if self.seen.len() >= MAX_NAMES {
                self.full = true;
                return None;
            }
            self.seen.insert(name.into(), Seen::default());
        }
        self.seen.get_mut(name)
    }

    fn add_name(&mut self, name: &str, count: u64, types: [u64; TYPES.len()], label: bool) {
        if let Some(seen) = self.seen(name) {
            seen.count += count;
            seen.label |= label;
            seen.types.iter_mut().zip(types).for_each(|(sum, more)| *sum += more);
        }
    }

    pub(crate) fn into_fields(self) -> BTreeMap<String, Field> {
        let field = |seen: Seen| Field { count: seen.count, types: seen.types(), label: seen.label };
        let fields = self.seen.into_iter().filter(|(_, seen)| seen.count > 0);
        fields.map(|(name, seen)| (name.into(), field(seen))).collect()
    }
}

impl Tally for Names {
    fn add(&mut self, event: &Event) {
        self.events += 1;
        for own in [name::TIMESTAMP, name::INGESTED, name::MESSAGE] {
            let Some(value) = event.get(own).map(Cow::into_owned) else { continue };
            if let Some(seen) = self.seen(own) {
                seen.note(&value);
            }
        }
        for (name, value) in event.fields.iter() {
            if let Some(seen) = self.seen(name) {
                seen.note(value);
            }
        }
        for (name, text) in event.stream.iter().filter(|(name, _)| event.fields.get(name).is_none()) {
            if let Some(seen) = self.seen(name) {
                seen.label = true;
                seen.note(&Value::str(text));
            }
        }
    }

    fn takes_names(&self) -> bool {
        true
    }

    fn add_names(&mut self, names: BTreeMap<Box<str>, Having>, events: u64, sample: &[Event]) {
        self.events += events;
        let mut sampled = Self::default();
        sample.iter().for_each(|event| sampled.add(event));
        // Every event has these, and the sample tells their types.
        for own in [name::TIMESTAMP, name::INGESTED, name::MESSAGE] {
            let types = sampled.seen.remove(own).map_or([0; TYPES.len()], |seen| seen.types);
            self.add_name(own, events, types, false);
        }
        for (name, Having { field, label }) in names {
            let types = sampled.seen.get(&name).map_or([0; TYPES.len()], |seen| seen.types);
            self.add_name(&name, field + label, types, label > 0);
        }
    }

    fn lacks_names(&mut self) {
        self.left_out = true;
    }

    fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.full |= other.full;
        self.left_out |= other.left_out;
        for (name, more) in other.seen {
            let Some(seen) = self.seen(&name) else { continue };
            seen.count += more.count;
            seen.label |= more.label;
            for (sum, more) in seen.types.iter_mut().zip(more.types) {
                *sum += more;
            }
        }
    }
}

/// Values of different types are different: keyed by type and text.
type Key = (usize, Box<str>);

/// The values of one field.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    field: Arc<str>,
    /// In lower case.
    prefix: Arc<str>,
    pub(crate) events: u64,
    pub(crate) counts: HashMap<Key, (Value, u64)>,
    bytes: usize,
    max_bytes: usize,
    /// Whether there were more values than fit.
    pub(crate) full: bool,
}

impl Table {
    pub(crate) fn new(ask: &AskValues, max_bytes: usize) -> Self {
        let (field, prefix) = (ask.field.as_str().into(), ask.prefix.to_lowercase().into());
        Self { field, prefix, events: 0, counts: HashMap::new(), bytes: 0, max_bytes, full: false }
    }

    /// Once the table is full, values that are not in it yet stay out.
    fn count(&mut self, key: Key, value: Value, more: u64) {
        if let Some((_, count)) = self.counts.get_mut(&key) {
            *count += more;
            return;
        }
        let bytes = size_of::<(Key, Value, u64)>() + 2 * key.1.len();
        if self.bytes + bytes > self.max_bytes {
            self.full = true;
            return;
        }
        self.bytes += bytes;
        self.counts.insert(key, (value, more));
    }

    fn key_of(&self, value: &Value) -> Option<Key> {
        let index = type_index(value)?;
        let text = value.text();
        let fits = self.prefix.is_empty() || text.to_lowercase().starts_with(&*self.prefix);
        fits.then(|| (index, text.into()))
    }

    pub(crate) fn into_top(self, limit: usize) -> Vec<(Value, u64)> {
        let mut top: Vec<(Key, (Value, u64))> = self.counts.into_iter().collect();
        top.sort_by(|(key, (_, count)), (other_key, (_, other))| other.cmp(count).then(key.cmp(other_key)));
        top.into_iter().take(limit).map(|(_, counted)| counted).collect()
    }
}

impl Tally for Table {
    fn add(&mut self, event: &Event) {
        if let Some(value) = event.get(&self.field) {
            self.add_value(&value, 1);
        }
    }

    fn key(&self) -> Option<GroupKey> {
        Some(GroupKey::Field((&*self.field).into()))
    }

    fn add_value(&mut self, value: &Value, events: u64) {
        self.events += events;
        let mut keys: Vec<(Key, &Value)> = Vec::with_capacity(1);
        for element in value.elements() {
            // An event counts once for a value, however often its list has it.
            if let Some(key) = self.key_of(element).filter(|key| keys.iter().all(|(seen, _)| seen != key)) {
                keys.push((key, element));
            }
        }
        for (key, element) in keys {
            self.count(key, element.clone(), events);
        }
    }

    fn merge(&mut self, other: Self) {
        self.events += other.events;
        self.full |= other.full;
        for (key, (value, count)) in other.counts {
            self.count(key, value, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use locard_event::{Stream, Timestamp};

    use super::*;

    fn event(fields: &[(&str, Value)]) -> Event {
        let stream = Arc::new(Stream::new([("host.name", "a")]));
        let mut event = Event::new(Timestamp::from_seconds(1), stream, "x");
        event.fields = fields.iter().map(|(name, value)| (*name, value.clone())).collect();
        event
    }

    #[test]
    fn names_have_counts_and_types() {
        let mut names = Names::default();
        names.add(&event(&[("a", 1i64.into()), ("n", Value::Null)]));
        let mut other = Names::default();
        other.add(&event(&[("a", Value::List(vec!["x".into(), "y".into()])), ("host.name", "b".into())]));
        names.merge(other);
        let fields = names.into_fields();
        assert_eq!(fields.keys().collect::<Vec<_>>(), ["@timestamp", "a", "host.name", "message", "n"]);
        assert_eq!(fields["n"], Field { count: 1, types: vec![], label: false });
        assert_eq!(fields["a"], Field { count: 2, types: vec!["string", "integer"], label: false });
        assert_eq!(fields["host.name"], Field { count: 2, types: vec!["string"], label: true });
    }

    #[test]
    fn values_are_counted_once_an_event_and_by_type() {
        let ask = AskValues { field: "a".into(), ..AskValues::default() };
        let mut table = Table::new(&ask, usize::MAX);
        table.add(&event(&[("a", Value::List(vec!["x".into(), "x".into(), "y".into()]))]));
        table.add(&event(&[("a", "y".into())]));
        table.add(&event(&[("a", 5i64.into())]));
        table.add(&event(&[("a", "5".into())]));
        assert_eq!(table.events, 4);
        let expected = [("y".into(), 2), ("5".into(), 1), ("x".into(), 1), (Value::Int(5), 1)];
        assert_eq!(table.into_top(10), expected);
    }

    #[test]
    fn a_full_table_keeps_counting_what_it_has() {
        let ask = AskValues { field: "a".into(), ..AskValues::default() };
        let mut table = Table::new(&ask, 200);
        for text in ["one", "one", "two", "three", "one"] {
            table.add(&event(&[("a", text.into())]));
        }
        assert!(table.full);
        assert_eq!((table.events, table.into_top(1)), (5, vec![("one".into(), 3)]));
    }
}
