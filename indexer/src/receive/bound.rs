//! Keeping one event within its limits. What is cut is counted, so that the caller can mark it.

use locard_event::{Event, Fields, Name, Value};

use crate::wal::ReadLimits;

/// Cuts the message at `max_bytes`; says whether (1) or not (0).
pub(super) fn cut_message(event: &mut Event, max_bytes: usize) -> usize {
    if event.message.len() <= max_bytes {
        return 0;
    }
    event.message.truncate(char_end(&event.message, max_bytes));
    // The rest of the body is not kept alive for the sake of a slice.
    event.message = bytes::Bytes::copy_from_slice(&event.message);
    1
}

/// Where to cut so that no character of UTF-8 is split: at most three bytes before `at`.
fn char_end(bytes: &[u8], at: usize) -> usize {
    let continues = |index: &usize| bytes.get(*index).is_some_and(|byte| byte & 0xC0 == 0x80);
    (at.saturating_sub(3)..=at).rev().find(|index| !continues(index)).unwrap_or(at)
}

/// Whether there are no lists and nothing is too long or too many, as in most events.
pub(super) fn is_plain(fields: &Fields, limits: &ReadLimits) -> bool {
    let plain = |(name, value): (&str, &Value)| {
        let text = match value {
            Value::List(_) => return false,
            Value::Str(text) => text.len(),
            _ => 0,
        };
        name.len() <= limits.max_name_bytes && text <= limits.max_line_bytes
    };
    fields.len() <= limits.max_fields && fields.iter().all(plain)
}

/// Cuts texts longer than `max_bytes`; says how many.
pub(super) fn cut_values(fields: &mut Fields, max_bytes: usize) -> usize {
    let long = |value: &Value| matches!(value, Value::Str(text) if text.len() > max_bytes);
    let names: Vec<Name> = fields
        .iter()
        .filter(|(_, value)| value.elements().iter().any(long))
        .map(|(name, _)| name.into())
        .collect();
    let mut cut = 0;
    for name in names {
        if let Some(value) = fields.remove(&name) {
            fields.set(name, cut_value(value, max_bytes, &mut cut));
        }
    }
    cut
}

fn cut_value(value: Value, max_bytes: usize, cut: &mut usize) -> Value {
    match value {
        Value::Str(text) if text.len() > max_bytes => {
            *cut += 1;
            Value::str(text.get(..char_end(text.as_bytes(), max_bytes)).unwrap_or_default())
        }
        Value::List(values) => {
            Value::List(values.into_iter().map(|value| cut_value(value, max_bytes, cut)).collect())
        }
        other => other,
    }
}

/// Leaves out the last values of lists so that all lists together hold at most `max_values`, and at most what `room` has left, which
/// becomes less; says how many.
pub(super) fn shorten_lists(fields: &mut Fields, max_values: usize, room: &mut usize) -> usize {
    let held: usize = fields.iter().map(|(_, value)| list_len(value)).sum();
    let most = max_values.min(*room);
    *room -= held.min(most);
    if held <= most {
        return 0;
    }
    let mut left = most;
    let shorten = |(name, value): (Name, Value)| match value {
        Value::List(mut values) => {
            values.truncate(left);
            values.shrink_to_fit();
            left -= values.len();
            (name, Value::List(values))
        }
        single => (name, single),
    };
    *fields = std::mem::take(fields).into_iter().map(shorten).collect();
    held - most
}

fn list_len(value: &Value) -> usize {
    if let Value::List(values) = value { values.len() } else { 0 }
}

/// Leaves out fields whose names are longer than `max_bytes`; says how many.
pub(super) fn leave_out_long_names(fields: &mut Fields, max_bytes: usize) -> usize {
    let before = fields.len();
    if fields.iter().any(|(name, _)| name.len() > max_bytes) {
        *fields = std::mem::take(fields).into_iter().filter(|(name, _)| name.len() <= max_bytes).collect();
    }
    before - fields.len()
}

/// Leaves out the last fields in name order beyond `max_fields`; says how many.
pub(super) fn leave_out(fields: &mut Fields, max_fields: usize) -> usize {
    let excess = fields.len().saturating_sub(max_fields);
    if excess > 0 {
        *fields = std::mem::take(fields).into_iter().take(max_fields).collect();
    }
    excess
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, max_bytes: usize, expected: &str) {
        let mut cut = 0;
        assert_eq!(cut_value(text.into(), max_bytes, &mut cut), expected.into());
        assert_eq!(cut, usize::from(text != expected));
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        check("abc", 3, "abc");
        check("abcd", 3, "abc");
        check("aé", 2, "a");
        check("aéb", 3, "aé");
        check("€", 2, "");
        check("a𝄞b", 4, "a");
        check("a𝄞b", 5, "a𝄞");
    }

    #[test]
    fn lists_share_what_an_event_and_what_a_body_may_hold() {
        let list = |values: i64| Value::List((0..values).map(Value::Int).collect());
        let fields: Fields = [("a", list(3)), ("b", Value::Int(7)), ("c", list(3))].into_iter().collect();
        let mut room = 9;
        for (left_out, c, rest) in [(1, 2, 4), (2, 1, 0), (6, 0, 0)] {
            let mut fields = fields.clone();
            assert_eq!(shorten_lists(&mut fields, 5, &mut room), left_out);
            assert_eq!((fields.get("c"), room), (Some(&list(c)), rest));
            assert_eq!(fields.get("b"), Some(&Value::Int(7)));
        }
    }

    #[test]
    fn lists_are_cut_inside() {
        let mut fields: Fields =
            [("a", Value::List(vec!["long".into(), Value::Int(12345)])), ("b", "ok".into())]
                .into_iter()
                .collect();
        assert_eq!(cut_values(&mut fields, 2), 1);
        assert_eq!(fields.get("a"), Some(&Value::List(vec!["lo".into(), Value::Int(12345)])));
        assert_eq!(leave_out(&mut fields, 1), 1);
        assert_eq!(fields.len(), 1);
    }
}
