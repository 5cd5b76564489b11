//! [`Filter`] to text that parses to the same filter.

use std::fmt;

use crate::parser::{UNITS, is_name, is_time, quoted};
use crate::{Bound, Comparison, Filter, Predicate, Test, TimePoint, TimeRange, glob};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::And(parts) => join(f, parts, " "),
            Self::Or(parts) => join(f, parts, " OR "),
            Self::Not(part) => {
                f.write_str("NOT ")?;
                operand(f, part)
            }
            Self::Is(predicate) => write!(f, "{predicate}"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Filter], separator: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        operand(f, part)?;
    }
    Ok(())
}

fn operand(f: &mut fmt::Formatter<'_>, part: &Filter) -> fmt::Result {
    match part {
        Filter::And(_) | Filter::Or(_) => write!(f, "({part})"),
        _ => write!(f, "{part}"),
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self.field.as_deref() {
            None => String::new(),
            Some(field) if is_name(field) => field.to_owned(),
            Some(field) => quoted(field),
        };
        let colon = if field.is_empty() { "" } else { ":" };
        match &self.test {
            Test::Contains(text) => write!(f, "{field}{colon}{}", text_of(text)),
            Test::Wildcard(pattern) => {
                let pattern = wildcard(pattern);
                // `c:\` would be read as a drive, not as the field `c`.
                let is_drive = field.len() == 1 && pattern.starts_with('\\');
                let quote = if is_drive { "\"" } else { "" };
                write!(f, "{quote}{field}{quote}{colon}{pattern}")
            }
            Test::Regex { pattern, ignore_case } => {
                let flag = if *ignore_case { "i" } else { "" };
                write!(f, "{field}{colon}/{}/{flag}", pattern.replace('/', "\\/"))
            }
            Test::Equals(text) => write!(f, "{field}={}", text_of(text)),
            Test::Compare(comparison, text) => write!(f, "{field}{comparison}{}", ordered(text)),
            Test::Range(low, high) => range(f, &field, low, high),
            Test::Cidr(network) => {
                // `d:1::/2` would be read as one address, not as the field `d`.
                let is_group = (1..=4).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_hexdigit());
                let quote = if is_group { "\"" } else { "" };
                write!(f, "{quote}{field}{quote}{colon}{network}")
            }
            Test::Exists => write!(f, "{field}{colon}*"),
            Test::Time(times) => time(f, &field, times),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        })
    }
}

/// As [`text_of`], where a bare duration would be read as a number.
fn ordered(text: &str) -> String {
    if crate::parse_duration(text).is_some() { quoted(text) } else { text_of(text) }
}

/// The text bare where nothing in it has a meaning, else in quotes.
fn text_of(text: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '.' | '-');
    let keyword = ["and", "or", "not", "to"].iter().any(|keyword| text.eq_ignore_ascii_case(keyword));
    let bare = text.chars().all(plain) && text.starts_with(|char: char| char != '-') && !keyword;
    if bare { text.to_owned() } else { quoted(text) }
}

fn wildcard(pattern: &str) -> String {
    let mut out = String::new();
    for piece in glob::pieces(pattern) {
        match piece {
            glob::Piece::Any => out.push('*'),
            glob::Piece::One => out.push('?'),
            glob::Piece::Literal(text) => {
                for char in text.chars() {
                    if !char.is_alphanumeric() {
                        out.push('\\');
                    }
                    out.push(char);
                }
            }
        }
    }
    out
}

fn range(f: &mut fmt::Formatter<'_>, field: &str, low: &Bound, high: &Bound) -> fmt::Result {
    let open = if matches!(low, Bound::Exclusive(_)) { '{' } else { '[' };
    let close = if matches!(high, Bound::Exclusive(_)) { '}' } else { ']' };
    write!(f, "{field}:{open}{} TO {}{close}", bound(low), bound(high))
}

fn bound(bound: &Bound) -> String {
    match bound {
        Bound::Open => "*".to_owned(),
        Bound::Inclusive(text) | Bound::Exclusive(text) => ordered(text),
    }
}

fn time(f: &mut fmt::Formatter<'_>, field: &str, range: &TimeRange) -> fmt::Result {
    debug_assert!(is_time(field), "only times have a time range");
    match (range.from, range.to) {
        (None, None) => write!(f, "{field}:[* TO *]"),
        (Some(from), None) => write!(f, "{field}>={}", Written(from)),
        (None, Some(to)) => write!(f, "{field}<{}", Written(to)),
        (Some(from), Some(to)) => write!(f, "{field}:[{} TO {}}}", Written(from), Written(to)),
    }
}

struct Written(TimePoint);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            TimePoint::At(time) => write!(f, "{time}"),
            TimePoint::Now(0) => f.write_str("now"),
            TimePoint::Now(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let (unit, nanos) =
                    UNITS.into_iter().find(|(_, nanos)| offset % nanos == 0).unwrap_or(("ns", 1));
                write!(f, "now{sign}{}{unit}", offset.unsigned_abs() / nanos.unsigned_abs())
            }
        }
    }
}
