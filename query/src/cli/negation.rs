//! Words of a query that begin with a dash: `locard search -log.level:info`.
//!
//! To clap they look like flags, and letting a positional argument take dashes would make it take the flags behind it, too. So
//! they are marked before clap sees them and the mark is taken off again when their value is read. Knows the short flags of the
//! commands that take a query; what begins with two dashes is a flag, always.

use std::ffi::OsString;

type IsValue = fn(&str) -> bool;

/// In front of a word that is no flag. No argument of a process can hold it.
const MARK: char = '\0';
/// Commands that take a query.
const COMMANDS: [&str; 4] = ["search", "export", "tail", "saved"];
/// Flags whose value may stand right behind them, and how such a value looks.
const VALUED: [(char, IsValue); 6] = [
    ('n', is_number),
    ('A', is_number),
    ('B', is_number),
    ('C', is_number),
    ('o', is_format),
    ('f', is_never),
];
/// Flags without a value.
const BARE: [&str; 6] = ["-h", "-V", "-c", "-q", "-r", "-F"];

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A field's name looks like a word: `-fname` is one, so the flag's value stands apart, `-f name`.
fn is_never(_: &str) -> bool {
    false
}

fn is_format(text: &str) -> bool {
    ["json", "csv", "raw", "table", "ndjson"].contains(&text)
}

/// Marks the words of a query that begin with a dash.
pub(super) fn mark(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_none_or(|command| COMMANDS.iter().all(|known| command != *known)) {
        return arguments;
    }
    for argument in arguments.iter_mut().skip(2) {
        if argument == "--" {
            break;
        }
        if let Some(text) = argument.to_str().filter(|text| is_word(text)) {
            *argument = format!("{MARK}{text}").into();
        }
    }
    arguments
}

/// Takes the mark off. A parser of clap's, which is why it may fail.
pub(super) fn unmark(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.strip_prefix(MARK).unwrap_or(text).to_owned())
}

fn is_word(text: &str) -> bool {
    let Some(behind) = text.strip_prefix('-').filter(|behind| !behind.is_empty()) else { return false };
    let is_flag = VALUED.iter().any(|(flag, is_value)| {
        behind
            .strip_prefix(*flag)
            .is_some_and(|value| is_value(value) || value.starts_with('=') || value.is_empty())
    });
    !behind.starts_with('-') && !is_flag && !BARE.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(typed: &[&str], expected: &[&str]) {
        let marked = mark(typed.iter().map(OsString::from));
        let shown: Vec<String> =
            marked.iter().map(|text| text.to_str().unwrap().replace(MARK, "QUERY ")).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_no_flag_is_a_word_of_the_query() {
        check(&["locard", "search", "-log.level:info"], &["locard", "search", "QUERY -log.level:info"]);
        check(
            &[
                "locard",
                "search",
                "a",
                "-name:b",
                "-outcome=c",
                "-o",
                "json",
                "-n5",
                "-o=csv",
                "-ojson",
                "--all",
            ],
            &[
                "locard",
                "search",
                "a",
                "QUERY -name:b",
                "QUERY -outcome=c",
                "-o",
                "json",
                "-n5",
                "-o=csv",
                "-ojson",
                "--all",
            ],
        );
        let context =
            ["locard", "search", "-A2", "-C", "3", "-B=1", "-f", "name", "-f=a,b", "-c", "-q", "-r", "-F"];
        check(&context, &context);
        check(
            &["locard", "search", "-fname:x", "-count"],
            &["locard", "search", "QUERY -fname:x", "QUERY -count"],
        );
        check(&["locard", "tail", "-(a OR b)", "-h"], &["locard", "tail", "QUERY -(a OR b)", "-h"]);
        check(&["locard", "search", "-", "--", "-x"], &["locard", "search", "-", "--", "-x"]);
        check(&["locard", "ingest", "-q", "-x:y"], &["locard", "ingest", "-q", "-x:y"]);
    }
}
