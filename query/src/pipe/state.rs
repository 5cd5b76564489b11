//! [`State`]: what a function remembers of the records it has seen. Each value comes with how many records have it.
//!
//! However records are put together, in whichever order and on however many threads, the outcome is the same to the last bit.

use std::cmp::Ordering;

use locard_event::Value;

use super::aggregate::{Aggregate, Function};
use super::distinct::{Distinct, EXACT};
use super::exact::ExactSum;
use super::order;
use super::percentile::Weighted;
use super::record::Record;

/// What a function remembers.
#[derive(Clone, Debug)]
pub(super) enum State {
    Count(u64),
    Distinct(Distinct),
    Sum(Sum),
    Average(Sum),
    Extreme(Option<Value>, Ordering),
    Percentile(Weighted, f64),
}

/// Numbers added up exactly.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    whole: i128,
    fractions: ExactSum,
    has_fractions: bool,
    count: u64,
}

impl Sum {
    fn add(&mut self, value: &Value, times: u64) -> usize {
        let whole = match value {
            Value::Int(number) => Some(*number),
            Value::Str(text) => text.parse().ok(),
            _ => None,
        };
        let mut grown = 0;
        match (whole, value.as_f64()) {
            (Some(number), Some(_)) => {
                let product = i128::from(number).saturating_mul(times.into());
                self.whole = self.whole.saturating_add(product);
            }
            (None, Some(number)) => {
                grown = self.fractions.add(number, times);
                self.has_fractions = true;
            }
            (_, None) => return 0,
        }
        self.count += times;
        grown
    }

    fn merge(&mut self, other: &Self) -> usize {
        self.whole = self.whole.saturating_add(other.whole);
        self.has_fractions |= other.has_fractions;
        self.count += other.count;
        self.fractions.merge(&other.fractions)
    }

    fn total(self) -> f64 {
        self.fractions.rounded_with(self.whole)
    }
}

impl State {
    pub(super) fn new(aggregate: &Aggregate) -> Self {
        match aggregate.function {
            Function::Count => Self::Count(0),
            Function::Distinct => Self::Distinct(Distinct::default()),
            Function::Sum => Self::Sum(Sum::default()),
            Function::Average => Self::Average(Sum::default()),
            Function::Min => Self::Extreme(None, Ordering::Less),
            Function::Max => Self::Extreme(None, Ordering::Greater),
            Function::Percentile(share) => Self::Percentile(Weighted::default(), share),
        }
    }

    /// Takes in a record that occurs so many times; answers by how many bytes this grew.
    pub(super) fn add(&mut self, aggregate: &Aggregate, record: &Record<'_>, times: u64) -> usize {
        match (&aggregate.field, &mut *self) {
            (None, Self::Count(count)) => {
                *count += times;
                0
            }
            (None, _) => 0,
            (Some(field), _) => record.get(field).map_or(0, |value| self.add_value(&value, times)),
        }
    }

    fn add_value(&mut self, value: &Value, times: u64) -> usize {
        match value {
            Value::Null => 0,
            Value::List(elements) => elements.iter().map(|element| self.add_value(element, times)).sum(),
            scalar => self.add_scalar(scalar, times),
        }
    }

    fn add_scalar(&mut self, value: &Value, times: u64) -> usize {
        match self {
            Self::Count(count) => *count += times,
            Self::Sum(sum) | Self::Average(sum) => return sum.add(value, times),
            Self::Distinct(distinct) => return distinct.add(value),
            Self::Extreme(best, side) => return add_extreme(best, *side, value),
            Self::Percentile(numbers, _) => {
                return value.as_f64().map_or(0, |number| numbers.add(number, times));
            }
        }
        0
    }

    /// Takes in what another state of the same function remembers; answers by how many bytes this grew.
    pub(super) fn merge(&mut self, other: Self) -> usize {
        match (self, other) {
            (Self::Count(own), Self::Count(their)) => *own += their,
            (Self::Distinct(own), Self::Distinct(their)) => return own.merge(their),
            (Self::Sum(own), Self::Sum(their)) | (Self::Average(own), Self::Average(their)) => {
                return own.merge(&their);
            }
            (Self::Extreme(own, side), Self::Extreme(Some(their), _)) => {
                return add_extreme(own, *side, &their);
            }
            (Self::Percentile(own, _), Self::Percentile(their, _)) => return own.merge(their),
            _ => {}
        }
        0
    }

    /// By how many bytes it has grown since it was made.
    pub(super) fn grown(&self) -> usize {
        match self {
            Self::Count(_) => 0,
            Self::Distinct(distinct) => distinct.heap_bytes(),
            Self::Sum(sum) | Self::Average(sum) => sum.fractions.heap_bytes(),
            Self::Extreme(best, _) => best.as_ref().map_or(0, Value::heap_bytes),
            Self::Percentile(numbers, _) => numbers.heap_bytes(),
        }
    }

    pub(super) fn add_count(&mut self, records: u64) {
        if let Self::Count(count) = self {
            *count += records;
        }
    }

    pub(super) fn value(self) -> Value {
        match self {
            Self::Count(count) => integer(count.into()),
            Self::Distinct(distinct) => integer(distinct.count().into()),
            Self::Sum(sum) | Self::Average(sum) if sum.count == 0 => Value::Null,
            Self::Sum(sum) if !sum.has_fractions => integer(sum.whole),
            Self::Sum(sum) => number(sum.total()),
            Self::Average(sum) => {
                let count = sum.count as f64;
                number(sum.total() / count)
            }
            Self::Extreme(best, _) => best.unwrap_or(Value::Null),
            Self::Percentile(numbers, share) => numbers.at(share).map_or(Value::Null, number),
        }
    }

    /// Why the value is an estimate, if it is one.
    pub(super) fn inexact(&self, aggregate: &Aggregate) -> Option<String> {
        match self {
            Self::Distinct(distinct) if !distinct.is_exact() => Some(format!(
                "{} has more than {EXACT} different values: estimated, standard error 0.8 %",
                aggregate.name
            )),
            _ => None,
        }
    }
}

/// Keeps the value that stands on `side` of all others; answers by how many bytes this grew.
fn add_extreme(best: &mut Option<Value>, side: Ordering, value: &Value) -> usize {
    if best.as_ref().is_some_and(|best| order::compare(value, best) != side) {
        return 0;
    }
    let grown = value.heap_bytes().saturating_sub(best.as_ref().map_or(0, Value::heap_bytes));
    *best = Some(value.clone());
    grown
}

fn integer(number: i128) -> Value {
    i64::try_from(number).map_or(Value::Float(number as f64), Value::Int)
}

/// Whole numbers are shown whole. What is too large to be one is absent.
fn number(number: f64) -> Value {
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    match number {
        whole if whole.fract() == 0.0 && whole.abs() < WHOLE => Value::Int(whole as i64),
        finite if finite.is_finite() => Value::Float(finite),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::Reader;
    use super::*;

    #[track_caller]
    fn check(function: &str, values: &[Value], expected: Value) {
        let aggregate = Aggregate::parse(&mut Reader::new(function, 0)).unwrap();
        let (left, right) = values.split_at(values.len() / 2);
        let columns = ["x".to_owned()];
        let of = |values: &[Value]| {
            let mut state = State::new(&aggregate);
            for value in values {
                let cells = std::slice::from_ref(value);
                state.add(&aggregate, &Record::Row { columns: &columns, cells }, 1);
            }
            state
        };
        assert_eq!(of(values).value(), expected, "{function}");
        let mut merged = of(left);
        merged.merge(of(right));
        assert_eq!(merged.value(), expected, "{function} merged");
    }

    #[test]
    fn functions_of_numbers() {
        let values: Vec<Value> = vec![4i64.into(), "2".into(), Value::Float(1.5), "word".into(), Value::Null];
        check("count", &values, 5i64.into());
        check("count(x)", &values, 4i64.into());
        check("sum(x)", &values, Value::Float(7.5));
        check("avg(x)", &values, Value::Float(2.5));
        check("dc(x)", &values, 4i64.into());
        check("max(x)", &values, "word".into());
        check("min(x)", &values, Value::Float(1.5));
        check("median(x)", &values, 2i64.into());
        check("p50(x)", &[], Value::Null);
        check("sum(x)", &[Value::Null], Value::Null);
        check("sum(x)", &[i64::MAX.into(), 1i64.into(), (-1i64).into()], i64::MAX.into());
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let values: Vec<Value> = [1e16, 1.0, 0.1, -1e16, 0.2].map(Value::Float).to_vec();
        check("sum(x)", &values, Value::Float(1.3));
        check("sum(x)", &values.iter().rev().cloned().collect::<Vec<_>>(), Value::Float(1.3));
        check("avg(x)", &[Value::Float(1e308), Value::Float(1e308)], Value::Null);
    }

    #[test]
    fn a_list_counts_with_all_its_elements() {
        let list = Value::List(vec![1i64.into(), 2i64.into(), Value::Null, 2i64.into()]);
        check("count(x)", std::slice::from_ref(&list), 3i64.into());
        check("sum(x)", std::slice::from_ref(&list), 5i64.into());
        check("dc(x)", &[list], 2i64.into());
    }

    #[test]
    fn percentiles_lie_between_two_values() {
        let values: Vec<Value> = (1..=5i64).map(Value::from).collect();
        check("p50(x)", &values, 3i64.into());
        check("p90(x)", &values, Value::Float(4.6));
        check("percentile(x, 12.5)", &values, Value::Float(1.5));
        check("perc(x, 100)", &values, 5i64.into());
    }
}
