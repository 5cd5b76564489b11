//! The one spelling of values that are equal in several.

use locard_event::Value;

/// The one spelling of a text that is a number, an address or a time: equal values have equal ones.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let value = Value::str(text);
    if let Some(number) = value.as_f64() {
        // Adding zero makes the negative zero positive.
        return Some((number + 0.0).to_string());
    }
    if let Some(ip) = value.as_ip() {
        return Some(ip.to_string());
    }
    value.as_time().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_canonical_text() {
        for (one, other) in [
            ("200", "2e2"),
            ("0", "-0"),
            ("2001:db8::1", "2001:DB8:0::1"),
            ("2025-11-24T16:00:00Z", "2025-11-24T17:00:00+01:00"),
        ] {
            assert!(canonical(one).is_some());
            assert_eq!(canonical(one), canonical(other), "{one} {other}");
        }
        assert_eq!(canonical("root"), None);
    }
}
