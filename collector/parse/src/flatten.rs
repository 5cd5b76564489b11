//! JSON objects to flat dotted fields.
//!
//! One visitor serves text and parsed values alike, so that a JSON line becomes fields without a tree in between. Names are taken
//! as they come: what a key means is not known here, except that the fields which ECS types as `ip` hold addresses.

use std::fmt;

use locard_event::{Fields, Value};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

/// How deep objects and arrays are followed; what lies deeper is kept as one field of JSON text.
pub const MAX_DEPTH: usize = 64;
/// Longest name of a field, in bytes. A member with a longer path is left out.
pub const MAX_NAME_BYTES: usize = 1 << 10;
/// What all names of one object's fields may take together, in bytes: a long name above a thousand members is said once but kept
/// with each of them. Members that would go beyond are left out.
pub const MAX_NAMES_BYTES: usize = 128 << 10;

/// Adds the members of `object` to `fields` under dotted names, nested objects as longer paths, arrays as lists (arrays of objects:
/// one list per path). `null` is kept; an object without members leaves nothing. Integers beyond `i64` become text. Members nested
/// deeper than [`MAX_DEPTH`] are kept as JSON text. Returns how many members were left out because `max_fields`, [`MAX_NAME_BYTES`]
/// or [`MAX_NAMES_BYTES`] was reached.
pub fn flatten(object: Map<String, Json>, fields: &mut Fields, max_fields: usize) -> usize {
    flatten_value("", Json::Object(object), fields, max_fields)
}

/// As [`flatten`] for any value, under `name`, which is a path of its own or, for an object, the beginning of its members' paths.
pub fn flatten_value(name: &str, value: Json, fields: &mut Fields, max_fields: usize) -> usize {
    let mut flattener = Flattener::new(name, fields, max_fields);
    // A parsed value has no syntax left that could be wrong.
    Node(&mut flattener).deserialize(value).unwrap_or_default();
    flattener.left_out
}

/// As [`flatten`] for the text of one object, which must fill `text`. On error some members may have been added.
pub(crate) fn flatten_text(
    name: &str,
    text: &str,
    fields: &mut Fields,
    max_fields: usize,
) -> Result<usize, serde_json::Error> {
    let mut flattener = Flattener::new(name, fields, max_fields);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Node(&mut flattener).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(flattener.left_out)
}

/// Whether ECS types the field `name` as an address.
pub fn is_ip_field(name: &str) -> bool {
    name.ends_with(".ip") || matches!(name, "dns.resolved_ip" | "network.forwarded_ip")
}

/// As [`flatten_text`] for an object of which the members `last` get only the room that the others leave, wherever they stand.
pub(crate) fn flatten_text_last(
    name: &str,
    last: &[&str],
    text: &str,
    fields: &mut Fields,
    max_fields: usize,
) -> Result<usize, serde_json::Error> {
    let mut left_out = 0;
    for of_last in [false, true] {
        let mut flattener = Flattener::new(name, fields, max_fields);
        flattener.only = Some(Only { last, of_last });
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Node(&mut flattener).deserialize(&mut deserializer)?;
        deserializer.end()?;
        left_out += flattener.left_out;
        if !flattener.skipped {
            break;
        }
    }
    Ok(left_out)
}

/// Some of the outermost object's members.
#[derive(Clone, Copy)]
struct Only<'l> {
    last: &'l [&'l str],
    /// Those that are named, or the others.
    of_last: bool,
}

impl Only<'_> {
    fn skips(&self, member: &str) -> bool {
        self.last.contains(&member) != self.of_last
    }
}

struct Flattener<'f> {
    path: String,
    fields: &'f mut Fields,
    max_fields: usize,
    /// What the names of new fields may still take; not known before the first.
    names_left: Option<usize>,
    left_out: usize,
    only: Option<Only<'f>>,
    /// There were members that `only` does not name.
    skipped: bool,
    depth: usize,
    /// Within an array: what is found belongs to lists.
    in_array: bool,
}

impl<'f> Flattener<'f> {
    fn new(name: &str, fields: &'f mut Fields, max_fields: usize) -> Self {
        Self {
            path: name.to_owned(),
            fields,
            max_fields,
            names_left: None,
            left_out: 0,
            only: None,
            skipped: false,
            depth: 0,
            in_array: false,
        }
    }

    fn put(&mut self, value: Value) {
        if self.fits() {
            add(self.fields, &self.path, value);
        } else {
            self.left_out += 1;
        }
    }

    /// Whether there is a field for the path, or room for one.
    fn fits(&mut self) -> bool {
        if self.path.len() > MAX_NAME_BYTES {
            return false;
        }
        if self.fields.get(&self.path).is_some() {
            return true;
        }
        let left = self.names_left().checked_sub(self.path.len());
        let fits = self.fields.len() < self.max_fields && left.is_some();
        if fits {
            self.names_left = left;
        }
        fits
    }

    fn names_left(&mut self) -> usize {
        let fields = &self.fields;
        *self.names_left.get_or_insert_with(|| {
            MAX_NAMES_BYTES.saturating_sub(fields.iter().map(|(name, _)| name.len()).sum())
        })
    }

    fn put_str(&mut self, text: &str) {
        let value = if is_ip_field(&self.path) { Value::ip_or_str(text) } else { Value::str(text) };
        self.put(value);
    }

    fn object<'de, A: MapAccess<'de>>(&mut self, mut members: A) -> Result<(), A::Error> {
        let parent = self.path.len();
        loop {
            if parent > 0 {
                self.path.push('.');
            }
            if members.next_key_seed(Key(&mut self.path))?.is_none() {
                self.path.truncate(parent);
                return Ok(());
            }
            if self.skips(parent) {
                members.next_value::<IgnoredAny>()?;
                self.skipped = true;
            } else {
                members.next_value_seed(Node(self))?;
            }
            self.path.truncate(parent);
        }
    }

    /// Whether the member at the path, of the object at `parent` bytes of it, is not for this time.
    fn skips(&self, parent: usize) -> bool {
        let member = |only: &Only<'_>| only.skips(self.path.get(parent + 1..).unwrap_or_default());
        self.depth == 1 && self.only.as_ref().is_some_and(member)
    }

    /// Gathers the elements' values per path, then sets each path to its list.
    fn array<'de, A: SeqAccess<'de>>(&mut self, mut elements: A) -> Result<(), A::Error> {
        if self.in_array {
            while elements.next_element_seed(Node(self))?.is_some() {}
            return Ok(());
        }
        let mut lists = Fields::new();
        let names_left = Some(self.names_left());
        let mut inner = Flattener {
            path: std::mem::take(&mut self.path),
            fields: &mut lists,
            max_fields: self.max_fields.saturating_sub(self.fields.len()),
            names_left,
            left_out: 0,
            only: None,
            skipped: false,
            depth: self.depth,
            in_array: true,
        };
        while elements.next_element_seed(Node(&mut inner))?.is_some() {}
        let left_out = inner.left_out;
        self.names_left = inner.names_left;
        self.path = inner.path;
        self.left_out += left_out;
        // An array whose elements were all left out is not an empty one.
        if lists.is_empty() && left_out == 0 {
            self.put(Value::List(Vec::new()));
        }
        self.put_lists(lists);
        Ok(())
    }

    fn put_lists(&mut self, lists: Fields) {
        for (name, value) in lists {
            let list = match value {
                Value::List(values) => values,
                single => vec![single],
            };
            add(self.fields, &name, Value::List(list));
        }
    }
}

/// Members that meet at one path, as `"a.b"` and `"a":{"b":…}` do, or a key said twice, make one list in the order they stand in.
fn add(fields: &mut Fields, name: &str, value: Value) {
    match value {
        Value::List(values) if fields.get(name).is_some() => {
            values.into_iter().for_each(|value| fields.append(name, value));
        }
        value => fields.append(name, value),
    }
}

/// Appends an object's key to the path.
struct Key<'p>(&'p mut String);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        self.0.push_str(key);
        Ok(())
    }
}

/// The value at the current path.
struct Node<'n, 'f>(&'n mut Flattener<'f>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.put(Value::Null);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.0.put(Value::Bool(truth));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.put(Value::Int(number));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.put(i64::try_from(number).map_or_else(|_| Value::str(number.to_string()), Value::Int));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.put(Value::Float(number));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.put_str(text);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        if self.0.depth == MAX_DEPTH {
            let deep = Json::deserialize(MapAccessDeserializer::new(members))?;
            self.0.put(Value::str(deep.to_string()));
            return Ok(());
        }
        self.0.depth += 1;
        let result = self.0.object(members);
        self.0.depth -= 1;
        result
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        if self.0.depth == MAX_DEPTH {
            let deep = Json::deserialize(SeqAccessDeserializer::new(elements))?;
            self.0.put(Value::str(deep.to_string()));
            return Ok(());
        }
        self.0.depth += 1;
        let result = self.0.array(elements);
        self.0.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flattens both ways, which must agree; gives `name=value` lines.
    #[track_caller]
    fn check(json: &str, max_fields: usize, expected: &[&str], left_out: usize) {
        let (mut parsed, mut read) = (Fields::new(), Fields::new());
        let object: Map<String, Json> = serde_json::from_str(json).unwrap();
        assert_eq!(flatten(object, &mut parsed, max_fields), left_out);
        assert_eq!(flatten_text("", json, &mut read, max_fields).unwrap(), left_out);
        if left_out == 0 {
            assert_eq!(parsed, read);
        }
        let shown: Vec<_> = read.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn objects_become_paths_and_arrays_lists() {
        check(
            r#"{"a":{"b":1,"c":null},"d":[1,"x",[true,2.5]],"e":[{"k":1,"v":{"w":"x"}},{"k":2},3],"f":[],"g":{},"h":["one"]}"#,
            100,
            &[
                "a.b=Int(1)",
                "a.c=Null",
                "d=List([Int(1), Str(\"x\"), Bool(true), Float(2.5)])",
                "e=List([Int(3)])",
                "e.k=List([Int(1), Int(2)])",
                "e.v.w=List([Str(\"x\")])",
                "f=List([])",
                "h=List([Str(\"one\")])",
            ],
            0,
        );
    }

    #[test]
    fn numbers_and_addresses_keep_their_kind() {
        check(
            r#"{"big":18446744073709551615,"neg":-9223372036854775808,"ip":"10.0.0.1","source":{"ip":"10.0.0.1"},"host":{"ip":["::1","x"]}}"#,
            100,
            &[
                "big=Str(\"18446744073709551615\")",
                "host.ip=List([Ip(::1), Str(\"x\")])",
                "ip=Str(\"10.0.0.1\")",
                "neg=Int(-9223372036854775808)",
                "source.ip=Ip(10.0.0.1)",
            ],
            0,
        );
    }

    #[test]
    fn members_that_meet_make_a_list() {
        check(r#"{"a":{"b":1},"a.b":2}"#, 100, &["a.b=List([Int(1), Int(2)])"], 0);
        check(r#"{"a":[{"b":1}],"a.b":[2,3]}"#, 100, &["a.b=List([Int(1), Int(2), Int(3)])"], 0);
        let json = r#"{"a":1,"a":[2],"b":{"c":1},"b":{"c":3,"d":4}}"#;
        let mut fields = Fields::new();
        assert_eq!(flatten_text("", json, &mut fields, 100).unwrap(), 0);
        let list = |one, two| Value::List(vec![Value::Int(one), Value::Int(two)]);
        let expected = [("a", list(1, 2)), ("b.c", list(1, 3)), ("b.d", Value::Int(4))];
        assert_eq!(fields, expected.into_iter().collect());
    }

    #[test]
    fn what_is_too_much_is_counted() {
        check(r#"{"a":1,"b":[{"x":1,"y":2}],"c":3,"d":4}"#, 2, &["a=Int(1)", "b.x=List([Int(1)])"], 3);
    }

    #[test]
    fn a_long_name_above_many_members_is_not_multiplied() {
        let members: Vec<_> = (0..1_000).map(|n| format!("\"a{n}\":1")).collect();
        for (name_bytes, kept) in [(1_000_000, 0), (MAX_NAME_BYTES, 0), (1_000, 130), (500, 259), (10, 1_000)]
        {
            let json = format!(r#"{{"{}":{{{}}}}}"#, "k".repeat(name_bytes), members.join(","));
            for json in [json.clone(), format!(r#"{{"x":[{json}]}}"#)] {
                let mut fields = Fields::new();
                let left_out = flatten_text("", &json, &mut fields, 1_000).unwrap();
                assert!(fields.iter().map(|(name, _)| name.len()).sum::<usize>() <= MAX_NAMES_BYTES);
                assert_eq!(fields.len() + left_out, 1_000);
                assert!(fields.len().abs_diff(kept) <= 2, "{name_bytes}: {}", fields.len());
            }
        }
    }

    #[test]
    fn what_is_too_deep_is_kept_as_text() {
        let json = format!("{}1{}", r#"{"a":"#.repeat(70), "}".repeat(70));
        let mut fields = Fields::new();
        assert_eq!(flatten_text("", &json, &mut fields, 10).unwrap(), 0);
        let (name, value) = fields.iter().next().unwrap();
        assert_eq!(name.matches('a').count(), MAX_DEPTH);
        assert_eq!(value.text(), r#"{"a":"#.repeat(6) + "1" + &"}".repeat(6));
        let deeper = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(flatten_text("", &deeper, &mut fields, 10).is_err());
    }

    #[test]
    fn an_array_of_many_values_is_not_quadratic() {
        let json = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(200_000));
        let mut fields = Fields::new();
        assert_eq!(flatten_text("", &json, &mut fields, 10).unwrap(), 0);
        assert_eq!(fields.get("a").unwrap().elements().len(), 200_001);
    }
}
