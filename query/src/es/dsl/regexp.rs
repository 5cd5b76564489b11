//! Lucene's regular expressions, written for the `regex` crate. Both are linear; Lucene's are anchored and have no classes.

use crate::es::error::Error;

/// The same expression in the crate's syntax. `~`, `&`, `<1-9>` and `@` are operators of Lucene that have no counterpart.
pub(super) fn translate(pattern: &str) -> Result<String, Error> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' => {
                let Some(next) = chars.next() else { return Err(bad(pattern, "it ends with a backslash")) };
                match next {
                    'd' | 'D' | 's' | 'S' | 'w' | 'W' => out.extend(['\\', next]),
                    other => out.push_str(&regex::escape(&other.to_string())),
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', char]),
            _ if in_class => out.push(char),
            '"' => quoted(&mut chars, &mut out).ok_or_else(|| bad(pattern, "a quote is not closed"))?,
            '~' | '&' | '<' | '#' => return Err(Error::unsupported(&format!("regexp operator {char}"))),
            '@' => out.push_str(".*"),
            '(' if chars.peek() == Some(&'?') => {
                return Err(bad(pattern, "a group begins with a question mark"));
            }
            '(' => out.push_str("(?:"),
            '^' | '$' => out.extend(['\\', char]),
            other => out.push(other),
        }
    }
    match regex::Regex::new(&out) {
        Ok(_) => Ok(out),
        Err(_) => Err(bad(pattern, "it cannot be read")),
    }
}

fn quoted(chars: &mut impl Iterator<Item = char>, out: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
}

fn bad(pattern: &str, why: &str) -> Error {
    Error::parsing(format!("the regular expression [{pattern}] is malformed: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_know_is_carried_over() {
        for (pattern, expected) in [
            ("a.*b", "a.*b"),
            ("s.*y|(x)+", "s.*y|(?:x)+"),
            (r"a\.b\d", r"a\.b\d"),
            ("[^a-z]{2,3}", "[^a-z]{2,3}"),
            ("^a$", r"\^a\$"),
            ("\"a.b\"c", r"a\.bc"),
            ("@x", ".*x"),
        ] {
            assert_eq!(translate(pattern).unwrap(), expected, "{pattern}");
        }
        for bad in ["~a", "a&b", "<1-9>", "(", "[a", "a\\", "(?i)a"] {
            assert!(translate(bad).is_err(), "{bad}");
        }
    }
}
