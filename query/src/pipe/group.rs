//! [`Groups`]: states by key, with the memory they take.

use std::collections::HashMap;

use locard_event::Value;

use super::order;
use super::record::Record;

/// How many groups one record may fall into through lists; with more, a list is a value of its own.
const MAX_KEYS: usize = 1_000;
/// What a group costs beside its key and its state: an estimate of the map's own memory.
const GROUP_BYTES: usize = 128;

/// States by key.
#[derive(Debug)]
pub(super) struct Groups<S> {
    groups: HashMap<Box<[u8]>, (Vec<Value>, S)>,
    scratch: Vec<u8>,
    bytes: usize,
}

impl<S> Groups<S> {
    pub(super) fn new() -> Self {
        Self { groups: HashMap::new(), scratch: Vec::new(), bytes: 0 }
    }

    /// The state of `key`, made if there is none.
    pub(super) fn state(&mut self, key: Vec<Value>, new: impl FnOnce() -> S) -> &mut S {
        self.scratch.clear();
        key.iter().for_each(|value| order::encode(value, &mut self.scratch));
        let bytes = &mut self.bytes;
        let group = self.groups.entry(self.scratch.as_slice().into()).or_insert_with(|| {
            let values: usize = key.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum();
            *bytes += self.scratch.len() + values + size_of::<S>() + GROUP_BYTES;
            (key, new())
        });
        &mut group.1
    }

    /// Bytes of keys and of states as they were made.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Keys and states in the order of the keys.
    pub(super) fn sorted(self) -> Vec<(Vec<Value>, S)> {
        let mut groups: Vec<_> = self.groups.into_values().collect();
        groups.sort_by(|(left, _), (right, _)| compare_keys(left, right));
        groups
    }

    /// Keys and states in no order.
    pub(super) fn into_values(self) -> impl Iterator<Item = (Vec<Value>, S)> {
        self.groups.into_values()
    }
}

pub(super) fn compare_keys(left: &[Value], right: &[Value]) -> std::cmp::Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| order::compare(left, right))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// The groups a record falls into: one, or one for each different element of a list. What is absent is null.
pub(super) fn keys(record: &Record<'_>, fields: &[Box<str>]) -> Vec<Vec<Value>> {
    let values: Vec<Value> = fields
        .iter()
        .map(|field| record.get(field).map_or(Value::Null, std::borrow::Cow::into_owned))
        .collect();
    if !values.iter().any(|value| matches!(value, Value::List(_))) {
        return vec![values];
    }
    let choices: Vec<Vec<Value>> = values.iter().map(different).collect();
    let product = choices.iter().try_fold(1usize, |product, choice| product.checked_mul(choice.len()));
    if product.is_none_or(|product| product > MAX_KEYS) {
        return vec![values];
    }
    choices.into_iter().fold(vec![Vec::new()], |keys, choice| {
        let extended = |key: &Vec<Value>, value: &Value| key.iter().chain([value]).cloned().collect();
        keys.iter().flat_map(|key| choice.iter().map(move |value| extended(key, value))).collect()
    })
}

/// The different elements of a value; null for a list that has none.
fn different(value: &Value) -> Vec<Value> {
    let mut elements: Vec<Value> =
        value.elements().iter().filter(|value| **value != Value::Null).cloned().collect();
    elements.sort_by(order::compare);
    elements.dedup_by(|left, right| order::compare(left, right).is_eq());
    if elements.is_empty() {
        elements.push(Value::Null);
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[Value], expected: &[&str]) {
        let columns: Vec<String> = (0..values.len()).map(|index| format!("c{index}")).collect();
        let fields: Vec<Box<str>> = columns.iter().map(|name| name.as_str().into()).collect();
        let found = keys(&Record::Row { columns: &columns, cells: values }, &fields);
        let found: Vec<_> = found.iter().map(|key| Value::List(key.clone()).to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_list_falls_into_the_group_of_each_element() {
        let list = |values: &[&str]| Value::List(values.iter().map(|value| Value::from(*value)).collect());
        check(&["a".into(), Value::Null], &["[a, ]"]);
        check(&[list(&["b", "a", "b"]), "x".into()], &["[a, x]", "[b, x]"]);
        check(&[list(&["a", "b"]), list(&["c", "d"])], &["[a, c]", "[a, d]", "[b, c]", "[b, d]"]);
        check(&[list(&[])], &["[]"]);
        let long: Vec<Value> = (0..40i64).map(Value::from).collect();
        assert_eq!(keys_of(&[Value::List(long.clone()), Value::List(long)]), 1);
    }

    fn keys_of(values: &[Value]) -> usize {
        let columns = ["a".to_owned(), "b".to_owned()];
        keys(&Record::Row { columns: &columns, cells: values }, &["a".into(), "b".into()]).len()
    }
}
