//! [`Expression`]: what `eval` computes, and its value for one record.

use std::borrow::Cow;

use locard_event::{Timestamp, Value};

use super::arithmetic::{Operator, negated};
use super::call::Call;
use crate::pipe::record::Record;

/// An expression over the values of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number, a text, a duration in nanoseconds, `true`, `false`, `null`.
    Literal(Value),
    /// The value of a field; null if there is none.
    Field(Box<str>),
    /// `-x`
    Negated(Box<Expression>),
    /// `not x`
    Not(Box<Expression>),
    /// `x and y`
    And(Box<Expression>, Box<Expression>),
    /// `x or y`
    Or(Box<Expression>, Box<Expression>),
    /// `x + y`, `x > y`, …
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `f(x, y)`
    Call(Box<Call>),
}

impl Expression {
    /// Its value for a record.
    pub(in crate::pipe) fn value<'a>(&'a self, record: &Record<'a>, now: Timestamp) -> Cow<'a, Value> {
        match self {
            Self::Literal(value) => Cow::Borrowed(value),
            Self::Field(name) => record.value(name),
            Self::Negated(inner) => Cow::Owned(negated(&inner.value(record, now))),
            Self::Not(inner) => Cow::Owned((!inner.holds(record, now)).into()),
            Self::And(left, right) => {
                Cow::Owned((left.holds(record, now) && right.holds(record, now)).into())
            }
            Self::Or(left, right) => Cow::Owned((left.holds(record, now) || right.holds(record, now)).into()),
            Self::Binary(operator, left, right) => {
                Cow::Owned(operator.apply(&left.value(record, now), &right.value(record, now)))
            }
            Self::Call(call) => call.value(record, now),
        }
    }

    /// Whether it is true: what is no truth is not.
    pub(super) fn holds(&self, record: &Record<'_>, now: Timestamp) -> bool {
        match &*self.value(record, now) {
            Value::Bool(truth) => *truth,
            Value::Str(text) => &**text == "true",
            _ => false,
        }
    }

    /// Calls `visit` with every field it looks at.
    pub(in crate::pipe) fn fields<'a>(&'a self, visit: &mut dyn FnMut(&'a str)) {
        match self {
            Self::Literal(_) => {}
            Self::Field(name) => visit(name),
            Self::Negated(inner) | Self::Not(inner) => inner.fields(visit),
            Self::And(left, right) | Self::Or(left, right) | Self::Binary(_, left, right) => {
                left.fields(visit);
                right.fields(visit);
            }
            Self::Call(call) => call.arguments.iter().for_each(|argument| argument.fields(visit)),
        }
    }
}
