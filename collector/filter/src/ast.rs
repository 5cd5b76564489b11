//! The syntax tree of a filter. What was typed, with relative times still relative.

use ipnet::IpNet;
use locard_event::Timestamp;

/// A filter expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Matches every event: `*`.
    All,
    /// Every part matches. Never empty, never nested directly in another `And`.
    And(Vec<Filter>),
    /// Some part matches. Never empty, never nested directly in another `Or`.
    Or(Vec<Filter>),
    /// The part does not match.
    Not(Box<Filter>),
    /// One test of one field, or of the whole event.
    Is(Predicate),
}

/// One test. Without a field it asks the message, the stream's labels and all field values.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    /// Field name, or nothing for a bare word, phrase, wildcard or regex.
    pub field: Option<Box<str>>,
    /// What is asked of it.
    pub test: Test,
}

/// What can be asked of a value. Lists match if any element does; [`locard_event::Value::Null`] matches nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// The literal occurs, case-insensitively, bounded by word ends. From `word` and `"phrase"`.
    Contains(Box<str>),
    /// A pattern with `*` (any characters, also none) and `?` (one character) matches a run of the text that is bounded by word
    /// ends, case-insensitively; a `*` at an edge lifts the bound there. A backslash makes the character behind it literal.
    /// [`crate::glob::pieces`] takes it apart.
    Wildcard(Box<str>),
    /// The regular expression occurs anywhere. From `/re/`, `/re/i` and `field~"re"`.
    Regex {
        /// As written between the slashes, with `\/` read as `/`.
        pattern: Box<str>,
        /// From the flag `i`.
        ignore_case: bool,
    },
    /// The value is exactly this: same text, or the same number, address or time. From `field=value`.
    Equals(Box<str>),
    /// Ordered as numbers, times or addresses when both sides are, else as text.
    Compare(Comparison, Box<str>),
    /// Between two bounds, either of which may be open (`*`).
    Range(Bound, Bound),
    /// An address within this network.
    Cidr(IpNet),
    /// There is a value that is not null. From `field:*`.
    Exists,
    /// The event's time lies in the range. Only on `_time`, `@timestamp` and `event.ingested`.
    Time(TimeRange),
}

/// `>`, `>=`, `<`, `<=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Greater than.
    Greater,
    /// Greater than or equal.
    GreaterOrEqual,
    /// Less than.
    Less,
    /// Less than or equal.
    LessOrEqual,
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `*`: no bound.
    Open,
    /// `[` or `]`.
    Inclusive(Box<str>),
    /// `{` or `}`.
    Exclusive(Box<str>),
}

/// A half-open range of time, `from <= t < to`; either end may be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// First instant inside.
    pub from: Option<TimePoint>,
    /// First instant after.
    pub to: Option<TimePoint>,
}

/// An instant, absolute or relative to the time a query is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePoint {
    /// An absolute instant.
    At(Timestamp),
    /// `now` plus this many nanoseconds; negative is before.
    Now(i64),
}

impl TimePoint {
    /// The instant this point means at `now`.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Now(offset) => now.plus_nanos(offset),
        }
    }
}

impl Filter {
    /// Every part matches: flattened, without `All`, and a single part as itself.
    pub fn all_of(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::All => {}
                Self::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::All,
            1 => flat.swap_remove(0),
            _ => Self::And(flat),
        }
    }

    /// Some part matches: flattened, and a single part as itself. Of no parts: matches nothing.
    pub fn any_of(parts: impl IntoIterator<Item = Filter>) -> Filter {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Not(Box::new(Self::All)),
            1 => flat.swap_remove(0),
            _ => Self::Or(flat),
        }
    }

    /// Both filters, flattened. `All` vanishes.
    pub fn and(self, other: Filter) -> Filter {
        Self::all_of([self, other])
    }

    /// The fields it looks at; nothing if it looks anywhere.
    pub fn fields(&self) -> Option<Vec<&str>> {
        match self {
            Self::All => Some(Vec::new()),
            Self::And(parts) | Self::Or(parts) => {
                let fields = parts.iter().map(Self::fields).collect::<Option<Vec<_>>>()?;
                Some(fields.concat())
            }
            Self::Not(part) => part.fields(),
            Self::Is(Predicate { field, .. }) => Some(vec![field.as_deref()?]),
        }
    }

    /// The first time range that ends before it begins at `now`. Two ends of one kind are compared when they are read; one fixed and
    /// one relative end only here.
    pub fn reversed_at(&self, now: Timestamp) -> Option<&Predicate> {
        match self {
            Self::All => None,
            Self::And(parts) | Self::Or(parts) => parts.iter().find_map(|part| part.reversed_at(now)),
            Self::Not(part) => part.reversed_at(now),
            Self::Is(predicate) => match &predicate.test {
                Test::Time(TimeRange { from: Some(from), to: Some(to) }) if from.at(now) > to.at(now) => {
                    Some(predicate)
                }
                _ => None,
            },
        }
    }

    /// The filter with every relative time made absolute. Matchers and plans take only such filters.
    pub fn resolve(self, now: Timestamp) -> Filter {
        match self {
            Self::All => Self::All,
            Self::And(parts) => Self::And(parts.into_iter().map(|part| part.resolve(now)).collect()),
            Self::Or(parts) => Self::Or(parts.into_iter().map(|part| part.resolve(now)).collect()),
            Self::Not(part) => Self::Not(Box::new(part.resolve(now))),
            Self::Is(Predicate { field, test: Test::Time(range) }) => {
                let fixed = |point: Option<TimePoint>| point.map(|point| TimePoint::At(point.at(now)));
                let range = TimeRange { from: fixed(range.from), to: fixed(range.to) };
                Self::Is(Predicate { field, test: Test::Time(range) })
            }
            Self::Is(predicate) => Self::Is(predicate),
        }
    }
}
