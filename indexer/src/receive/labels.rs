//! [`Streams`]: which fields of an event are its stream's labels.

use std::collections::HashMap;
use std::sync::Arc;

use locard_event::{Fields, Stream, Value, name};

/// Longer texts stay fields: they name no origin.
const MAX_LABEL_BYTES: usize = 1024;

type Labels = Vec<(Box<str>, Box<str>)>;

/// The streams of one body, each made once.
pub(super) struct Streams<'a> {
    /// Names, or subtrees: `kubernetes` means `kubernetes.*`.
    names: &'a [String],
    /// `event.dataset` of events that have none.
    dataset: &'a str,
    known: HashMap<Labels, Arc<Stream>>,
}

impl<'a> Streams<'a> {
    pub(super) fn new(names: &'a [String], dataset: &'a str) -> Self {
        Self { names, dataset, known: HashMap::new() }
    }

    /// Takes the labels out of `fields`.
    pub(super) fn take(&mut self, fields: &mut Fields) -> Arc<Stream> {
        let labels = self.labels(fields);
        if let Some(stream) = self.known.get(&labels) {
            return Arc::clone(stream);
        }
        let stream = Arc::new(Stream::new(labels.iter().cloned()));
        self.known.insert(labels, Arc::clone(&stream));
        stream
    }

    fn labels(&self, fields: &mut Fields) -> Labels {
        let is_label = |(name, value): &(&str, &Value)| self.covers(name) && fits(value);
        let names: Vec<Box<str>> = fields.iter().filter(is_label).map(|(name, _)| name.into()).collect();
        let mut labels: Labels = names
            .into_iter()
            .filter_map(|name| fields.remove(&name).map(|value| (name, value.text().into_owned().into())))
            .collect();
        let has_dataset = fields.get(name::DATASET).is_some()
            || labels.iter().any(|(label, value)| &**label == name::DATASET && !value.is_empty());
        if !has_dataset && !self.dataset.is_empty() {
            labels.push((name::DATASET.into(), self.dataset.into()));
        }
        labels
    }

    fn covers(&self, field: &str) -> bool {
        self.names.iter().any(|name| {
            field.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// Whether a value can be a label: one value, not a list, not empty, not too long.
fn fits(value: &Value) -> bool {
    let single = !matches!(value, Value::List(_) | Value::Null);
    let length = value.text().len();
    single && length > 0 && length <= MAX_LABEL_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

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
