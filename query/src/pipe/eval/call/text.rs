//! Functions of texts. Positions count characters, the first being 1.

use locard_event::Value;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::MAX_TEXT_BYTES;

/// A text, unless it is too long to be kept.
pub(super) fn bounded(text: String) -> Value {
    if text.len() > MAX_TEXT_BYTES { Value::Null } else { text.into() }
}

/// Characters of a text, elements of a list.
pub(super) fn length(value: &Value) -> Value {
    let count = match value {
        Value::List(elements) => elements.len(),
        value => value.text().chars().count(),
    };
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// Whether any element of a value is so; case counts, as everywhere in `eval`.
pub(super) fn asks(value: &Value, part: &Value, is_so: impl Fn(&str, &str) -> bool) -> Value {
    if *part == Value::Null {
        return Value::Null;
    }
    let part = part.text();
    value.elements().iter().any(|element| is_so(&element.text(), &part)).into()
}

/// From a position, counted from the end if negative, so many characters or all that follow.
pub(super) fn part(value: &Value, from: &Value, count: &Value) -> Value {
    let text = value.to_string();
    let Some(from) = from.as_f64() else { return Value::Null };
    let length = text.chars().count();
    let skip = match from {
        from if from < 0.0 => length.saturating_sub((-from) as usize),
        from => (from as usize).saturating_sub(1),
    };
    let take = count.as_f64().map_or(usize::MAX, |count| count.max(0.0) as usize);
    text.chars().skip(skip).take(take).collect::<String>().into()
}

/// The pieces between occurrences of a separator.
pub(super) fn split(value: &Value, separator: &Value) -> Value {
    let (text, separator) = (value.to_string(), separator.text());
    if separator.is_empty() {
        return Value::List(vec![text.into()]);
    }
    Value::List(text.split(&*separator).map(Value::from).collect())
}

/// The elements of a list in one text.
pub(super) fn join(value: &Value, separator: &Value) -> Value {
    let texts: Vec<String> = value.elements().iter().map(Value::to_string).collect();
    bounded(texts.join(&separator.text()))
}

/// Every occurrence replaced; `$1` and `${name}` stand for groups. Null once it becomes too long to be kept.
pub(super) fn replaced(regex: &Regex, value: &Value, replacement: &Value) -> Value {
    let (text, replacement) = (value.to_string(), replacement.text());
    let (mut out, mut end) = (String::new(), 0);
    for groups in regex.captures_iter(&text) {
        let Some(whole) = groups.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or(""));
        groups.expand(&replacement, &mut out);
        end = whole.end();
        if out.len() > MAX_TEXT_BYTES {
            return Value::Null;
        }
    }
    out.push_str(text.get(end..).unwrap_or(""));
    bounded(out)
}

/// Its SHA-256 in hex, to compare with lists of hashes.
pub(super) fn sha256(value: &Value) -> Value {
    let digest = Sha256::digest(value.to_string().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Percent signs decoded, as in a query string. What is not UTF-8 then is shown as well as it can be.
pub(super) fn url_decoded(value: &Value) -> Value {
    let text = value.to_string();
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned().into()
}
