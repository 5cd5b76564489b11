//! A line's JSON as a tree that forgets nothing: what a member says that is said again later is kept apart.
//!
//! `serde_json`'s own tree keeps the last of several members of one name and drops the others. Here the last one counts too,
//! for it may be the time or the message, and the others are handed out with their paths.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Longer paths are not kept: a path is as long as its keys, and every repeated member has one.
const MAX_PATH_BYTES: usize = 1024;

/// What members that were said again said before, by their dotted paths.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    pub(super) values: BTreeMap<String, Vec<Value>>,
    /// Those beyond `max_paths`, or whose path is too long.
    pub(super) left_out: usize,
}

/// Reads the one value that `text` is.
pub(super) fn read(text: &str, max_paths: usize) -> Result<(Value, Repeated), serde_json::Error> {
    let mut repeated = Repeated::default();
    let mut path = String::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Node { path: &mut path, repeated: &mut repeated, max_paths };
    let value = node.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok((value, repeated))
}

/// The value at the current path.
struct Node<'a> {
    path: &'a mut String,
    repeated: &'a mut Repeated,
    max_paths: usize,
}

impl Node<'_> {
    fn inner(&mut self) -> Node<'_> {
        Node { path: self.path, repeated: self.repeated, max_paths: self.max_paths }
    }

    fn keep(&mut self, value: Value) {
        let Repeated { values, left_out } = self.repeated;
        if let Some(before) = values.get_mut(self.path.as_str()) {
            before.push(value);
        } else if values.len() < self.max_paths && self.path.len() <= MAX_PATH_BYTES {
            values.insert(self.path.clone(), vec![value]);
        } else {
            *left_out += 1;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(self.inner())? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        let parent = self.path.len();
        while let Some(key) = members.next_key::<String>()? {
            if parent > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            let value = members.next_value_seed(self.inner())?;
            if let Some(before) = object.insert(key, value) {
                self.keep(before);
            }
            self.path.truncate(parent);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, value: &str, repeated: &str, left_out: usize) {
        let (found, again) = read(text, 2).unwrap();
        assert_eq!(found.to_string(), value);
        assert_eq!(serde_json::to_string(&again.values).unwrap(), repeated);
        assert_eq!(again.left_out, left_out);
    }

    #[test]
    fn the_last_counts_and_the_others_are_kept() {
        check(
            r#"{"a":1,"b":[true,null,-2.5,{"c":"x"}]}"#,
            r#"{"a":1,"b":[true,null,-2.5,{"c":"x"}]}"#,
            "{}",
            0,
        );
        check(r#"{"a":1,"a":"x","a":[]}"#, r#"{"a":[]}"#, r#"{"a":[1,"x"]}"#, 0);
        check(r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":[{"b":2}]}"#, r#"{"a.b":[1]}"#, 0);
        check(
            r#"{"a":1,"a":2,"b":1,"b":2,"c":1,"c":2}"#,
            r#"{"a":2,"b":2,"c":2}"#,
            r#"{"a":[1],"b":[1]}"#,
            1,
        );
        assert!(read("{} {}", 2).is_err());
    }
}
