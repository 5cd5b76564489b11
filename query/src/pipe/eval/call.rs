//! The functions of `eval`. What an argument is not fit for is null.
//!
//! Regular expressions, networks and formats that are written as literals are compiled once, when the query is read.

mod text;
mod time;

use std::borrow::Cow;
use std::ops::Range;

use ipnet::IpNet;
use locard_event::{Timestamp, Value};
use locard_filter::SyntaxError;
use regex::Regex;

use super::Expression;
use super::arithmetic::{self, Number, float};
use crate::pipe::read::Reader;
use crate::pipe::record::Record;

/// Longest text that a function makes, in bytes.
const MAX_TEXT_BYTES: usize = 1 << 20;
/// Most memory one compiled regular expression may take.
const REGEX_BYTES: usize = 1 << 20;

/// A function and what it is applied to.
#[derive(Clone, Debug)]
pub struct Call {
    function: Function,
    /// In the order they are written.
    pub arguments: Vec<Expression>,
    compiled: Option<Compiled>,
}

/// A literal argument, ready for use.
#[derive(Clone, Debug)]
enum Compiled {
    Regex(Regex),
    Network(IpNet),
}

/// What was compiled follows from the arguments.
impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.arguments == other.arguments
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Abs,
    Bucket,
    Case,
    Ceil,
    CidrMatch,
    Coalesce,
    Concat,
    Contains,
    EndsWith,
    Exp,
    Floor,
    If,
    IsNotNull,
    IsNull,
    Join,
    Len,
    Log,
    Lower,
    Matches,
    Max,
    Min,
    Now,
    Power,
    Replace,
    Round,
    Sha256,
    Split,
    Sqrt,
    StartsWith,
    Strftime,
    Strptime,
    Substring,
    ToNumber,
    ToString,
    Trim,
    TypeOf,
    Upper,
    UrlDecode,
}

/// Name, function, fewest and most arguments.
type Entry = (&'static str, Function, usize, usize);
const MANY: usize = 100;
const FUNCTIONS: [Entry; 43] = [
    ("abs", Function::Abs, 1, 1),
    ("bin", Function::Bucket, 2, 2),
    ("bucket", Function::Bucket, 2, 2),
    ("case", Function::Case, 2, MANY),
    ("ceil", Function::Ceil, 1, 1),
    ("cidrmatch", Function::CidrMatch, 2, 2),
    ("coalesce", Function::Coalesce, 1, MANY),
    ("concat", Function::Concat, 1, MANY),
    ("contains", Function::Contains, 2, 2),
    ("endswith", Function::EndsWith, 2, 2),
    ("exp", Function::Exp, 1, 1),
    ("floor", Function::Floor, 1, 1),
    ("if", Function::If, 3, 3),
    ("isnotnull", Function::IsNotNull, 1, 1),
    ("isnull", Function::IsNull, 1, 1),
    ("join", Function::Join, 2, 2),
    ("len", Function::Len, 1, 1),
    ("length", Function::Len, 1, 1),
    ("ln", Function::Log, 1, 1),
    ("log", Function::Log, 1, 2),
    ("lower", Function::Lower, 1, 1),
    ("match", Function::Matches, 2, 2),
    ("max", Function::Max, 1, MANY),
    ("min", Function::Min, 1, MANY),
    ("mvjoin", Function::Join, 2, 2),
    ("now", Function::Now, 0, 0),
    ("pow", Function::Power, 2, 2),
    ("replace", Function::Replace, 3, 3),
    ("round", Function::Round, 1, 2),
    ("sha256", Function::Sha256, 1, 1),
    ("split", Function::Split, 2, 2),
    ("sqrt", Function::Sqrt, 1, 1),
    ("startswith", Function::StartsWith, 2, 2),
    ("strftime", Function::Strftime, 1, 3),
    ("strptime", Function::Strptime, 1, 3),
    ("substr", Function::Substring, 2, 3),
    ("substring", Function::Substring, 2, 3),
    ("tonumber", Function::ToNumber, 1, 1),
    ("tostring", Function::ToString, 1, 1),
    ("trim", Function::Trim, 1, 1),
    ("typeof", Function::TypeOf, 1, 1),
    ("upper", Function::Upper, 1, 1),
    ("urldecode", Function::UrlDecode, 1, 1),
];

impl Call {
    /// The function called `word`, which stands at `span`, of these arguments.
    pub(super) fn new(
        word: &str,
        span: Range<usize>,
        arguments: Vec<Expression>,
        reader: &Reader<'_>,
    ) -> Result<Self, SyntaxError> {
        let lower = word.to_ascii_lowercase();
        let Some((name, function, fewest, most)) = FUNCTIONS.iter().find(|entry| entry.0 == lower) else {
            let names: Vec<&str> = FUNCTIONS.iter().map(|entry| entry.0).collect();
            return Err(reader.unknown("function", word, span, &names));
        };
        if !(*fewest..=*most).contains(&arguments.len()) {
            let wanted = match (*fewest, *most) {
                (0, 0) => "no argument".to_owned(),
                (1, 1) => "one argument".to_owned(),
                (fewest, MANY) => format!("{fewest} arguments or more"),
                (fewest, most) if fewest == most => format!("{most} arguments"),
                (fewest, most) => format!("{fewest} to {most} arguments"),
            };
            let message = format!("`{name}` takes {wanted}, not {}", arguments.len());
            return Err(SyntaxError::new(span.start..reader.position(), message));
        }
        let mut call = Self { function: *function, arguments, compiled: None };
        call.compile(span.start..reader.position())?;
        Ok(call)
    }

    fn compile(&mut self, span: Range<usize>) -> Result<(), SyntaxError> {
        let literal = |at: usize| match self.arguments.get(at) {
            Some(Expression::Literal(value)) => Some(value.text()),
            _ => None,
        };
        match self.function {
            Function::Matches | Function::Replace => {
                let Some(pattern) = literal(1) else {
                    return Err(SyntaxError::new(span, "the regular expression must be written as a text")
                        .hint("as in match(url.path, \"^/admin\")"));
                };
                let regex = regex(&pattern).map_err(|reason| SyntaxError::new(span, reason))?;
                self.compiled = Some(Compiled::Regex(regex));
            }
            Function::CidrMatch => {
                if let Some(network) = literal(0) {
                    let network = network.parse().map_err(|_| {
                        SyntaxError::new(span, format!("`{network}` is no network"))
                            .hint("as in cidrmatch(\"10.0.0.0/8\", source.ip)")
                    })?;
                    self.compiled = Some(Compiled::Network(network));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Its value for a record.
    pub(super) fn value<'a>(&'a self, record: &Record<'a>, now: Timestamp) -> Cow<'a, Value> {
        let argument = |at: usize| match self.arguments.get(at) {
            Some(argument) => argument.value(record, now),
            None => Cow::Owned(Value::Null),
        };
        let holds = |at: usize| self.arguments.get(at).is_some_and(|argument| argument.holds(record, now));
        match self.function {
            Function::If => argument(if holds(0) { 1 } else { 2 }),
            Function::Case => argument(self.case(holds)),
            Function::Coalesce => {
                let values = (0..self.arguments.len()).map(argument);
                let mut there = values.filter(|value| **value != Value::Null);
                there.next().unwrap_or(Cow::Owned(Value::Null))
            }
            Function::Min | Function::Max => self.extreme((0..self.arguments.len()).map(argument)),
            Function::Concat => {
                let texts = (0..self.arguments.len()).map(|at| argument(at).to_string());
                Cow::Owned(text::bounded(texts.collect::<String>()))
            }
            Function::Now => Cow::Owned(now.into()),
            Function::IsNull => Cow::Owned((*argument(0) == Value::Null).into()),
            Function::IsNotNull => Cow::Owned((*argument(0) != Value::Null).into()),
            Function::TypeOf => Cow::Owned(type_name(&argument(0)).into()),
            _ if !self.arguments.is_empty() && *argument(0) == Value::Null => Cow::Owned(Value::Null),
            _ => Cow::Owned(self.scalar(&argument(0), &argument(1), &argument(2))),
        }
    }

    /// The argument that `case` chooses: behind the first condition that holds, else the last one if it has no condition.
    fn case(&self, holds: impl Fn(usize) -> bool) -> usize {
        let pairs = self.arguments.len() / 2;
        let found = (0..pairs).find(|pair| holds(2 * pair)).map(|pair| 2 * pair + 1);
        found.unwrap_or(if self.arguments.len() % 2 == 1 { self.arguments.len() - 1 } else { usize::MAX })
    }

    fn extreme<'a>(&self, values: impl Iterator<Item = Cow<'a, Value>>) -> Cow<'a, Value> {
        let wanted = |order: std::cmp::Ordering| match self.function {
            Function::Min => order.is_lt(),
            _ => order.is_gt(),
        };
        let there = values.filter(|value| **value != Value::Null);
        let best =
            there.reduce(
                |best, next| {
                    if arithmetic::order(&next, &best).is_some_and(wanted) { next } else { best }
                },
            );
        best.unwrap_or(Cow::Owned(Value::Null))
    }

    /// A function of values of which the first is not null.
    fn scalar(&self, first: &Value, second: &Value, third: &Value) -> Value {
        match self.function {
            Function::Abs | Function::Ceil | Function::Floor | Function::Round => self.rounded(first, second),
            Function::Exp => of_float(first, f64::exp),
            Function::Sqrt => of_float(first, f64::sqrt),
            Function::Log => match second.as_f64() {
                Some(base) => of_float(first, |number| number.log(base)),
                None => of_float(first, f64::ln),
            },
            Function::Power => match second.as_f64() {
                Some(exponent) => of_float(first, |number| number.powf(exponent)),
                None => Value::Null,
            },
            Function::ToNumber => match Number::of(first) {
                Some(Number::Whole(whole)) => whole.into(),
                Some(Number::Fraction(fraction)) => float(fraction),
                None => Value::Null,
            },
            Function::ToString => first.to_string().into(),
            Function::CidrMatch => self.is_in_network(first, second),
            Function::Matches | Function::Replace => self.regex(first, third),
            Function::Bucket => time::bucket(first, second),
            Function::Strftime => time::format(first, second, third),
            Function::Strptime => time::parse(first, second, third),
            _ => self.of_text(first, second, third),
        }
    }

    fn of_text(&self, first: &Value, second: &Value, third: &Value) -> Value {
        match self.function {
            Function::Len => text::length(first),
            Function::Lower => first.to_string().to_lowercase().into(),
            Function::Upper => first.to_string().to_uppercase().into(),
            Function::Trim => first.to_string().trim().into(),
            Function::Contains => text::asks(first, second, |text, part| text.contains(part)),
            Function::StartsWith => text::asks(first, second, |text, part| text.starts_with(part)),
            Function::EndsWith => text::asks(first, second, |text, part| text.ends_with(part)),
            Function::Substring => text::part(first, second, third),
            Function::Split => text::split(first, second),
            Function::Join => text::join(first, second),
            Function::Sha256 => text::sha256(first),
            Function::UrlDecode => text::url_decoded(first),
            _ => Value::Null,
        }
    }

    fn rounded(&self, value: &Value, places: &Value) -> Value {
        let number = match (Number::of(value), self.function) {
            (None, _) => return Value::Null,
            (Some(Number::Whole(whole)), Function::Abs) => {
                return whole.checked_abs().map_or_else(|| float((whole as f64).abs()), Value::Int);
            }
            (Some(Number::Whole(whole)), _) => return whole.into(),
            (Some(Number::Fraction(fraction)), _) => fraction,
        };
        match (self.function, places.as_f64()) {
            (Function::Abs, _) => float(number.abs()),
            (Function::Ceil, _) => whole(number.ceil()),
            (Function::Floor, _) => whole(number.floor()),
            (_, Some(places)) if places >= 1.0 => {
                let scale = 10f64.powf(places.round().min(15.0));
                float((number * scale).round() / scale)
            }
            _ => whole(number.round()),
        }
    }

    fn is_in_network(&self, network: &Value, address: &Value) -> Value {
        let network = match &self.compiled {
            Some(Compiled::Network(network)) => *network,
            _ => match network.text().parse() {
                Ok(network) => network,
                Err(_) => return Value::Null,
            },
        };
        let holds = |value: &Value| value.as_ip().is_some_and(|ip| network.contains(&ip));
        if *address == Value::Null { Value::Null } else { address.elements().iter().any(holds).into() }
    }

    fn regex(&self, value: &Value, replacement: &Value) -> Value {
        let Some(Compiled::Regex(regex)) = &self.compiled else { return Value::Null };
        match self.function {
            Function::Matches => {
                value.elements().iter().any(|element| regex.is_match(&element.text())).into()
            }
            _ => text::replaced(regex, value, replacement),
        }
    }
}

/// A regular expression within the limit, or why it is none.
pub(in crate::pipe) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = regex::RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("bad regular expression: {}", last.trim_start_matches("error: "))
        }
    })
}

fn of_float(value: &Value, function: impl Fn(f64) -> f64) -> Value {
    value.as_f64().map_or(Value::Null, |number| float(function(number)))
}

/// A float without fraction as a whole number, while it fits one.
fn whole(number: f64) -> Value {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    if number.abs() <= LIMIT { Value::Int(number as i64) } else { float(number) }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "float",
        Value::Str(_) => "string",
        Value::Ip(_) => "ip",
        Value::Time(_) => "time",
        Value::List(_) => "list",
    }
}
