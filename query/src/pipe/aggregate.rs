//! [`Aggregate`] and [`State`]: functions of many records, as `count()` or `dc(user.name)`.

use std::cmp::Ordering;

use locard_event::Value;
use locard_filter::SyntaxError;

use super::distinct::{Distinct, EXACT};
use super::order;
use super::read::Reader;
use super::record::Record;

/// A function of many records.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What is computed.
    pub function: Function,
    /// Of which field; nothing for `count()`.
    pub field: Option<Box<str>>,
    /// The name of its column.
    pub name: Box<str>,
}

/// What can be computed of many values. A list counts with all its elements; what is absent or null does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// How many records, or values.
    Count,
    /// How many different values.
    Distinct,
    /// The sum of the numbers.
    Sum,
    /// Their mean.
    Average,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The value below which this many per cent of the numbers lie, interpolated between two.
    Percentile(f64),
}

const FUNCTIONS: [&str; 14] = [
    "count",
    "dc",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "percentile",
    "perc",
    "p50",
    "p90",
    "p95",
    "p99",
    "distinct",
];

/// Most functions in one pipe: every group and every cell of a chart has a state of each.
const MAX_AGGREGATES: usize = 32;

impl Aggregate {
    /// Reads one more function into `aggregates`, if there is room.
    pub(super) fn parse_into(aggregates: &mut Vec<Self>, reader: &mut Reader<'_>) -> Result<(), SyntaxError> {
        if aggregates.len() == MAX_AGGREGATES {
            let span = reader.expected("the next pipe").span;
            return Err(SyntaxError::new(span, format!("more than {MAX_AGGREGATES} functions in one pipe"))
                .hint("split them into several queries"));
        }
        aggregates.push(Self::parse(reader)?);
        Ok(())
    }

    /// `function(field) [as name]`, or `count`.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let Some((word, span)) = reader.identifier() else {
            return Err(reader
                .expected("a function")
                .hint("as in count(), dc(user.name) or p95(event.duration)"));
        };
        let lower = word.to_ascii_lowercase();
        let function =
            function(&lower).ok_or_else(|| reader.unknown("function", word, span.clone(), &FUNCTIONS))?;
        let mut aggregate = Self { function, field: None, name: lower.into() };
        if reader.eat('(') {
            aggregate.arguments(reader)?;
        } else if function != Function::Count {
            let hint = format!("write {word}(field)");
            return Err(SyntaxError::new(span, format!("`{word}` of what?")).hint(hint));
        }
        if reader.keyword("as") {
            aggregate.name = reader.field("a name for the column")?;
        }
        Ok(aggregate)
    }

    /// What stands between parentheses, the opening one being read. The name becomes the whole call.
    fn arguments(&mut self, reader: &mut Reader<'_>) -> Result<(), SyntaxError> {
        if self.function == Function::Count && reader.eat(')') {
            return Ok(());
        }
        let field = reader.column()?;
        let mut call = format!("{}({field}", self.name);
        if matches!(&*self.name, "percentile" | "perc") {
            let share = share(reader, &call)?;
            self.function = Function::Percentile(share);
            call += &format!(", {share}");
        }
        if !reader.eat(')') {
            return Err(reader.expected("a closing parenthesis"));
        }
        self.field = Some(field);
        self.name = format!("{call})").into();
        Ok(())
    }

    /// Whether the number of records is all it asks.
    pub(super) fn only_counts(&self) -> bool {
        self.function == Function::Count && self.field.is_none()
    }
}

/// The percentage behind the field.
fn share(reader: &mut Reader<'_>, call: &str) -> Result<f64, SyntaxError> {
    if !reader.eat(',') {
        return Err(reader.expected("a comma and a percentage").hint(format!("write {call}, 95)")));
    }
    reader.peek();
    let at = reader.position();
    let share = reader.decimal()?;
    if (0.0..=100.0).contains(&share) {
        Ok(share)
    } else {
        Err(SyntaxError::new(at..reader.position(), "a percentage lies between 0 and 100"))
    }
}

fn function(word: &str) -> Option<Function> {
    Some(match word {
        "count" => Function::Count,
        "dc" | "distinct" => Function::Distinct,
        "sum" => Function::Sum,
        "avg" | "mean" => Function::Average,
        "min" => Function::Min,
        "max" => Function::Max,
        "median" | "percentile" | "perc" => Function::Percentile(50.0),
        _ => {
            let digits = word.strip_prefix('p').filter(|digits| (1..=2).contains(&digits.len()))?;
            Function::Percentile(digits.parse::<u8>().ok()?.into())
        }
    })
}

/// What a function remembers.
#[derive(Clone, Debug)]
pub(super) enum State {
    Count(u64),
    Distinct(Distinct),
    Sum(Sum),
    Average(Sum),
    Extreme(Option<Value>, Ordering),
    Percentile(Vec<f64>, f64),
}

/// Numbers added up: whole ones exactly.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    whole: i128,
    fractions: f64,
    has_fractions: bool,
    count: u64,
}

impl Sum {
    fn add(&mut self, value: &Value) {
        let whole = match value {
            Value::Int(number) => Some(*number),
            Value::Str(text) => text.parse().ok(),
            _ => None,
        };
        match (whole, value.as_f64()) {
            (Some(number), Some(_)) => self.whole = self.whole.saturating_add(number.into()),
            (None, Some(number)) => {
                self.fractions += number;
                self.has_fractions = true;
            }
            (_, None) => return,
        }
        self.count += 1;
    }

    fn merge(&mut self, other: Self) {
        self.whole = self.whole.saturating_add(other.whole);
        self.fractions += other.fractions;
        self.has_fractions |= other.has_fractions;
        self.count += other.count;
    }

    fn total(&self) -> f64 {
        self.whole as f64 + self.fractions
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
            Function::Percentile(share) => Self::Percentile(Vec::new(), share),
        }
    }

    /// Takes a record in; answers by how many bytes this grew.
    pub(super) fn add(&mut self, aggregate: &Aggregate, record: &Record<'_>) -> usize {
        match (&aggregate.field, &mut *self) {
            (None, Self::Count(count)) => {
                *count += 1;
                0
            }
            (None, _) => 0,
            (Some(field), _) => record.get(field).map_or(0, |value| self.add_value(&value)),
        }
    }

    fn add_value(&mut self, value: &Value) -> usize {
        match value {
            Value::Null => 0,
            Value::List(elements) => elements.iter().map(|element| self.add_value(element)).sum(),
            scalar => self.add_scalar(scalar),
        }
    }

    fn add_scalar(&mut self, value: &Value) -> usize {
        match self {
            Self::Count(count) => *count += 1,
            Self::Sum(sum) | Self::Average(sum) => sum.add(value),
            Self::Distinct(distinct) => {
                let mut encoded = Vec::new();
                order::encode(value, &mut encoded);
                return distinct.add(&encoded);
            }
            Self::Extreme(best, side) => {
                if best.as_ref().is_none_or(|best| order::compare(value, best) == *side) {
                    let grown = value.heap_bytes().saturating_sub(best.as_ref().map_or(0, Value::heap_bytes));
                    *best = Some(value.clone());
                    return grown;
                }
            }
            Self::Percentile(values, _) => {
                if let Some(number) = value.as_f64() {
                    values.push(number);
                    return size_of::<f64>() * 2;
                }
            }
        }
        0
    }

    /// Takes in what another state of the same function remembers.
    pub(super) fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Count(own), Self::Count(their)) => *own += their,
            (Self::Distinct(own), Self::Distinct(their)) => own.merge(their),
            (Self::Sum(own), Self::Sum(their)) | (Self::Average(own), Self::Average(their)) => {
                own.merge(their)
            }
            (own @ Self::Extreme(..), Self::Extreme(Some(their), _)) => {
                own.add_scalar(&their);
            }
            (Self::Percentile(own, _), Self::Percentile(their, _)) => own.extend(their),
            _ => {}
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
            Self::Average(sum) => number(sum.total() / sum.count as f64),
            Self::Extreme(best, _) => best.unwrap_or(Value::Null),
            Self::Percentile(values, share) => percentile(values, share).map_or(Value::Null, number),
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

/// The value at `share` per cent of the way through the sorted numbers, between two neighbours in proportion.
fn percentile(mut values: Vec<f64>, share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let place = share / 100.0 * (values.len().checked_sub(1)? as f64);
    let below = *values.get(place.floor() as usize)?;
    let above = *values.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
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
                state.add(&aggregate, &Record::Row { columns: &columns, cells });
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
