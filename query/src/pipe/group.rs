//! [`Groups`]: states by key, with the memory they take.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use locard_event::Value;

use super::key::Key as By;
use super::order;
use super::record::Record;

/// How many groups one record may fall into through lists; with more, a list is a value of its own.
const MAX_KEYS: usize = 1_000;

/// States by key. A table of our own hashes rather than a map, so that a key is copied only when its group is new.
#[derive(Debug)]
pub(super) struct Groups<S> {
    table: HashTable<Group<S>>,
    hashes: RandomState,
    bytes: usize,
}

#[derive(Debug)]
struct Group<S> {
    hash: u64,
    key: Key,
    state: S,
}

/// The values of a group. Most have one.
#[derive(Debug)]
enum Key {
    One(Value),
    Many(Box<[Value]>),
}

impl Key {
    fn new(values: &[Cow<'_, Value>]) -> Self {
        match values {
            [value] => Self::One(Value::clone(value)),
            values => Self::Many(values.iter().map(|value| Value::clone(value)).collect()),
        }
    }

    fn values(&self) -> &[Value] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    fn is(&self, values: &[Cow<'_, Value>]) -> bool {
        let own = self.values();
        own.len() == values.len() && own.iter().zip(values).all(|(own, other)| order::same(own, other))
    }

    fn is_same(&self, other: &Self) -> bool {
        let (own, other) = (self.values(), other.values());
        own.len() == other.len() && own.iter().zip(other).all(|(own, other)| order::same(own, other))
    }

    /// The values, with room for so many more.
    fn into_values(self, more: usize) -> Vec<Value> {
        let mut values = Vec::with_capacity(self.values().len() + more);
        match self {
            Self::One(value) => values.push(value),
            Self::Many(many) => values.extend(many),
        }
        values
    }

    fn heap_bytes(&self) -> usize {
        let values = |values: &[Value]| values.iter().map(Value::heap_bytes).sum::<usize>();
        match self {
            Self::One(value) => value.heap_bytes(),
            Self::Many(many) => size_of_val(&**many) + values(many),
        }
    }
}

impl<S> Groups<S> {
    pub(super) fn new() -> Self {
        Self { table: HashTable::new(), hashes: RandomState::default(), bytes: 0 }
    }

    /// Others like these, without any group yet, that can be merged with them.
    pub(super) fn fork(&self) -> Self {
        Self { table: HashTable::new(), hashes: self.hashes.clone(), bytes: 0 }
    }

    /// The state of `key`, made if there is none.
    pub(super) fn state(&mut self, key: &[Cow<'_, Value>], new: impl FnOnce() -> S) -> &mut S {
        let mut hasher = self.hashes.build_hasher();
        key.iter().for_each(|value| order::hash(value, &mut hasher));
        let hash = hasher.finish();
        let is_it = |group: &Group<S>| group.hash == hash && group.key.is(key);
        match self.table.entry(hash, is_it, |group| group.hash) {
            Entry::Occupied(group) => &mut group.into_mut().state,
            Entry::Vacant(free) => {
                let group = Group { hash, key: Key::new(key), state: new() };
                self.bytes += group.bytes();
                &mut free.insert(group).into_mut().state
            }
        }
    }

    /// Takes in the groups of a [`Groups::fork`]; `join` adds the second state to the first, in whichever order.
    pub(super) fn merge(&mut self, mut other: Self, mut join: impl FnMut(&mut S, S)) {
        if other.len() > self.len() {
            std::mem::swap(self, &mut other);
        }
        for group in other.table {
            let is_it = |own: &Group<S>| own.hash == group.hash && own.key.is_same(&group.key);
            match self.table.entry(group.hash, is_it, |group| group.hash) {
                Entry::Occupied(own) => join(&mut own.into_mut().state, group.state),
                Entry::Vacant(free) => {
                    self.bytes += group.bytes();
                    free.insert(group);
                }
            }
        }
    }

    /// Bytes of keys and of states as they were made.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Keys, with room for `more` cells of a row, and states in the order of the keys.
    pub(super) fn sorted(self, more: usize) -> impl Iterator<Item = (Vec<Value>, S)> {
        let mut groups: Vec<_> = self.table.into_iter().collect();
        groups.sort_unstable_by(|left, right| compare_keys(left.key.values(), right.key.values()));
        groups.into_iter().map(move |group| (group.key.into_values(more), group.state))
    }

    /// Keys and states in no order.
    pub(super) fn into_values(self) -> impl Iterator<Item = (Vec<Value>, S)> {
        self.table.into_iter().map(|group| (group.key.into_values(0), group.state))
    }
}

impl Groups<u64> {
    /// The `most` groups with the greatest numbers, the greatest first; equal ones in the order of their keys.
    pub(super) fn greatest(&self, most: usize) -> Vec<(Vec<Value>, u64)> {
        let least = self.number_at(most);
        self.first(most, |number| number >= least, |left, right| right.cmp(&left))
    }

    /// The `most` groups with the least numbers, the least first; equal ones in the order of their keys.
    pub(super) fn least(&self, most: usize) -> Vec<(Vec<Value>, u64)> {
        self.first(most, |_| true, |left, right| left.cmp(&right))
    }

    /// The first of those that may be among the first.
    fn first(
        &self,
        most: usize,
        may_be: impl Fn(u64) -> bool,
        order: impl Fn(u64, u64) -> std::cmp::Ordering,
    ) -> Vec<(Vec<Value>, u64)> {
        let groups = self.table.iter().filter(|group| may_be(group.state));
        let mut groups: Vec<(u64, &Key)> = groups.map(|group| (group.state, &group.key)).collect();
        let compare = |(left, left_key): &(u64, &Key), (right, right_key): &(u64, &Key)| {
            order(*left, *right).then_with(|| compare_keys(left_key.values(), right_key.values()))
        };
        // Sorting all of them would cost more than all that went before.
        if most < groups.len() {
            groups.select_nth_unstable_by(most, compare);
            groups.truncate(most);
        }
        groups.sort_unstable_by(compare);
        groups.into_iter().map(|(number, key)| (key.values().to_vec(), number)).collect()
    }
}

impl Groups<u64> {
    /// The number of the group that has `rank - 1` before it, ordered by number; 0 if there are fewer. Numbers are compared faster
    /// than keys.
    fn number_at(&self, rank: usize) -> u64 {
        let mut numbers: Vec<u64> = self.table.iter().map(|group| group.state).collect();
        let Some(place) = rank.checked_sub(1).filter(|place| *place < numbers.len()) else { return 0 };
        *numbers.select_nth_unstable_by(place, |left, right| right.cmp(left)).1
    }
}

impl<S> Group<S> {
    /// What it takes in a table that is half full, which is what tables are when they have grown.
    fn bytes(&self) -> usize {
        2 * (size_of::<Self>() + 1) + self.key.heap_bytes()
    }
}

pub(super) fn compare_keys(left: &[Value], right: &[Value]) -> std::cmp::Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| order::compare(left, right))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// Calls `visit` with each group a record falls into: one, or one for each different element of a list. What is absent is null.
pub(super) fn each_key(record: &Record<'_>, keys: &[By], mut visit: impl FnMut(&[Cow<'_, Value>])) {
    match keys {
        [] => visit(&[]),
        [key] => each_choice(&[key.value(record)], &mut visit),
        keys => {
            let values: Vec<_> = keys.iter().map(|key| key.value(record)).collect();
            each_choice(&values, &mut visit);
        }
    }
}

/// Calls `visit` with every way to take one element of each value.
fn each_choice(values: &[Cow<'_, Value>], visit: &mut impl FnMut(&[Cow<'_, Value>])) {
    if !values.iter().any(|value| matches!(**value, Value::List(_))) {
        return visit(values);
    }
    let choices: Vec<Vec<&Value>> = values.iter().map(|value| different(value)).collect();
    let product = choices.iter().try_fold(1usize, |product, choice| product.checked_mul(choice.len()));
    if product.is_none_or(|product| product > MAX_KEYS) {
        return visit(values);
    }
    let mut keys: Vec<Vec<Cow<'_, Value>>> = vec![Vec::new()];
    for choice in choices {
        let one_longer = |key: Vec<_>| {
            choice.iter().map(move |value| key.iter().cloned().chain([Cow::Borrowed(*value)]).collect())
        };
        keys = keys.into_iter().flat_map(one_longer).collect();
    }
    keys.iter().for_each(|key| visit(key));
}

/// The different elements of a value; null for a list that has none.
fn different(value: &Value) -> Vec<&Value> {
    let mut elements: Vec<&Value> = value.elements().iter().filter(|value| **value != Value::Null).collect();
    elements.sort_by(|left, right| order::compare(left, right));
    elements.dedup_by(|left, right| order::same(left, right));
    if elements.is_empty() {
        elements.push(&Value::Null);
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(values: &[Value]) -> Vec<String> {
        let columns: Vec<String> = (0..values.len()).map(|index| format!("c{index}")).collect();
        let fields: Vec<By> =
            columns.iter().map(|name| By { field: name.as_str().into(), network: None }).collect();
        let mut found = Vec::new();
        each_key(&Record::Row { columns: &columns, cells: values }, &fields, |key| {
            found.push(Value::List(key.iter().map(|value| Value::clone(value)).collect()).to_string());
        });
        found
    }

    #[test]
    fn a_list_falls_into_the_group_of_each_element() {
        let list = |values: &[&str]| Value::List(values.iter().map(|value| Value::from(*value)).collect());
        assert_eq!(keys(&["a".into(), Value::Null]), ["[a, ]"]);
        assert_eq!(keys(&[list(&["b", "a", "b"]), "x".into()]), ["[a, x]", "[b, x]"]);
        let both = keys(&[list(&["a", "b"]), list(&["c", "d"])]);
        assert_eq!(both, ["[a, c]", "[a, d]", "[b, c]", "[b, d]"]);
        assert_eq!(keys(&[list(&[])]), ["[]"]);
        let long: Vec<Value> = (0..40i64).map(Value::from).collect();
        assert_eq!(keys(&[Value::List(long.clone()), Value::List(long)]).len(), 1);
    }

    #[test]
    fn merged_groups_have_the_sum_of_their_states() {
        let count = |groups: &mut Groups<u64>, keys: &[i64]| {
            for key in keys {
                *groups.state(&[Cow::Owned(Value::Int(*key))], || 0) += 1;
            }
        };
        let mut groups = Groups::new();
        let mut other = groups.fork();
        count(&mut groups, &[1, 2]);
        count(&mut other, &[1, 2, 2, 3, 4]);
        groups.merge(other, |own, their| *own += their);
        let mut alone = Groups::new();
        count(&mut alone, &[1, 1, 2, 2, 2, 3, 4]);
        assert_eq!(groups.bytes(), alone.bytes());
        let of = |number: i64, count: u64| (vec![Value::Int(number)], count);
        assert_eq!(groups.greatest(3), [of(2, 3), of(1, 2), of(3, 1)]);
        assert_eq!(alone.sorted(1).collect::<Vec<_>>(), [of(1, 2), of(2, 3), of(3, 1), of(4, 1)]);
    }
}
