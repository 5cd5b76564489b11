//! Text to [`Expression`]: precedence climbing over characters.
//!
//! From loose to tight: `or`, `and`, `not`, comparisons, `+ -`, `* / %`, `-x`. Fields are written bare or, with other characters than
//! letters, digits, `_`, `.` and `@`, in single quotes or backticks; texts in double quotes; durations as `90s`.

use locard_event::Value;
use locard_filter::SyntaxError;

use super::Expression;
use super::arithmetic::Operator;
use super::call::Call;
use crate::pipe::read::Reader;

/// Deepest nesting of parentheses, calls and signs.
const MAX_DEPTH: usize = 64;
/// Most operators and operands in one expression.
const MAX_NODES: usize = 1_000;

/// Reads an expression up to what is none of it.
pub(super) fn expression(reader: &mut Reader<'_>) -> Result<Expression, SyntaxError> {
    Syntax { reader, depth: 0, nodes: 0 }.or()
}

struct Syntax<'r, 'a> {
    reader: &'r mut Reader<'a>,
    depth: usize,
    nodes: usize,
}

/// Operators of one strength, the longer spellings first.
type Operators = &'static [(&'static str, Operator)];
const COMPARISONS: Operators = &[
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
];
const SUMS: Operators = &[("+", Operator::Add), ("-", Operator::Subtract)];
const PRODUCTS: Operators = &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)];

impl Syntax<'_, '_> {
    fn or(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.and()?;
        while self.reader.keyword("or") || self.reader.eat_text("||") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.not()?;
        while self.reader.keyword("and") || self.reader.eat_text("&&") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, SyntaxError> {
        if self.reader.keyword("not") || self.reader.eat_not() {
            let inner = self.nested(Self::not)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        let left = self.sum()?;
        match self.operator(COMPARISONS) {
            Some(operator) => {
                let right = self.sum()?;
                Ok(Expression::Binary(operator, Box::new(left), Box::new(right)))
            }
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(SUMS) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.sign()?;
        while let Some(operator) = self.operator(PRODUCTS) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.sign()?));
        }
        Ok(left)
    }

    fn sign(&mut self) -> Result<Expression, SyntaxError> {
        if self.reader.eat('-') {
            let inner = self.nested(Self::sign)?;
            return Ok(Expression::Negated(Box::new(inner)));
        }
        self.operand()
    }

    fn operator(&mut self, operators: Operators) -> Option<Operator> {
        operators.iter().find(|(text, _)| self.reader.eat_text(text)).map(|(_, operator)| *operator)
    }

    fn nested(
        &mut self,
        read: fn(&mut Self) -> Result<Expression, SyntaxError>,
    ) -> Result<Expression, SyntaxError> {
        self.depth += 1;
        let at = self.reader.position();
        if self.depth > MAX_DEPTH {
            return Err(SyntaxError::new(at..at, format!("nested deeper than {MAX_DEPTH}"))
                .hint("split it into several assignments"));
        }
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    fn operand(&mut self) -> Result<Expression, SyntaxError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let at = self.reader.position();
            return Err(SyntaxError::new(at..at, format!("more than {MAX_NODES} operands"))
                .hint("split it into several assignments"));
        }
        match self.reader.peek() {
            Some('(') => {
                self.reader.eat('(');
                let inner = self.nested(Self::or)?;
                self.close()?;
                Ok(inner)
            }
            Some('"') => Ok(Expression::Literal(self.reader.quoted('"')?.into_string().into())),
            Some(quote @ ('\'' | '`')) => Ok(Expression::Field(self.reader.quoted(quote)?)),
            Some(digit) if digit.is_ascii_digit() => self.number(),
            _ => self.named(),
        }
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.reader.eat(')') { Ok(()) } else { Err(self.reader.expected("a closing parenthesis")) }
    }

    /// `12`, `1.5`, `1e9`, `15m`.
    fn number(&mut self) -> Result<Expression, SyntaxError> {
        let text = self.reader.numeral();
        let start = self.reader.position() - text.len();
        let duration = || locard_filter::parse_duration(text).map(Value::Int);
        let number = text.parse().ok().map(Value::Int).or_else(duration);
        let number =
            number.or_else(|| text.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::Float));
        number.map(Expression::Literal).ok_or_else(|| {
            SyntaxError::new(start..self.reader.position(), format!("`{text}` is neither number nor duration"))
                .hint("durations are written like 90s, 15m, 24h or 7d; fields that begin with a digit in single quotes")
        })
    }

    /// A word: a constant, a function with its arguments, a field.
    fn named(&mut self) -> Result<Expression, SyntaxError> {
        let word = self.reader.path();
        let end = self.reader.position();
        let span = end - word.len()..end;
        if word.is_empty() {
            return Err(self.reader.expected("a value").hint("a number, a \"text\", a field or a function"));
        }
        if self.reader.peek() == Some('(') {
            self.reader.eat('(');
            let mut arguments = Vec::new();
            if self.reader.peek() != Some(')') {
                arguments.push(self.nested(Self::or)?);
                while self.reader.eat(',') {
                    arguments.push(self.nested(Self::or)?);
                }
            }
            self.close()?;
            let call = Call::new(word, span, arguments, self.reader)?;
            return Ok(Expression::Call(Box::new(call)));
        }
        Ok(match word.to_ascii_lowercase().as_str() {
            "true" => Expression::Literal(true.into()),
            "false" => Expression::Literal(false.into()),
            "null" => Expression::Literal(Value::Null),
            _ => Expression::Field(word.into()),
        })
    }
}
