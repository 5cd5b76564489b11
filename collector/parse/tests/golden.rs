//! Golden pairs: `tests/golden/<format>/<name>.txt` holds lines, `<name>.json` what they become. `UPDATE=1` rewrites the latter.
//!
//! The first line of a `.txt` says where its lines come from: `#! dataset=syslog`, and optionally `process.name=sshd`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::let_underscore_must_use,
    reason = "a test states data and may panic"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use locard_event::Fields;
use serde_json::{Value as Json, json};

const RECEIVED: &str = "2026-04-01T00:00:00Z";

#[test]
fn lines_become_the_expected_fields() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    let inputs = inputs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"));
    assert!(inputs.len() >= 15, "one folder a format");
    for input in inputs {
        let actual = format!("{:#}\n", run(&fs::read_to_string(&input).unwrap()));
        let golden = input.with_extension("json");
        if update {
            fs::write(&golden, &actual).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != actual {
            wrong.push(format!("{}:\n{actual}", golden.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE=1 accepts these:\n{}", wrong.join("\n"));
}

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .flat_map(|format| fs::read_dir(format.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    found.sort();
    found
}

fn run(input: &str) -> Json {
    let (head, lines) = input.split_once('\n').unwrap();
    let mut dataset = "";
    let mut fields = Fields::new();
    for pair in head.strip_prefix("#! ").expect("a line that begins with #!").split(' ') {
        match pair.split_once('=').unwrap() {
            ("dataset", value) => dataset = value,
            (name, value) => fields.set(name, value),
        }
    }
    lines.lines().map(|line| show(dataset, &fields, line)).collect()
}

fn show(dataset: &str, fields: &Fields, line: &str) -> Json {
    let received = common::time(RECEIVED);
    let event = common::event(dataset, fields.clone(), line.as_bytes(), received, false);
    let time = if event.time == received { "received".to_owned() } else { event.time.to_string() };
    json!({"line": line, "time": time, "fields": common::fields_json(&event.fields)})
}
