//! Pairs of key and value: `user=root port: 22 msg="a text"`.

use locard_event::{Fields, Value};

/// What a key is made of beside letters and digits.
const KEY: &str = "_.-@/";

/// `key=value` pairs as Go programs write them: spaces between, values bare or in double quotes; a key alone is true.
pub(super) fn logfmt(text: &str, max_fields: usize) -> Fields {
    let mut fields = Fields::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && fields.len() < max_fields {
        let end = rest.find(|char: char| char == '=' || char.is_whitespace()).unwrap_or(rest.len());
        let (key, behind) = rest.split_at(end);
        rest = behind;
        let value = match behind.strip_prefix('=') {
            Some(behind) => {
                let (value, behind) = value(behind, char::is_whitespace);
                rest = behind;
                value
            }
            None => true.into(),
        };
        if is_key(key) {
            fields.append(key, value);
        }
        rest = rest.trim_start();
    }
    fields
}

/// Pairs anywhere in a text, with `=` or `: ` between key and value; values end at space, comma, semicolon or a closing bracket.
pub(super) fn pairs(text: &str, max_fields: usize) -> Fields {
    let mut fields = Fields::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(['=', ':'])).map(|at| from + at) {
        let before = text.get(from..at).unwrap_or("").trim_end_matches(' ');
        let start = before.rfind(|char: char| !(char.is_alphanumeric() || KEY.contains(char)));
        let key = start.map_or(before, |start| {
            before
                .get(start..)
                .unwrap_or("")
                .trim_start_matches(|char: char| !(char.is_alphanumeric() || KEY.contains(char)))
        });
        let behind = text.get(at + 1..).unwrap_or("");
        let colon = text.get(at..=at) == Some(":");
        // `12:30:00` and `https://` are no pairs.
        let is_pair = is_key(key) && (!colon || behind.starts_with([' ', '"']));
        from = at + 1;
        if is_pair {
            let trimmed = behind.trim_start_matches(' ');
            let (value, rest) = value(trimmed, |char| char.is_whitespace() || ",;)]}".contains(char));
            from = text.len() - rest.len();
            fields.append(key, value);
            if fields.len() >= max_fields {
                break;
            }
        }
    }
    fields
}

/// A key begins with a letter or `_`.
fn is_key(key: &str) -> bool {
    key.starts_with(|char: char| char.is_alphabetic() || "_@".contains(char))
        && key.chars().all(|char| char.is_alphanumeric() || KEY.contains(char))
}

/// A value in quotes, or bare up to where it ends; and what follows.
fn value(text: &str, ends: impl Fn(char) -> bool) -> (Value, &str) {
    if let Some(quote @ ('"' | '\'')) = text.chars().next()
        && let Some((value, rest)) = quoted(text, quote)
    {
        return (value.into(), rest);
    }
    let end = text.find(ends).unwrap_or(text.len());
    let (bare, rest) = text.split_at(end);
    (scalar(bare), rest)
}

fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            end if end == quote => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

/// A whole number that is written as one, a truth, an address, else a text.
pub(super) fn scalar(text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => number.into(),
            _ => match text.parse::<f64>() {
                Ok(number) if number.is_finite() && number.to_string() == text => Value::Float(number),
                _ => Value::ip_or_str(text),
            },
        },
    }
}
