//! One JSON object a line. Into a pipe as the server sent it; for people still the same JSON, escaped further and coloured.

use std::io::{self, Write};

use serde_json::{Map, Value};

use super::look::Look;
use super::neutral::is_powerful;
use super::style::{Style, Token};
use super::{Event, Part, Rows};
use crate::pipe::member_names;

/// Prints one object.
pub(super) fn line(out: &mut impl Write, json: &str, look: &Look) -> io::Result<()> {
    match (look.for_people, look.style.is_coloured()) {
        (true, true) => out.write_all(coloured(&escape(json), look.style).as_bytes())?,
        (true, false) => out.write_all(escape(json).as_bytes())?,
        (false, _) => out.write_all(json.as_bytes())?,
    }
    out.write_all(b"\n")
}

/// The object with what is known of its place among matches.
pub(super) fn placed(json: &str, part: Part) -> String {
    let body = json.trim_end().strip_suffix('}').unwrap_or(json);
    let comma = if body.trim_end().ends_with('{') { "" } else { "," };
    format!("{body}{comma}\"{MATCH}\":{},\"{GROUP}\":{}}}", part.is_match, part.group)
}

/// Members beside those of an event: whether it is a match, and which group of neighbours it is in.
pub(super) const MATCH: &str = "_match";
pub(super) const GROUP: &str = "_group";

/// An object with these members of the event that it has, in this order.
pub(super) fn chosen(event: &Event, fields: &[String]) -> String {
    let member = |field: &String| {
        let value = event.get(field)?;
        Some(format!("{}:{value}", Value::String(field.clone())))
    };
    format!("{{{}}}", fields.iter().filter_map(member).collect::<Vec<_>>().join(","))
}

/// Prints rows as objects, with the members that the server's NDJSON has.
pub(super) fn rows(out: &mut impl Write, rows: &Rows, look: &Look) -> io::Result<()> {
    let names = member_names(&rows.columns);
    for row in &rows.rows {
        let object: Map<String, Value> = names.iter().cloned().zip(row.iter().cloned()).collect();
        line(out, &Value::Object(object).to_string(), look)?;
    }
    Ok(())
}

/// JSON escapes the old controls itself; the rest can only stand inside its strings, where `\u` means the same.
fn escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_powerful(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// The same text with colours between its pieces.
fn coloured(json: &str, style: Style) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let (end, token) = match first {
            '"' => {
                let end = string_end(rest);
                let is_name = rest.get(end..).is_some_and(|after| after.trim_start().starts_with(':'));
                (end, Some(if is_name { Token::Name } else { Token::Text }))
            }
            '-' | '0'..='9' => {
                (run(rest, |c| c.is_ascii_digit() || "+-.eE".contains(c)), Some(Token::Number))
            }
            'a'..='z' => (run(rest, |c| c.is_ascii_lowercase()), Some(Token::Word)),
            other => (other.len_utf8(), None),
        };
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        match token {
            Some(token) => out.push_str(&style.json(piece, token)),
            None => out.push_str(piece),
        }
        rest = after;
    }
    out
}

/// Where the string ends that the text begins with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let quote = text.char_indices().skip(1).find(|(_, c)| {
        let closes = *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    });
    quote.map_or(text.len(), |(at, _)| at + 1)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_one_name_are_all_there() {
        let cells = [1, 2, 3].map(Value::from).to_vec();
        let columns = ["k", "n", "k"].map(str::to_owned).to_vec();
        let table = Rows { columns, rows: vec![cells], inexact_because: None };
        let mut out = Vec::new();
        rows(&mut out, &table, &Look::default()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "{\"k\":1,\"k_3\":3,\"n\":2}\n");
    }

    #[test]
    fn members_are_chosen_and_added() {
        let event = serde_json::json!({"a": 1, "b": "x\"", "c": null});
        let fields = ["b", "none", "a"].map(str::to_owned);
        let json = chosen(event.as_object().unwrap(), &fields);
        assert_eq!(json, r#"{"b":"x\"","a":1}"#);
        let part = Part { group: 2, is_match: true };
        assert_eq!(placed(&json, part), r#"{"b":"x\"","a":1,"_match":true,"_group":2}"#);
        assert_eq!(placed("{}", part), r#"{"_match":true,"_group":2}"#);
    }

    #[test]
    fn on_a_terminal_the_same_json_is_escaped_further() {
        let json = serde_json::to_string("a\u{1b}\u{9b}\u{202e}é").unwrap();
        let escaped = escape(&json);
        assert!(!escaped.chars().any(is_powerful), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "a\u{1b}\u{9b}\u{202e}é");
    }

    #[test]
    fn colours_are_between_the_pieces() {
        let json = r#"{"a\"b": ["c:\\", -1.5e3, true, null], "d":{}}"#;
        let shown = coloured(json, Style::of(true));
        for piece in ["\"a\\\"b\"", "\"c:\\\\\"", "-1.5e3", "true", "null", "\"d\""] {
            assert!(shown.contains(&format!("m{piece}\u{1b}[")), "{piece} in {shown:?}");
        }
        assert_eq!(shown.matches("\u{1b}[0m").count(), 6, "{shown:?}");
        assert_eq!(coloured(json, Style::of(false)), json);
        let look = Look { style: Style::of(true), for_people: true, ..Look::default() };
        let mut out = Vec::new();
        line(&mut out, "{\"a\":\"\u{9b}31m\"}", &look).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains('\u{9b}') && out.contains("\\u009b31m"), "{out:?}");
    }
}
