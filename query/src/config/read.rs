//! YAML text to [`Config`], strictly, with a problem for every key that is wrong and not only for the first.

use yaml_serde::{Mapping, Value};

use super::key::{is_known, nearest};
use super::{Config, Problem, Settings, TokenEntry};

/// Reads a file's text, lets `flags` win over it, and says what it means.
///
/// # Errors
/// Everything that is wrong: unknown keys, each with the nearest known one, values that are not what their key takes, and what the
/// others mean where that makes no sense.
pub fn read(text: &str, flags: impl FnOnce(&mut Config)) -> Result<(Config, Settings), Vec<Problem>> {
    let (mut config, mut problems) = read_keys(text)?;
    flags(&mut config);
    match Settings::resolve(&config) {
        Ok(settings) if problems.is_empty() => Ok((config, settings)),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    }
}

/// What can be read, and what cannot; an error if nothing can.
fn read_keys(text: &str) -> Result<(Config, Vec<Problem>), Vec<Problem>> {
    let value: Value = yaml_serde::from_str(text).map_err(|error| whole(&error))?;
    if value.is_null() {
        return Ok((Config::default(), Vec::new()));
    }
    let Value::Mapping(top) = value else {
        return Err(vec![Problem::new("", "expected keys and values, such as `listen: 127.0.0.1:7514`")]);
    };
    let mut problems = Vec::new();
    find_unknown(&top, "", &mut problems);
    find_mistyped(&top, &mut Vec::new(), &mut problems);
    let mut rest = Value::Mapping(top);
    for problem in &problems {
        remove(&mut rest, &problem.key);
    }
    match yaml_serde::from_value(rest) {
        Ok(mut config) => {
            stand_in(&mut config, &problems);
            Ok((config, problems))
        }
        Err(error) if problems.is_empty() => Err(whole(&error)),
        Err(_) => Err(problems),
    }
}

/// Takes the key at a path such as `auth.tokens[0].nmae` out, so that the others can be read.
fn remove(value: &mut Value, path: &str) {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (name, indices) = first.split_once('[').unwrap_or((first, ""));
    let Value::Mapping(mapping) = value else { return };
    let Some(rest) = rest else {
        mapping.shift_remove(name);
        return;
    };
    let indices = indices.split('[').filter_map(|index| index.trim_end_matches(']').parse::<usize>().ok());
    let inner = indices.fold(mapping.get_mut(name), |inner, index| inner?.get_mut(index));
    if let Some(inner) = inner {
        remove(inner, rest);
    }
}

/// Tokens that cannot be read are there all the same: nobody is told to add some.
fn stand_in(config: &mut Config, problems: &[Problem]) {
    if problems.iter().any(|problem| matches!(problem.key.as_str(), "auth" | "auth.tokens")) {
        let (name, sha256) = ("unread".to_owned(), "0".repeat(64));
        config.auth.tokens =
            vec![TokenEntry { name, sha256, permissions: vec!["read".to_owned()], ..TokenEntry::default() }];
    }
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
