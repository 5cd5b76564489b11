//! YAML text to [`Config`], strictly, with a problem for every key that is wrong and not only for the first.

use yaml_serde::{Mapping, Value};

use super::key::{is_known, nearest};
use super::{Config, Problem};

/// Reads a file's text.
///
/// # Errors
/// Unknown keys, each with the nearest known one, and values that are not what their key takes.
pub fn read(text: &str) -> Result<Config, Vec<Problem>> {
    let value: Value = yaml_serde::from_str(text).map_err(|error| whole(&error))?;
    if value.is_null() {
        return Ok(Config::default());
    }
    let Value::Mapping(top) = value else {
        return Err(vec![Problem::new("", "expected keys and values, such as `listen: 127.0.0.1:7514`")]);
    };
    let mut problems = Vec::new();
    find_unknown(&top, "", &mut problems);
    find_mistyped(&top, &mut Vec::new(), &mut problems);
    if problems.is_empty() {
        return yaml_serde::from_value(Value::Mapping(top)).map_err(|error| whole(&error));
    }
    Err(problems)
}

fn whole(error: &yaml_serde::Error) -> Vec<Problem> {
    vec![Problem::new("", error.to_string())]
}

/// Keys below `collector` are the collector's own; it checks them itself.
fn is_foreign(path: &str) -> bool {
    path == "collector"
}

fn find_unknown(mapping: &Mapping, parent: &str, problems: &mut Vec<Problem>) {
    for (key, value) in mapping {
        let path = join(parent, &key_text(key));
        if !is_known(&path) {
            problems.push(Problem::new(path.clone(), unknown(&path)));
        } else if !is_foreign(&path) {
            find_unknown_below(value, &path, problems);
        }
    }
}

fn find_unknown_below(value: &Value, path: &str, problems: &mut Vec<Problem>) {
    match value {
        Value::Mapping(inner) => find_unknown(inner, path, problems),
        Value::Sequence(elements) => {
            for (index, element) in elements.iter().enumerate() {
                find_unknown_below(element, &format!("{path}[{index}]"), problems);
            }
        }
        _ => {}
    }
}

fn unknown(path: &str) -> String {
    match nearest(path) {
        Some(known) => format!("unknown key, did you mean `{known}`?"),
        None => "unknown key".to_owned(),
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        other => yaml_serde::to_string(other).unwrap_or_default().trim().to_owned(),
    }
}

/// serde stops at the first value it cannot take. So each leaf is tried alone, with everything else at its default.
fn find_mistyped(mapping: &Mapping, parents: &mut Vec<Value>, problems: &mut Vec<Problem>) {
    for (key, value) in mapping {
        parents.push(key.clone());
        let path = parents.iter().map(key_text).collect::<Vec<_>>().join(".");
        match value {
            _ if !is_known(&path) => {}
            Value::Mapping(inner) if !is_foreign(&path) && !inner.is_empty() => {
                find_mistyped(inner, parents, problems);
            }
            leaf => try_alone(leaf, parents, &path, problems),
        }
        parents.pop();
    }
}

fn try_alone(leaf: &Value, path_keys: &[Value], path: &str, problems: &mut Vec<Problem>) {
    let nest = |inner: Value, key: &Value| Value::Mapping(Mapping::from_iter([(key.clone(), inner)]));
    let alone = path_keys.iter().rev().fold(leaf.clone(), nest);
    if let Err(error) = yaml_serde::from_value::<Config>(alone) {
        let message = error.to_string();
        // An unknown key in a list has been reported with its place already.
        if !message.contains("unknown field") {
            problems.push(Problem::new(path, after_path(&message, path)));
        }
    }
}

/// Some errors begin with the path; it is shown once.
fn after_path(message: &str, path: &str) -> String {
    let rest = message.strip_prefix(path).and_then(|rest| rest.strip_prefix(": "));
    rest.unwrap_or(message).to_owned()
}
