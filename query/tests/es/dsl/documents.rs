//! Random documents: keywords of the common schema, texts, numbers, addresses, lists, nulls, and what is not there.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::server::time;

/// Words of texts, without the marks that an analyser leaves inside words.
pub(super) const WORDS: [&str; 14] = [
    "Failed", "password", "for", "root", "from", "port", "22", "chroot", "Größe", "été", "a_b", "ERROR",
    "pass", "x",
];
/// Between two words.
const MARKS: [&str; 5] = [" ", "-", "=", ": ", " (\"'"];
pub(super) const USERS: [&str; 6] = ["root", "Root", "root-2", "alice smith", "*", "a?b\\c"];
pub(super) const IPS: [&str; 5] = ["10.0.0.1", "10.0.0.2", "10.1.0.1", "203.0.113.77", "2001:db8::1"];
pub(super) const NUMBERS: [f64; 7] = [0.0, 1.0, 2.0, 2.5, -3.0, 500.0, 404.0];

pub(super) fn prose() -> impl Strategy<Value = String> + Clone {
    prop::collection::vec((select(&WORDS[..]), select(&MARKS[..])), 1..7)
        .prop_map(|words| words.into_iter().map(|(word, mark)| format!("{word}{mark}")).collect())
}

fn optional(values: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Value::Null)),
        1 => Just(Some(json!([]))),
        5 => values.clone().prop_map(Some),
        1 => prop::collection::vec(values, 1..3).prop_map(|values| Some(Value::Array(values))),
    ]
}

fn number() -> impl Strategy<Value = Value> + Clone {
    select(&NUMBERS[..])
        .prop_map(|number| if number.fract() == 0.0 { json!(number as i64) } else { json!(number) })
}

/// Without its name.
pub(super) fn document() -> impl Strategy<Value = Value> {
    let user = optional(select(&USERS[..]).prop_map(Value::from));
    let ip = optional(select(&IPS[..]).prop_map(Value::from));
    let kind = optional(select(&["PushEvent", "push event", "Fork", "pushed-x"][..]).prop_map(Value::from));
    let tags = optional(prose().prop_map(|text| Value::from(text.trim().to_owned())));
    (0..100_000i64, prose(), user, ip, kind, tags, optional(number()), any::<Option<bool>>()).prop_map(
        |(at, message, user, ip, kind, tags, n, ok)| {
            let mut document = json!({"time": time(at), "message": message});
            let values = [
                ("user.name", user),
                ("source.ip", ip),
                ("kind", kind),
                ("tags", tags),
                ("n", n),
                ("ok", ok.map(Value::from)),
            ];
            for (name, value) in values {
                if let Some(value) = value {
                    document[name] = value;
                }
            }
            document
        },
    )
}

/// The values of a field, without nulls. The members of documents here are flat.
pub(super) fn values<'a>(document: &'a Value, field: &str) -> Vec<&'a Value> {
    let field = field.strip_suffix(".keyword").unwrap_or(field);
    match &document[if field == "@timestamp" { "time" } else { field }] {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().filter(|value| !value.is_null()).collect(),
        value => vec![value],
    }
}
