//! Lines that begin with a time, a level, or both, in the spellings of common loggers.
//!
//! Conservative: a word is a level only where loggers put one, in the form they give it. A time without zone is read as UTC; one
//! with a zone's abbreviation other than UTC is not read, since these are ambiguous.

use locard_event::{Severity, Timestamp};

use crate::facts::Facts;
use crate::{app, time};

/// How many words behind the time may stand before the level: a thread, a logger, a process id.
const WORDS_BEFORE_LEVEL: usize = 4;

/// Reads the time and the level of `line`, as far as it has them.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let line = line.trim_start();
    let Some((time, rest)) = leading_time(line, facts.received) else {
        return level_first(line, facts);
    };
    if let Some(time) = time {
        facts.time(time);
    }
    if app::structured(rest.trim_start(), facts) {
        return true;
    }
    if let Some(severity) = level_after_time(rest) {
        facts.level(severity);
    }
    true
}

/// `ERROR text`, or `[error] 2026-03-01 12:00:00 text`.
fn level_first(line: &str, facts: &mut Facts<'_>) -> bool {
    let Some(severity) = line_level(line) else { return false };
    facts.level(severity);
    let rest = line.split_once([' ', '\t']).map_or("", |(_, rest)| rest.trim_start());
    if let Some((Some(time), _)) = leading_time(rest, facts.received) {
        facts.time(time);
    }
    true
}

/// Reads `text` if it is a time as a whole, with a zone or without.
pub(crate) fn whole_time(text: &str) -> Option<Timestamp> {
    match dated(text)? {
        (Some(time), "") => Some(time),
        _ => None,
    }
}

/// The time that `line` begins with, in brackets or without, and what follows. A time whose zone is not known is `Some(None)`.
fn leading_time(line: &str, received: Timestamp) -> Option<(Option<Timestamp>, &str)> {
    // Ruby's logger writes the level's letter first, and its process within the brackets: `E, [2026-03-01T12:00:00.5 #42] ERROR -- `.
    let line = match line.split_at_checked(3) {
        Some(("D, " | "I, " | "W, " | "E, " | "F, " | "A, ", rest)) => rest,
        _ => line,
    };
    let (inner, bracketed) = match line.strip_prefix('[') {
        Some(inner) => (inner, true),
        None => (line, false),
    };
    let (time, rest) = dated(inner).or_else(|| spelled(inner, received))?;
    let rest = match bracketed {
        true if rest.starts_with(" #") => rest.split_once(']')?.1,
        true => rest.strip_prefix(']')?,
        false => rest,
    };
    rest.starts_with([' ', '\t', '|', ']', ':', '-']).then_some((time, rest))
}

/// `2026-03-01 12:00:00,123 +0100` and its kin.
fn dated(text: &str) -> Option<(Option<Timestamp>, &str)> {
    let (civil, rest) = time::on_str(text, time::date_time)?;
    let at = |offset_seconds| time::Civil { offset_seconds, ..civil }.timestamp();
    if let Some((offset, rest)) = time::on_str(rest, time::offset) {
        return Some((Some(at(offset)?), rest));
    }
    let Some(word) = rest.strip_prefix(' ') else { return Some((Some(at(0)?), rest)) };
    if word.starts_with(['+', '-'])
        && let Some((offset, rest)) = time::on_str(word, time::offset)
    {
        return Some((Some(at(offset)?), rest));
    }
    let length = word.bytes().take_while(u8::is_ascii_uppercase).count();
    match word.split_at_checked(length) {
        Some(("UTC" | "GMT", after)) => Some((Some(at(0)?), after)),
        Some((zone, after)) if is_zone(zone) => Some((None, after)),
        _ => Some((Some(at(0)?), rest)),
    }
}

/// Abbreviations that loggers write behind a time, and that name more than one offset or change with the season.
fn is_zone(word: &str) -> bool {
    const ZONES: [&str; 14] =
        ["CET", "CEST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "BST", "IST", "JST", "MSK"];
    ZONES.contains(&word)
}

/// `01/Mar/2026:12:00:00 +0100`, `Mar  1 12:00:00`, `Sun Mar  1 12:00:00 2026`.
fn spelled(text: &str, received: Timestamp) -> Option<(Option<Timestamp>, &str)> {
    if text.as_bytes().first()?.is_ascii_digit() {
        let (time, rest) = time::on_str(text, time::access)?;
        return Some((Some(time), rest));
    }
    let dated = match text.split_at_checked(4) {
        Some(("Mon " | "Tue " | "Wed " | "Thu " | "Fri " | "Sat " | "Sun ", dated)) => dated,
        _ => text,
    };
    let (time, rest) = time::on_str(dated, |text| time::bsd(text, received))?;
    Some((Some(time), rest))
}

/// The level among the first words behind a time: in capitals, in brackets or between bars anywhere; plain only as the first.
fn level_after_time(rest: &str) -> Option<Severity> {
    let words = rest
        .split([' ', '\t', '|'])
        .filter(|word| !matches!(*word, "" | "-" | "]" | ":"))
        .take(WORDS_BEFORE_LEVEL);
    for (index, word) in words.enumerate() {
        let bare = word.trim_matches(['[', ']', '(', ')', '<', '>', ':', ',']);
        let marked = bare.len() < word.len();
        // Monolog puts its channel before the level: `production.ERROR:`.
        let bare = if marked { bare.rsplit('.').next().unwrap_or(bare) } else { bare };
        let capital = bare.bytes().all(|byte| byte.is_ascii_uppercase());
        if bare.len() >= 3
            && (marked || capital || index == 0 || rest.starts_with('|'))
            && let Some(severity) = Severity::parse(bare)
        {
            return Some(severity);
        }
    }
    None
}

/// The level that a line without time begins with: `ERROR text`, `[warn] text`, `error: text`.
fn line_level(line: &str) -> Option<Severity> {
    let word = line.split([' ', '\t']).next()?;
    let bare = word.trim_matches(['[', ']', '<', '>', ':']);
    let marked = bare.len() < word.len();
    let capital = bare.bytes().all(|byte| byte.is_ascii_uppercase());
    let common =
        ["trace", "debug", "info", "notice", "warn", "warning", "error", "fatal", "critical", "panic"]
            .iter()
            .any(|level| bare.eq_ignore_ascii_case(level));
    (common && (marked || capital)).then(|| Severity::parse(bare)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, time: Option<&str>, level: Option<Severity>) {
        let received = Timestamp::parse("2026-04-01T00:00:00Z").unwrap();
        let read = leading_time(line, received);
        let said = read.and_then(|(time, _)| time).map(|time| time.to_string());
        assert_eq!(said.as_deref(), time, "{line}");
        let found = match read {
            Some((_, rest)) => level_after_time(rest),
            None => line_level(line),
        };
        assert_eq!(found, level, "{line}");
    }

    #[test]
    fn times_and_levels_of_common_loggers() {
        let (noon, milli) = (Some("2026-03-01T12:00:00.000Z"), Some("2026-03-01T12:00:00.123Z"));
        check("2026-03-01 12:00:00,123 INFO logger - msg", milli, Some(Severity::Info));
        check("2026-03-01 12:00:00.123  WARN 1 --- [main] c.e.App : msg", milli, Some(Severity::Warn));
        check("2026-03-01 12:00:00,123 - root - ERROR - msg", milli, Some(Severity::Error));
        check("[2026-03-01 12:00:00,123] [main] DEBUG x", milli, Some(Severity::Debug));
        check("2026/03/01 12:00:00 [error] 1#2: msg", noon, Some(Severity::Error));
        check("2026-03-01T13:00:00.123+0100\tinfo\tmsg", milli, Some(Severity::Info));
        check("2026-03-01 12:00:00.123|Warn|Auth|msg", milli, Some(Severity::Warn));
        check("2026-03-01 12:00:00 UTC [42] ERROR:  msg", noon, Some(Severity::Error));
        check("2026-03-01 12:00:00 CET [42] ERROR:  msg", None, Some(Severity::Error));
        check("Sun Mar  1 12:00:00 2026 [pid 2] CONNECT", noon, None);
        check("[01/Mar/2026:12:00:00 +0000] msg", noon, None);
        check("2026-03-01 12:00:00 the error was small", noon, None);
        check("E, [2026-03-01T12:00:00.123 #42] ERROR -- main: msg", milli, Some(Severity::Error));
        check("[2026-03-01 12:00:00] production.ERROR: msg", noon, Some(Severity::Error));
    }

    #[test]
    fn a_level_without_time_must_look_like_one() {
        check("ERROR something", None, Some(Severity::Error));
        check("[warn] something", None, Some(Severity::Warn));
        check("error: something", None, Some(Severity::Error));
        for prose in ["error something", "Info on this", "FINE, thanks", "alert: x", "", "   ", "2026-03-01"]
        {
            check(prose, None, None);
        }
    }
}
