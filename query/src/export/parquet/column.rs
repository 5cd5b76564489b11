//! [`Column`]: the values of a group of rows under one name, until they are written.

use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::errors::Result;
use ::parquet::file::writer::SerializedColumnWriter;
use bytes::Bytes;
use locard_event::{Timestamp, Value};
use serde_json::Value as Json;

use super::super::cell::{text, text_of_json};
use super::schema::{Kind, exact_float, time};

/// Values, and in which rows they stand.
#[derive(Debug)]
pub(super) struct Column {
    kind: Kind,
    /// One a row: whether there is a value.
    levels: Vec<i16>,
    data: Data,
}

#[derive(Debug)]
enum Data {
    /// All texts, one behind the other, and where each ends.
    Texts(Vec<u8>, Vec<usize>),
    /// Times too.
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
}

impl Column {
    pub(super) fn new(kind: Kind) -> Self {
        let data = match kind {
            Kind::Text | Kind::Json => Data::Texts(Vec::new(), Vec::new()),
            Kind::Int | Kind::Time => Data::Ints(Vec::new()),
            Kind::Float => Data::Floats(Vec::new()),
            Kind::Bool => Data::Bools(Vec::new()),
        };
        Self { kind, levels: Vec::new(), data }
    }

    /// What it holds, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let values = match &self.data {
            Data::Texts(bytes, ends) => bytes.len() + size_of_val(ends.as_slice()),
            Data::Ints(values) => size_of_val(values.as_slice()),
            Data::Floats(values) => size_of_val(values.as_slice()),
            Data::Bools(values) => values.len(),
        };
        values + size_of_val(self.levels.as_slice())
    }

    /// Takes a value as far as it fits, and says whether the column tells it apart from any other value. What only reads like a value
    /// of the column (`"443"` in a column of numbers) is taken as that, but told apart it is not.
    pub(super) fn put(&mut self, value: &Value) -> bool {
        match (self.kind, value) {
            (_, Value::Null) => false,
            (Kind::Text | Kind::Json, value) => {
                self.put_text(text(value).as_bytes());
                matches!(value, Value::Str(_) | Value::Ip(_) | Value::Time(_))
            }
            (Kind::Int, Value::Int(number)) => self.put_int(Some(*number)),
            (Kind::Int, Value::Str(text)) => {
                let number = text.parse().ok().filter(|number: &i64| number.to_string() == **text);
                self.put_int(number);
                false
            }
            (Kind::Time, value) => {
                let time = value.as_time();
                self.put_int(time.map(Timestamp::nanos));
                time.is_some_and(|time| time.to_string() == *value.text())
            }
            (Kind::Float, Value::Float(number)) => self.put_float(Some(*number)),
            (Kind::Float, Value::Int(number)) => self.put_float(exact_float(&(*number).into())),
            (Kind::Float, value) => {
                self.put_float(value.as_f64());
                false
            }
            (Kind::Bool, Value::Bool(truth)) => {
                self.put_bool(*truth);
                true
            }
            (Kind::Int | Kind::Bool, _) => false,
        }
    }

    /// Takes a cell of rows, which the kind was chosen by.
    pub(super) fn put_cell(&mut self, cell: &Json) {
        match self.kind {
            _ if cell.is_null() => {}
            Kind::Text | Kind::Json => self.put_text(text_of_json(cell).as_bytes()),
            Kind::Int => drop(self.put_int(cell.as_i64())),
            Kind::Time => drop(self.put_int(time(cell).map(Timestamp::nanos))),
            Kind::Float => drop(self.put_float(exact_float(cell))),
            Kind::Bool => cell.as_bool().into_iter().for_each(|truth| self.put_bool(truth)),
        }
    }

    pub(super) fn put_text(&mut self, text: &[u8]) {
        if let Data::Texts(bytes, ends) = &mut self.data {
            bytes.extend_from_slice(text);
            ends.push(bytes.len());
            self.levels.push(1);
        }
    }

    fn put_int(&mut self, number: Option<i64>) -> bool {
        let (Data::Ints(values), Some(number)) = (&mut self.data, number) else { return false };
        values.push(number);
        self.levels.push(1);
        true
    }

    fn put_float(&mut self, number: Option<f64>) -> bool {
        let (Data::Floats(values), Some(number)) = (&mut self.data, number) else { return false };
        values.push(number);
        self.levels.push(1);
        true
    }

    fn put_bool(&mut self, truth: bool) {
        if let Data::Bools(values) = &mut self.data {
            values.push(truth);
            self.levels.push(1);
        }
    }

    /// Rows up to here that got no value have none.
    pub(super) fn pad(&mut self, rows: usize) {
        self.levels.resize(rows, 0);
    }

    /// Writes what it holds, and is empty.
    pub(super) fn write(&mut self, into: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = Some(self.levels.as_slice());
        match &mut self.data {
            Data::Texts(bytes, ends) => {
                let values = slices(std::mem::take(bytes), ends);
                into.typed::<ByteArrayType>().write_batch(&values, levels, None)?;
                ends.clear();
            }
            Data::Ints(values) => {
                into.typed::<Int64Type>().write_batch(values, levels, None)?;
                values.clear();
            }
            Data::Floats(values) => {
                into.typed::<DoubleType>().write_batch(values, levels, None)?;
                values.clear();
            }
            Data::Bools(values) => {
                into.typed::<BoolType>().write_batch(values, levels, None)?;
                values.clear();
            }
        }
        self.levels.clear();
        Ok(())
    }
}

/// Texts that stand one behind the other, without another copy.
fn slices(bytes: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let (bytes, mut begin) = (Bytes::from(bytes), 0);
    let slice = |end: &usize| {
        let text = bytes.slice(begin..*end);
        begin = *end;
        text.into()
    };
    ends.iter().map(slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, value: Value, is_told: bool, is_there: bool) {
        let mut column = Column::new(kind);
        assert_eq!(column.put(&value), is_told, "{kind:?} {value:?}");
        assert_eq!(column.levels.len(), usize::from(is_there), "{kind:?} {value:?}");
    }

    #[test]
    fn what_a_column_does_not_tell_apart_it_says() {
        let time = Timestamp::from_nanos(1);
        for kind in [Kind::Text, Kind::Int, Kind::Float, Kind::Bool, Kind::Time] {
            check(kind, Value::Null, false, false);
            check(kind, Value::List(vec![Value::Int(1)]), false, kind == Kind::Text);
        }
        check(Kind::Text, Value::str("a"), true, true);
        check(Kind::Text, Value::Int(1), false, true);
        check(Kind::Text, Value::Time(time), true, true);
        check(Kind::Int, Value::Int(i64::MIN), true, true);
        check(Kind::Int, Value::str("443"), false, true);
        check(Kind::Int, Value::str("0443"), false, false);
        check(Kind::Int, Value::str("18446744073709551615"), false, false);
        check(Kind::Int, Value::Float(1.0), false, false);
        check(Kind::Float, Value::Float(-0.0), true, true);
        check(Kind::Float, Value::Int(1 << 53), true, true);
        check(Kind::Float, Value::Int(i64::MAX), false, false);
        check(Kind::Float, Value::str("1.5"), false, true);
        check(Kind::Bool, Value::Bool(false), true, true);
        check(Kind::Bool, Value::str("true"), false, false);
        check(Kind::Time, Value::Time(time), true, true);
        check(Kind::Time, Value::str(&*time.to_string()), true, true);
        check(Kind::Time, Value::str("2026-03-01T12:00:00Z"), false, true);
        check(Kind::Time, Value::str("yesterday"), false, false);
        check(Kind::Time, Value::Int(1), false, false);
    }
}
