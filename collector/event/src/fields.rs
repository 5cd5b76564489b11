//! [`Fields`]: the named values of one event.

use crate::Value;

/// Named values in name order, each name once. Names are flat dotted paths: `user` and `user.name` may both exist.
///
/// A sorted vector: events have a few dozen fields, and equal fields must compare and encode equally
/// whatever order they came in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields(Vec<(Box<str>, Value)>);

impl Fields {
    /// No fields.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().and_then(|index| self.0.get(index)).map(|(_, value)| value)
    }

    /// Sets `name`, replacing what was there.
    pub fn set(&mut self, name: impl Into<Box<str>>, value: impl Into<Value>) {
        let name = name.into();
        let value = value.into();
        match self.position(&name) {
            Ok(index) => {
                if let Some(slot) = self.0.get_mut(index) {
                    slot.1 = value;
                }
            }
            Err(index) => self.0.insert(index, (name, value)),
        }
    }

    /// Sets `name` unless it is there already.
    pub fn set_default(&mut self, name: &str, value: impl Into<Value>) {
        if let Err(index) = self.position(name) {
            self.0.insert(index, (name.into(), value.into()));
        }
    }

    /// Adds a value to `name`, making a list of it when a value is there already.
    pub fn append(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.position(name) {
            Err(index) => self.0.insert(index, (name.into(), value)),
            Ok(index) => {
                let Some((_, slot)) = self.0.get_mut(index) else { return };
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
        self.position(name).ok().map(|index| self.0.remove(index).1)
    }

    /// Names and values in name order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    /// How many names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An upper estimate of the memory held, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| size_of::<(Box<str>, Value)>() + name.len() + value.heap_bytes())
            .sum()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(name))
    }
}

/// A later pair of the same name replaces an earlier one.
impl<N: Into<Box<str>>, V: Into<Value>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.set(name, value);
        }
        fields
    }
}

impl IntoIterator for Fields {
    type Item = (Box<str>, Value);
    type IntoIter = std::vec::IntoIter<(Box<str>, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
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
}
