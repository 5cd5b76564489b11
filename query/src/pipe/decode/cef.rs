//! `CEF:0|vendor|product|version|class|name|severity|key=value …`, wherever in a text it begins.
//!
//! Source: ArcSight Common Event Format, version 25. In the head `\|` and `\\` are literal, in values `\=`, `\\`, `\n` and `\r`. A value goes on to the
//! last space before the next key, so that it may hold spaces.

use locard_event::{Fields, Value};

use super::kv::scalar;

const HEAD: [&str; 6] = [
    "cef.device.vendor",
    "cef.device.product",
    "cef.device.version",
    "cef.device.event_class_id",
    "cef.name",
    "cef.severity",
];

/// The fields of the first message in a text: those of the head by their names, those of the extension by their keys under
/// `cef.extensions.`.
pub(super) fn read(text: &str, max_fields: usize) -> Fields {
    let mut fields = Fields::new();
    let Some(message) = text.find("CEF:").and_then(|at| text.get(at + 4..)) else { return fields };
    let Some((version, mut rest)) = piece(message) else { return fields };
    if version.trim().parse::<u8>().is_err() {
        return fields;
    }
    for name in HEAD {
        let Some((value, behind)) = piece(rest) else { return Fields::new() };
        fields.set(name, value);
        rest = behind;
    }
    fields.set("cef.version", version);
    for (key, value) in extension(rest).into_iter().take(max_fields.saturating_sub(fields.len())) {
        fields.set(format!("cef.extensions.{key}").as_str(), value);
    }
    fields
}

/// A piece of the head up to a bar, which only the last piece may lack.
fn piece(text: &str) -> Option<(String, &str)> {
    let mut piece = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '|' => return Some((piece, text.get(at + 1..)?)),
            '\\' => match chars.next() {
                Some((_, next @ ('|' | '\\'))) => piece.push(next),
                Some((_, next)) => piece.extend(['\\', next]),
                None => return None,
            },
            other => piece.push(other),
        }
    }
    None
}

/// Keys and values. A key is a word directly before an `=` that no backslash is before.
fn extension(text: &str) -> Vec<(&str, Value)> {
    let bytes = text.as_bytes();
    let equals = bytes.iter().enumerate().filter(|(at, byte)| {
        let slashes = bytes.get(..*at).unwrap_or(&[]).iter().rev().take_while(|byte| **byte == b'\\').count();
        **byte == b'=' && slashes % 2 == 0
    });
    // Where each key and its value begin.
    let keys: Vec<(usize, usize)> = equals
        .filter_map(|(at, _)| {
            let before = text.get(..at)?;
            let start = before.rfind(|char: char| !is_key(char)).map_or(0, |space| space + 1);
            let bounded =
                start == 0 || before.get(..start).is_some_and(|before| before.ends_with([' ', '|', '\t']));
            (bounded && start < at).then_some((start, at))
        })
        .collect();
    let ends = keys.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    let pairs = keys.iter().zip(ends).filter_map(|((start, at), end)| {
        let value = text.get(at + 1..end)?;
        Some((text.get(*start..*at)?, scalar(&unescaped(value.trim_end()))))
    });
    pairs.collect()
}

fn is_key(char: char) -> bool {
    char.is_ascii_alphanumeric() || "_.[]-".contains(char)
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(next @ ('=' | '\\' | '|')) => out.push(next),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}
