//! [`Fields`]: the named values of one event.

use crate::shape::Names;
use crate::{Name, Shape, Value};

/// Named values in name order, each name once. Names are flat dotted paths: `user` and `user.name` may both exist.
///
/// Two sorted rows, names and values: events have a few dozen fields, and equal fields must compare and encode equally whatever
/// order they came in. The row of names is shared with other events of the same [`Shape`] until this one gets or loses a field.
#[derive(Clone, Debug)]
pub struct Fields {
    names: Names,
    /// As many as names.
    values: Vec<Value>,
}

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self { names: Names::Own(Vec::new()), values: Vec::new() }
    }

    /// Fields with the names of `shape` and as many values in the same order. A missing value is null, a surplus one is dropped.
    pub fn of(shape: &Shape, mut values: Vec<Value>) -> Self {
        values.resize(shape.names().len(), Value::Null);
        Self { names: Names::Shared(shape.clone()), values }
    }

    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().and_then(|index| self.values.get(index))
    }

    /// Sets `name`, replacing what was there.
    pub fn set(&mut self, name: impl Into<Name> + AsRef<str>, value: impl Into<Value>) {
        let value = value.into();
        match self.position(name.as_ref()) {
            Ok(index) => {
                if let Some(slot) = self.values.get_mut(index) {
                    *slot = value;
                }
            }
            Err(index) => self.insert(index, name, value),
        }
    }

    /// Sets `name` unless it is there already.
    pub fn set_default(&mut self, name: &str, value: impl Into<Value>) {
        if let Err(index) = self.position(name) {
            self.insert(index, name, value.into());
        }
    }

    /// Adds a value to `name`, making a list of it when a value is there already.
    pub fn append(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.position(name) {
            Err(index) => self.insert(index, name, value),
            Ok(index) => {
                let Some(slot) = self.values.get_mut(index) else { return };
                match slot {
                    Value::List(values) => values.push(value),
                    single => {
                        let first = std::mem::replace(single, Value::Null);
                        *single = Value::List(vec![first, value]);
                    }
                }
            }
        }
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let index = self.position(name).ok()?;
        self.names.change(|names| names.remove(index));
        Some(self.values.remove(index))
    }

    /// Names and values in name order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.names.as_slice().iter().map(|name| &**name).zip(&self.values)
    }

    /// The values in the order of their names.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The shape whose row of names this event shares.
    pub fn shape(&self) -> Option<&Shape> {
        match &self.names {
            Names::Own(_) => None,
            Names::Shared(shape) => Some(shape),
        }
    }

    /// How many names.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// An upper estimate of the memory held, in bytes, the texts of a shape's names aside.
    pub fn heap_bytes(&self) -> usize {
        let values: usize = self.values.iter().map(|value| size_of::<Value>() + value.heap_bytes()).sum();
        self.names.heap_bytes() + values
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.names.as_slice().binary_search_by(|other| (**other).cmp(name))
    }

    fn insert(&mut self, index: usize, name: impl Into<Name>, value: Value) {
        self.names.change(|names| names.insert(index, name.into()));
        self.values.insert(index, value);
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.names.as_slice() == other.names.as_slice() && self.values == other.values
    }
}

/// A later pair of the same name replaces an earlier one.
impl<N: Into<Name> + AsRef<str>, V: Into<Value>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.set(name, value);
        }
        fields
    }
}

impl IntoIterator for Fields {
    type Item = (Name, Value);
    type IntoIter = std::iter::Zip<std::vec::IntoIter<Name>, std::vec::IntoIter<Value>>;

    fn into_iter(self) -> Self::IntoIter {
        self.names.into_vec().into_iter().zip(self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_arrival_does_not_matter() {
        let one: Fields = [("b", 2i64), ("a", 1)].into_iter().collect();
        let two: Fields = [("a", 1i64), ("b", 2)].into_iter().collect();
        assert_eq!(one, two);
        assert_eq!(one.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn append_makes_a_list_and_set_replaces_it() {
        let mut fields = Fields::new();
        fields.append("process.args", "ls");
        fields.append("process.args", "-l");
        assert_eq!(fields.get("process.args"), Some(&Value::List(vec!["ls".into(), "-l".into()])));
        fields.set("process.args", "none");
        assert_eq!(fields.get("process.args"), Some(&"none".into()));
        assert_eq!(fields.remove("process.args"), Some("none".into()));
        assert!(fields.is_empty());
    }

    #[test]
    fn one_event_of_a_shape_changes_without_the_others() {
        let shape = Shape::new(["b", "a", "b"].map(Name::from));
        let other = Fields::of(&shape, vec![Value::Int(1), Value::Int(2)]);
        let mut fields = other.clone();
        assert_eq!(fields, [("a", 1i64), ("b", 2)].into_iter().collect());
        assert_eq!(fields.shape().map(Shape::id), Some(shape.id()));
        fields.set("a", 3i64);
        fields.set("c", 4i64);
        assert!(fields.shape().is_none());
        assert_eq!(fields.remove("b"), Some(Value::Int(2)));
        assert_eq!(fields, [("a", 3i64), ("c", 4)].into_iter().collect());
        assert_eq!(other.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(
            Fields::of(&shape, vec![]),
            [("a", Value::Null), ("b", Value::Null)].into_iter().collect()
        );
    }
}
