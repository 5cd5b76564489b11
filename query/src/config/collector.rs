//! The `collector` key: what `locard up` collects on this machine, in the words of the collector's own file.

use std::path::Path;

use yaml_serde::{Mapping, Value};

use super::Problem;

/// Keys that `locard up` sets itself.
const OWN: [&str; 2] = ["indexer", "state"];

/// Reads and checks it. Nothing: collecting is switched off.
pub(super) fn read(mapping: &Mapping, problems: &mut Vec<Problem>) -> Option<Mapping> {
    let mut rest = mapping.clone();
    let enabled = match rest.shift_remove("enabled") {
        None => true,
        Some(Value::Bool(enabled)) => enabled,
        Some(_) => {
            problems.push(Problem::new("collector.enabled", "expected true or false"));
            false
        }
    };
    for key in OWN {
        if rest.contains_key(key) {
            problems.push(Problem::new(format!("collector.{key}"), "`locard up` sets this itself"));
        }
    }
    if !rest.contains_key("sources") {
        rest.insert("sources".into(), default_sources());
    }
    check(&rest, problems);
    enabled.then_some(rest)
}

/// The collector knows its keys best.
fn check(mapping: &Mapping, problems: &mut Vec<Problem>) {
    let mut whole = mapping.clone();
    for key in OWN {
        let value = if key == "indexer" { "http://127.0.0.1:7514" } else { "/" };
        whole.insert(key.into(), value.into());
    }
    let parsed = yaml_serde::to_string(&whole).map_err(|error| vec![error.to_string()]).and_then(|text| {
        locard_collector::Settings::parse(&text).map_err(|locard_collector::SettingsError(problems)| problems)
    });
    problems.extend(parsed.err().into_iter().flatten().map(|problem| Problem::new("collector", problem)));
}

/// What a machine usually has, as far as it is there.
fn default_sources() -> Value {
    let mut sources = Vec::new();
    if Path::new("/var/log/pods").is_dir() {
        sources.push(source("containers", None));
    }
    let paths = ["/var/log/*.log", "/var/log/syslog", "/var/log/messages", "/var/log/secure"];
    sources.push(source("file", Some(("paths", paths.into_iter().map(Value::from).collect()))));
    if has_journal() {
        sources.push(source("journald", None));
    }
    Value::Sequence(sources)
}

fn source(kind: &str, member: Option<(&str, Value)>) -> Value {
    let mut source = Mapping::from_iter([(Value::from("type"), Value::from(kind))]);
    source.extend(member.map(|(key, value)| (Value::from(key), value)));
    Value::Mapping(source)
}

/// A journal that this process may read, and the program to read it.
fn has_journal() -> bool {
    let program = ["/usr/bin/journalctl", "/bin/journalctl"].iter().any(|path| Path::new(path).exists());
    program && ["/var/log/journal", "/run/log/journal"].iter().any(|path| std::fs::read_dir(path).is_ok())
}
