//! Lucene's regular expressions, written for the `regex` crate. Both are linear; Lucene's are anchored and have no classes.

use crate::es::error::Error;

/// What an expression is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A value.
    Value,
    /// One word of a text: nothing in it matches what is between words.
    Word,
}

/// Matches nothing.
const NEVER: &str = "[a&&b]";

impl About {
    /// Any character.
    pub(super) fn any(self) -> &'static str {
        match self {
            Self::Value => ".",
            Self::Word => r"(?:\w|\b[.,;']\b)",
        }
    }

    /// This character.
    pub(super) fn literal(self, char: char) -> String {
        let escaped = regex::escape(char.encode_utf8(&mut [0; 4]));
        match (self, char) {
            (Self::Value, _) => escaped,
            // A mark is of a word when it is inside.
            (Self::Word, '.' | ',' | ';' | '\'') => format!(r"\b{escaped}\b"),
            (Self::Word, char) if char.is_alphanumeric() || char == '_' => escaped,
            (Self::Word, _) => NEVER.to_owned(),
        }
    }

    /// One of a class, whose brackets are given too.
    fn class(self, class: &str) -> String {
        match self {
            Self::Value => class.to_owned(),
            Self::Word => format!(r"(?:[{class}&&\w]|\b[{class}&&[.,;']]\b)"),
        }
    }
}

/// The same expression in the crate's syntax. `~`, `&`, `<1-9>` and `@` are operators of Lucene that have no counterpart.
pub(super) fn translate(pattern: &str, about: About) -> Result<String, Error> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                None => return Err(bad(pattern, "it ends with a backslash")),
                Some(next @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => {
                    out.push_str(&about.class(&format!(r"[\{next}]")))
                }
                Some(other) => out.push_str(&about.literal(other)),
            },
            '[' => {
                let class = class(&mut chars).ok_or_else(|| bad(pattern, "a class is not closed"))?;
                out.push_str(&about.class(&class));
            }
            '"' => {
                quoted(&mut chars, about, &mut out).ok_or_else(|| bad(pattern, "a quote is not closed"))?
            }
            '~' | '&' | '<' | '#' => return Err(Error::unsupported(&format!("regexp operator {char}"))),
            '@' => out.push_str(&format!("{}*", about.any())),
            '(' if chars.peek() == Some(&'?') => {
                return Err(bad(pattern, "a group begins with a question mark"));
            }
            '(' => out.push_str("(?:"),
            '.' => out.push_str(about.any()),
            ')' | '|' | '*' | '+' | '?' => out.push(char),
            '{' => {
                out.push(char);
                while let Some(inner) =
                    chars.next_if(|inner| inner.is_ascii_digit() || matches!(inner, ',' | '}'))
                {
                    out.push(inner);
                    if inner == '}' {
                        break;
                    }
                }
            }
            other => out.push_str(&about.literal(other)),
        }
    }
    match regex::Regex::new(&out) {
        Ok(_) => Ok(out),
        Err(_) => Err(bad(pattern, "it cannot be read")),
    }
}

/// The rest of a class, with its brackets.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut out = String::from("[");
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    loop {
        match chars.next()? {
            ']' => break,
            '\\' => match chars.next()? {
                next @ ('d' | 'D' | 's' | 'S' | 'w' | 'W') => out.extend(['\\', next]),
                other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
            },
            char @ ('[' | '&' | '~') => out.extend(['\\', char]),
            char => out.push(char),
        }
    }
    out.push(']');
    Some(out)
}

fn quoted(chars: &mut impl Iterator<Item = char>, about: About, out: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            other => out.push_str(&about.literal(other)),
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
            (r"a\.b\d", r"a\.b[\d]"),
            ("[^a-z]{2,3}", "[^a-z]{2,3}"),
            ("^a$", r"\^a\$"),
            ("\"a.b\"c", r"a\.bc"),
            ("@x", ".*x"),
        ] {
            assert_eq!(translate(pattern, About::Value).unwrap(), expected, "{pattern}");
        }
        for bad in ["~a", "a&b", "<1-9>", "(", "[a", "a\\", "(?i)a"] {
            assert!(translate(bad, About::Value).is_err(), "{bad}");
        }
    }
    #[test]
    fn what_is_about_a_word_reaches_beyond_none() {
        for (pattern, text, expected) in [
            (".{4}", "a bc", false),
            (".{4}", "abcd", true),
            ("a.*d", "a-d", false),
            ("a.*d", "a.d", true),
            ("a[^x]c", "a c", false),
            ("a[^x]c", "abc", true),
            ("ab.", "ab,", false),
            (r"a\Wc", "a c", false),
            ("\"a c\"", "a c", false),
            ("a-c", "a-c", false),
        ] {
            let inner = translate(pattern, About::Word).unwrap();
            let whole = regex::Regex::new(&format!("^(?:{inner})$")).unwrap();
            assert_eq!(whole.is_match(text), expected, "{pattern} {text}");
        }
    }
}
