//! Changing JSON as a tree: members renamed, dropped and exchanged for parts of other inputs, nested deeper. What is no JSON is left alone.

use serde_json::{Map, Value, json};

use crate::random::Random;

const MAX_NODES: usize = 20_000;

/// Parts of inputs.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    values: Vec<Value>,
    names: Vec<String>,
}

impl Nodes {
    /// Takes in the parts of an input, if it is JSON.
    pub(crate) fn add(&mut self, input: &[u8]) {
        let Some(tree) = tree(input) else { return };
        self.take(&tree.1);
    }

    fn take(&mut self, value: &Value) {
        if self.values.len() >= MAX_NODES {
            return;
        }
        self.values.push(value.clone());
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if !self.names.contains(name) {
                        self.names.push(name.clone());
                    }
                    self.take(member);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.take(element)),
            _ => {}
        }
    }

    /// The input with one node changed; nothing if it is no JSON.
    pub(crate) fn change(&self, input: &[u8], random: &mut Random) -> Option<Vec<u8>> {
        let (head, mut tree) = tree(input)?;
        let mut at = random.below(count(&tree));
        self.change_at(&mut tree, &mut at, random);
        Some([head, tree.to_string().as_bytes()].concat())
    }

    /// Goes down to the node of this number.
    fn change_at(&self, value: &mut Value, at: &mut usize, random: &mut Random) -> bool {
        if *at == 0 {
            self.change_node(value, random);
            return true;
        }
        *at -= 1;
        match value {
            Value::Object(members) => members.values_mut().any(|member| self.change_at(member, at, random)),
            Value::Array(elements) => elements.iter_mut().any(|element| self.change_at(element, at, random)),
            _ => false,
        }
    }

    fn change_node(&self, value: &mut Value, random: &mut Random) {
        match (random.below(4), &mut *value) {
            (0 | 1, Value::Object(members)) => self.change_members(members, random),
            (0 | 1, Value::Array(elements)) => match random.pick(&self.values) {
                Some(other) if random.one_in(2) => elements.push(other.clone()),
                _ => drop(elements.pop()),
            },
            (2, _) => *value = wrap(value.take(), random),
            (3, _) if random.one_in(2) => *value = edge(random),
            _ => *value = random.pick(&self.values).cloned().unwrap_or_default(),
        }
    }

    fn change_members(&self, members: &mut Map<String, Value>, random: &mut Random) {
        let names: Vec<String> = members.keys().cloned().collect();
        let name = random.pick(&names).cloned().unwrap_or_default();
        let other = random.pick(&self.names).cloned().unwrap_or_default();
        match random.below(4) {
            0 => drop(members.remove(&name)),
            1 => {
                let member = members.remove(&name).unwrap_or_default();
                members.insert(other, member);
            }
            _ => {
                let member = random.pick(&self.values).cloned().unwrap_or_default();
                members.insert(if random.one_in(2) { name } else { other }, member);
            }
        }
    }
}

/// The JSON of an input, and the line before it, if there is one.
fn tree(input: &[u8]) -> Option<(&[u8], Value)> {
    let start = input.iter().position(|byte| b"{[".contains(byte))?;
    let (head, body) = input.split_at(start);
    Some((head, serde_json::from_slice(body).ok()?))
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        Value::Array(elements) => 1 + elements.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

fn wrap(value: Value, random: &mut Random) -> Value {
    let deep = if random.one_in(8) { 1 + random.below(90) } else { 1 };
    let how = random.below(5);
    (0..deep).fold(value, |value, _| match how {
        0 => json!([value]),
        1 => json!({"bool": {"must_not": value}}),
        2 => json!({"bool": {"should": [value], "minimum_should_match": 1}}),
        3 => json!({"query": value}),
        _ => json!({"constant_score": {"filter": value}}),
    })
}

fn edge(random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(i64::MAX),
        4 => json!(u64::MAX),
        5 => json!(1e300),
        6 => json!(0),
        7 => json!(""),
        8 => json!("*"),
        9 => json!([]),
        10 => json!({}),
        _ => json!("a".repeat(random.below(3_000))),
    }
}
