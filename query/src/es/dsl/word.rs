//! Words of a query text, as Elasticsearch's standard analyser finds them: letters and digits, with single marks inside.

/// The words in order, in lower case.
pub(in crate::es) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = text.chars().collect();
    for (at, char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let after = chars.get(at + 1);
        if is_word(*char) || (!word.is_empty() && joins(before, *char, after)) {
            word.extend(char.to_lowercase());
        } else if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether a mark between two characters holds them together (Unicode Annex 29, WB6 to WB12).
fn joins(before: Option<&char>, mark: char, after: Option<&char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return false };
    match mark {
        '.' | '\'' | '\u{2019}' => {
            (before.is_alphabetic() && after.is_alphabetic()) || (before.is_numeric() && after.is_numeric())
        }
        ',' | ';' => before.is_numeric() && after.is_numeric(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_standard_analyser() {
        for (text, expected) in [
            ("Failed password for root", vec!["failed", "password", "for", "root"]),
            ("src=203.0.113.77:443", vec!["src", "203.0.113.77", "443"]),
            ("node-1.example.com", vec!["node", "1", "example.com"]),
            ("user_name can't", vec!["user_name", "can't"]),
            ("1,000 a,b", vec!["1,000", "a", "b"]),
            ("...", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }
}
