//! `docs/fields.md` and the readers name the same actions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test states data and may panic"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn every_action_is_documented_and_shown() {
    let page = fs::read_to_string(Path::new(CRATE).join("../../docs/fields.md")).unwrap();
    let (_, table) = page.split_once("## Actions").expect("a chapter on actions");
    let documented: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(action, _)| action.to_owned())
        .filter(|action| action != "event.action")
        .collect();
    assert_eq!(documented, shown());
}

/// The actions of the golden events, those of audit events aside, which are the API's verbs.
fn shown() -> BTreeSet<String> {
    let formats =
        fs::read_dir(Path::new(CRATE).join("tests/golden")).unwrap().map(|entry| entry.unwrap().path());
    formats
        .filter(|format| !format.ends_with("audit"))
        .flat_map(|format| fs::read_dir(format).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .flat_map(|file| match serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap() {
            Json::Array(events) => events,
            _ => Vec::new(),
        })
        .filter_map(|event| Some(event.pointer("/fields/event.action")?.as_str()?.to_owned()))
        .collect()
}
