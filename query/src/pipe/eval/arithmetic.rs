//! What operators do with values. Text that is wholly a number counts as one, as in filters; whole numbers stay whole while they fit.

use std::cmp::Ordering;

use locard_event::{Timestamp, Value};

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`: numbers, a time and a duration; else texts are joined.
    Add,
    /// `-`: numbers, a time and a duration, two times.
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `=`, `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A number, whole as long as it can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i64),
    Fraction(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(whole) => Some(Self::Whole(*whole)),
            Value::Str(text) => match text.parse() {
                Ok(whole) => value.as_f64().map(|_| Self::Whole(whole)),
                Err(_) => value.as_f64().map(Self::Fraction),
            },
            value => value.as_f64().map(Self::Fraction),
        }
    }

    pub(super) fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Fraction(fraction) => fraction,
        }
    }
}

/// A float as a value; null if it is none that can be kept.
pub(super) fn float(number: f64) -> Value {
    if number.is_finite() { Value::Float(number) } else { Value::Null }
}

impl Operator {
    pub(super) fn apply(self, left: &Value, right: &Value) -> Value {
        if matches!((left, right), (Value::Null, _) | (_, Value::Null)) {
            return Value::Null;
        }
        match self {
            Self::Add | Self::Subtract => self.sum(left, right),
            Self::Multiply | Self::Divide | Self::Remainder => self.product(left, right),
            Self::Equal => equal(left, right).into(),
            Self::Unequal => (!equal(left, right)).into(),
            _ => order(left, right).map_or(Value::Null, |order| self.accepts(order).into()),
        }
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            _ => order.is_ge(),
        }
    }

    fn sum(self, left: &Value, right: &Value) -> Value {
        let nanos = |value: &Value| match Number::of(value) {
            Some(Number::Whole(nanos)) => Some(nanos),
            Some(Number::Fraction(nanos)) => Some(nanos as i64),
            None => None,
        };
        match (self, Number::of(left), Number::of(right)) {
            (_, Some(left), Some(right)) => self.of_numbers(left, right),
            (Self::Add, None, _) if left.as_time().is_some() && nanos(right).is_some() => {
                moved(left.as_time(), nanos(right))
            }
            (Self::Add, _, None) if right.as_time().is_some() && nanos(left).is_some() => {
                moved(right.as_time(), nanos(left))
            }
            (Self::Add, ..) => format!("{left}{right}").into(),
            _ => match (left.as_time(), right.as_time()) {
                (Some(left), Some(right)) => left.nanos().saturating_sub(right.nanos()).into(),
                (left, None) => moved(left, nanos(right).map(i64::saturating_neg)),
                _ => Value::Null,
            },
        }
    }

    fn product(self, left: &Value, right: &Value) -> Value {
        match (Number::of(left), Number::of(right)) {
            (Some(left), Some(right)) => self.of_numbers(left, right),
            _ => Value::Null,
        }
    }

    fn of_numbers(self, left: Number, right: Number) -> Value {
        if let (Number::Whole(left), Number::Whole(right)) = (left, right) {
            let whole = match self {
                Self::Add => left.checked_add(right),
                Self::Subtract => left.checked_sub(right),
                Self::Multiply => left.checked_mul(right),
                Self::Remainder => left.checked_rem(right),
                _ => left.checked_rem(right).filter(|rest| *rest == 0).and_then(|_| left.checked_div(right)),
            };
            if let Some(whole) = whole {
                return whole.into();
            }
        }
        let (left, right) = (left.float(), right.float());
        float(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Remainder => left % right,
            _ => left / right,
        })
    }
}

fn moved(time: Option<Timestamp>, nanos: Option<i64>) -> Value {
    match (time, nanos) {
        (Some(time), Some(nanos)) => time.plus_nanos(nanos).into(),
        _ => Value::Null,
    }
}

pub(super) fn negated(value: &Value) -> Value {
    match Number::of(value) {
        Some(Number::Whole(whole)) => whole.checked_neg().map_or_else(|| float(-(whole as f64)), Value::Int),
        Some(Number::Fraction(fraction)) => float(-fraction),
        None => Value::Null,
    }
}

/// The same number, time, address or text. A list equals what one of its elements equals.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => left == right,
        (Value::List(elements), other) | (other, Value::List(elements)) => {
            elements.iter().any(|element| equal(element, other))
        }
        _ => order(left, right).is_some_and(Ordering::is_eq),
    }
}

/// How two values stand as numbers, times or addresses if both are, else as texts; nothing if one is null or a list.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if matches!((left, right), (Value::Null | Value::List(_), _) | (_, Value::Null | Value::List(_))) {
        return None;
    }
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return match (left, right) {
            (Number::Whole(left), Number::Whole(right)) => Some(left.cmp(&right)),
            (left, right) => left.float().partial_cmp(&right.float()),
        };
    }
    if let (Some(left), Some(right)) = (left.as_time(), right.as_time()) {
        return Some(left.cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.as_ip(), right.as_ip()) {
        return (left.is_ipv4() == right.is_ipv4()).then(|| left.cmp(&right));
    }
    Some(left.text().cmp(&right.text()))
}
