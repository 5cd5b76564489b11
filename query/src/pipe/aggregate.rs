//! [`Aggregate`]: a function of many records as it is written, `count()` or `dc(user.name)`. What it remembers is a `State`.

use locard_filter::SyntaxError;

use super::read::Reader;

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
