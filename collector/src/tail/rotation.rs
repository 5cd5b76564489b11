//! What rotation does to names: which names belong to one log, and which of them is older.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::path::Path;

/// The name without what rotation added: `app.log.1.gz` → `app.log`, `syslog.2` → `syslog`, `0.log.20261124-080000` → `0.log`.
/// The name itself if nothing was added.
pub(crate) fn base_name(name: &str) -> &str {
    let mut base = name;
    for compressed in [".gz", ".tmp"] {
        base = base.strip_suffix(compressed).unwrap_or(base);
    }
    while let Some(shorter) = strip_stamp(base) {
        base = shorter;
    }
    if base.is_empty() { name } else { base }
}

/// Takes one `.1`, `-20261124`, `.20261124-080000` or `.2026-11-24T08` off the end.
fn strip_stamp(name: &str) -> Option<&str> {
    let head = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, 'T' | ':' | '_' | 'Z'));
    let stamped = head.len() < name.len()
        && name.get(head.len()..).is_some_and(|tail| tail.contains(|c: char| c.is_ascii_digit()));
    let base = head.strip_suffix(['.', '-'])?;
    (stamped && !base.is_empty()).then_some(base)
}

/// Whether `name` is a rotated sibling of the log called `log`: in the same directory, and named after it.
pub(crate) fn is_sibling(log: &Path, name: &OsStr) -> bool {
    let (Some(base), Some(name)) = (log.file_name().and_then(OsStr::to_str), name.to_str()) else {
        return false;
    };
    name != base
        && (base_name(name) == base
            || name.strip_prefix(base).is_some_and(|rest| rest.starts_with(['.', '-'])))
}

/// Whether rotation made this name, which is more than that it follows the log's: `app.log.old` may be anything.
pub(crate) fn is_generation(path: &Path) -> bool {
    path.file_name().and_then(OsStr::to_str).is_some_and(|name| base_name(name) != name)
}

/// A key that sorts generations oldest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// By what the names say, or else by the time of the last write; then by name.
    Rotated(Stamp, String),
    /// The log's own name is the newest.
    Live,
}

/// What tells the age of a rotated file. One log's files must all use the same kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stamp {
    /// `.20261124-080000`: later is newer.
    Date(String),
    /// `.2`: higher is older.
    Number(Reverse<u64>),
    /// Nanoseconds since the epoch.
    Modified(i64),
}

/// The ages of a log's files, in their order: by their names if all of them say it in the same way.
pub(crate) fn ages(log: &Path, files: &[(&Path, i64)]) -> Vec<Age> {
    let name = |path: &Path| path.file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let base = name(log);
    let stamp = |path: &Path| digits(&name(path), &base);
    let rotated = || files.iter().filter(|(path, _)| *path != log);
    let all_dates = rotated().all(|(path, _)| stamp(path).len() >= 8);
    let all_numbers = rotated().all(|(path, _)| (1..8).contains(&stamp(path).len()));
    let age = |&(path, modified): &(&Path, i64)| {
        if path == log {
            return Age::Live;
        }
        let stamp = match stamp(path) {
            digits if all_dates => Stamp::Date(digits),
            digits if all_numbers => Stamp::Number(Reverse(digits.parse().unwrap_or(0))),
            _ => Stamp::Modified(modified),
        };
        Age::Rotated(stamp, name(path))
    };
    files.iter().map(age).collect()
}

fn digits(name: &str, base: &str) -> String {
    // A file that a link leads to is named after the link's target.
    let stamp = name.strip_prefix(base).or_else(|| name.strip_prefix(base_name(name)));
    stamp.unwrap_or(name).chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_log_have_one_base() {
        for (name, expected) in [
            ("app.log", "app.log"),
            ("app.log.1", "app.log"),
            ("app.log.2.gz", "app.log"),
            ("app.log-20261124", "app.log"),
            ("app.log-20261124.gz", "app.log"),
            ("syslog.1", "syslog"),
            ("0.log.20261124-080000", "0.log"),
            ("0.log.20261124-080000.gz", "0.log"),
            ("0.log.20261124-080000.tmp", "0.log"),
            ("2026.log", "2026.log"),
            ("app2", "app2"),
            ("9", "9"),
        ] {
            assert_eq!(base_name(name), expected, "{name}");
        }
    }

    #[test]
    fn siblings_are_named_after_the_log() {
        let check = |log: &str, name: &str, expected| {
            assert_eq!(is_sibling(Path::new(log), OsStr::new(name)), expected, "{name}")
        };
        check("/l/app.log", "app.log.1", true);
        check("/l/app.log", "app.log.old", true);
        check("/l/app.log", "app.log", false);
        check("/l/app.log", "app.logger", false);
        check("/l/app.log", "other.log.1", false);
    }

    #[track_caller]
    fn check_order(log: &str, oldest_first: &[(&str, i64)]) {
        let files: Vec<_> =
            oldest_first.iter().map(|(name, modified)| (Path::new(*name), *modified)).collect();
        let ages = ages(Path::new(log), &files);
        assert!(ages.is_sorted(), "{ages:?}");
    }

    #[test]
    fn the_oldest_comes_first() {
        check_order(
            "/0.log",
            &[("/0.log.20261123-080000.gz", 9), ("/0.log.20261124-080000", 1), ("/0.log", 0)],
        );
        check_order("/a.log", &[("/a.log.10.gz", 9), ("/a.log.2.gz", 8), ("/a.log.1", 7), ("/a.log", 0)]);
        check_order("/0.log", &[("/12345678-json.log.2", 1), ("/12345678-json.log.1", 2), ("/0.log", 0)]);
        check_order("/a.log", &[("/a.log.old", 1), ("/a.log.1", 2), ("/a.log-20261124", 3), ("/a.log", 0)]);
    }
}
