use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Who may use whom. Data flow left to right; an arrow that is not here is a design change.
const ARROWS: &[(&str, &[&str])] = &[
    ("locard-event", &[]),
    ("locard-filter", &["locard-event"]),
    ("locard-parse", &["locard-event"]),
    ("locard-wire", &["locard-event", "locard-parse"]),
    ("locard-store", &["locard-event", "locard-filter"]),
    ("locard-collector", &["locard-event", "locard-filter", "locard-parse", "locard-wire"]),
    ("locard-indexer", &["locard-event", "locard-filter", "locard-parse", "locard-wire", "locard-store"]),
    ("locard-ui", &[]),
    (
        "locard-query",
        &[
            "locard-event",
            "locard-filter",
            "locard-parse",
            "locard-wire",
            "locard-store",
            "locard-indexer",
            "locard-collector",
            "locard-ui",
        ],
    ),
];

#[test]
fn the_arrows_between_crates_are_those_of_the_design() {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .other_options(["--offline".into()])
        .exec()
        .unwrap();
    let allowed: BTreeMap<_, BTreeSet<_>> =
        ARROWS.iter().map(|(from, to)| (*from, to.iter().copied().collect())).collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if matches!(name, "locard-tests" | "locard-fuzz") {
            continue;
        }
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("{name} has no row in ARROWS"));
        for dependency in package.dependencies.iter().filter(|d| d.name.starts_with("locard-")) {
            let normal = dependency.kind == DependencyKind::Normal;
            assert!(
                !normal || allowed.contains(dependency.name.as_str()),
                "{name} may not use {}",
                dependency.name
            );
        }
    }
}

/// The collector runs privileged on every node: no engine, no server framework in its tree.
#[test]
fn the_collector_is_lean() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "locard-collector", "-e", "normal", "--prefix", "none"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("locard-wire"), "{tree}");
    for heavy in ["tantivy", "axum", "sqlx", "object_store", "locard-store", "locard-indexer", "locard-query"]
    {
        assert!(!names.contains(heavy), "locard-collector depends on {heavy}");
    }
}

fn sources(extension: &str) -> Vec<PathBuf> {
    let output = std::process::Command::new("git")
        .args(["ls-files", &format!("*.{extension}")])
        .current_dir(root())
        .output();
    let listed = String::from_utf8(output.unwrap().stdout).unwrap();
    listed.lines().map(|line| root().join(line)).filter(|path| path.exists()).collect()
}

#[test]
fn every_rust_file_says_what_it_is() {
    for path in sources("rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.display().to_string();
        let is_test = shown.contains("/tests/e2e/") || shown.contains("/tests/");
        assert!(is_test || text.starts_with("//!"), "{shown} does not open with //!");
        assert!(!text.contains("todo!(") || shown.ends_with("tidy.rs"), "{shown}");
    }
}

/// A metric that is not in the book cannot be used. A `metrics.rs` registers short names under a prefix, or full names.
#[test]
fn every_metric_is_in_the_book() {
    let book = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let mut checked = 0;
    for path in sources("rs").into_iter().filter(|path| path.ends_with("metrics.rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.split(".register(").skip(1).filter_map(first_string) {
            let is_listed = book.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| {
                word.starts_with("locard_") && word.trim_end_matches("_total").ends_with(&format!("_{name}"))
            });
            assert!(is_listed, "{} registers {name}, docs/metrics.md does not have it", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 40, "only {checked} metrics found: this test reads the sources wrongly");
}

/// The first string literal of a call's arguments, if that is its first argument.
fn first_string(arguments: &str) -> Option<&str> {
    arguments.trim_start().strip_prefix('"')?.split('"').next()
}

/// Relative links in the Markdown pages lead somewhere.
#[test]
fn links_in_the_docs_lead_somewhere() {
    for path in sources("md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            let at = path.parent().unwrap().join(file);
            assert!(at.exists(), "{} links to {target}, which is not there", path.display());
        }
    }
}
