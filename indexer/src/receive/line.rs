//! [`Line`]: what one line of JSON says, read in one pass, without a tree and mostly without a copy.
//!
//! Reads only what is usual: objects within objects, single values, and lists of them. Of anything else (objects in lists, great depth,
//! too many names or values) it says so, and the line is read in the slow way.

use std::borrow::Cow;
use std::fmt;

use locard_event::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::members::{Id, LINE, Members};

/// How deep objects and lists are followed here.
const MAX_DEPTH: usize = 16;
/// Most values in a line here.
const MAX_VALUES: usize = 4096;

/// One value that is no object.
#[derive(Debug, Default)]
pub(super) enum Said<'t> {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'t, str>),
    List(Vec<Value>),
}

/// What a line says.
#[derive(Debug, Default)]
pub(super) struct Line<'t> {
    /// The members in the order they stand in, objects before their members.
    pub(super) members: Vec<Place>,
    /// The values of those members that are no objects, in the same order.
    pub(super) said: Vec<Said<'t>>,
    /// As many as the places that the slow way counts.
    pub(super) values: usize,
}

/// A member in a line: its number, and whether it is an object there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

impl Place {
    fn new(id: Id, is_object: bool) -> Self {
        Self(id.0 << 1 | u32::from(is_object))
    }

    pub(super) fn id(self) -> Id {
        Id(self.0 >> 1)
    }

    pub(super) fn is_object(self) -> bool {
        self.0 & 1 == 1
    }
}

impl<'t> Line<'t> {
    /// Reads the object that `text` is in place of what was read before; `None` if it is to be read in the slow way, or is not JSON.
    pub(super) fn read(&mut self, text: &'t str, members: &mut Members<'_>) -> Option<()> {
        self.members.clear();
        self.said.clear();
        self.values = 1;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let node = Node { line: self, members, id: LINE, depth: 0 };
        node.deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()
    }

    /// Counts a container of so many values.
    fn count<E: Error>(&mut self, values: usize) -> Result<(), E> {
        self.values += values.max(1);
        if self.values > MAX_VALUES { Err(E::custom("many values")) } else { Ok(()) }
    }
}

/// The value of the member `id`.
struct Node<'n, 'm, 't> {
    line: &'n mut Line<'t>,
    members: &'n mut Members<'m>,
    id: Id,
    depth: usize,
}

impl<'t> Node<'_, '_, 't> {
    fn say<E: Error>(self, said: Said<'t>) -> Result<(), E> {
        if self.id == LINE {
            return Err(E::custom("no object"));
        }
        self.line.members.push(Place::new(self.id, false));
        self.line.said.push(said);
        Ok(())
    }

    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < MAX_DEPTH { Ok(self.depth + 1) } else { Err(E::custom("great depth")) }
    }
}

impl<'t> DeserializeSeed<'t> for Node<'_, '_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Node<'_, '_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.say(Said::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.say(Said::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.say(Said::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.say(i64::try_from(number).map_or_else(|_| Said::Text(number.to_string().into()), Said::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.say(Said::Float(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'t str) -> Result<(), E> {
        self.say(Said::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.say(Said::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, elements: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let ip = self.members.get(self.id).is_some_and(|member| member.ip);
        let mut list = Vec::new();
        Element { line: self.line, list: &mut list, ip, depth }.visit_seq(elements)?;
        self.say(Said::List(list))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<(), A::Error> {
        let depth = self.deeper()?;
        let Self { line, members, id: parent, .. } = self;
        if parent != LINE {
            line.members.push(Place::new(parent, true));
        }
        let (mut before, mut count) = (None, 0);
        while let Some(id) = object.next_key_seed(Key { members, parent, before })? {
            object.next_value_seed(Node { line, members, id, depth })?;
            before = Some(id);
            count += 1;
        }
        line.count(count)
    }
}

/// The number of a key.
struct Key<'k, 'm> {
    members: &'k mut Members<'m>,
    parent: Id,
    before: Option<Id>,
}

impl<'t> DeserializeSeed<'t> for Key<'_, '_> {
    type Value = Id;

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<Id, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_> {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Id, E> {
        self.members.find(self.parent, self.before, key).ok_or_else(|| E::custom("many names"))
    }
}

/// An element of a list, or of a list within.
struct Element<'e, 't> {
    line: &'e mut Line<'t>,
    list: &'e mut Vec<Value>,
    ip: bool,
    depth: usize,
}

impl Element<'_, '_> {
    fn add<E>(self, value: Value) -> Result<(), E> {
        self.list.push(value);
        Ok(())
    }
}

impl<'t> DeserializeSeed<'t> for Element<'_, 't> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for Element<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that is no object")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.add(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.add(truth.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.add(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.add(i64::try_from(number).map_or_else(|_| Value::str(number.to_string()), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.add(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let value = text_value(text, self.ip);
        self.add(value)
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<(), A::Error> {
        if self.depth >= MAX_DEPTH {
            return Err(A::Error::custom("great depth"));
        }
        let Self { line, list, ip, depth } = self;
        let mut count = 0;
        while elements.next_element_seed(Element { line, list, ip, depth: depth + 1 })?.is_some() {
            count += 1;
            if count > MAX_VALUES {
                break;
            }
        }
        line.count(count)
    }
}

/// A text as the value of a field.
pub(super) fn text_value(text: &str, ip: bool) -> Value {
    if ip { Value::ip_or_str(text) } else { Value::str(text) }
}
