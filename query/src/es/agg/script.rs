//! Expressions of `bucket_script` and `bucket_selector`, and the functions of `moving_fn`: arithmetic, comparisons, `Math`. The rest
//! of Elasticsearch's script language is refused.

use std::collections::BTreeMap;

use crate::es::error::Error;

/// Deepest nesting of an expression.
const MAX_DEPTH: usize = 64;

/// An expression of numbers; truth is 1 or 0.
#[derive(Clone, Debug)]
pub(super) struct Script {
    root: Node,
    constants: BTreeMap<String, f64>,
}

#[derive(Clone, Debug)]
enum Node {
    Number(f64),
    Variable(String),
    Unary(char, Box<Node>),
    Binary(&'static str, Box<(Node, Node)>),
    If(Box<(Node, Node, Node)>),
    Call(String, Vec<Node>),
}

/// Operators by how tightly they bind, the loosest first.
const LEVELS: [&[&str]; 6] =
    [&["||"], &["&&"], &["==", "!="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];

impl Script {
    /// Reads an expression.
    pub(super) fn read(text: &str, constants: BTreeMap<String, f64>) -> Result<Self, Error> {
        let inner = text.trim().trim_end_matches(';').trim();
        let inner = inner.strip_prefix("return ").unwrap_or(inner);
        let mut parser = Parser { text: inner, at: 0, depth: 0 };
        let root = parser.choice().filter(|_| parser.rest().trim().is_empty());
        let root = root.ok_or_else(|| Error::unsupported(&format!("script {text}")))?;
        Ok(Self { root, constants })
    }

    /// Its value.
    pub(super) fn of(&self, variables: &BTreeMap<&str, f64>) -> Result<f64, Error> {
        self.value(&self.root, variables)
    }

    fn value(&self, node: &Node, variables: &BTreeMap<&str, f64>) -> Result<f64, Error> {
        let of = |node: &Node| self.value(node, variables);
        Ok(match node {
            Node::Number(number) => *number,
            Node::Variable(name) => {
                let known = variables.get(name.as_str()).or_else(|| self.constants.get(name));
                *known.ok_or_else(|| Error::illegal(format!("Variable [{name}] is not defined.")))?
            }
            Node::Unary('!', inner) => f64::from(u8::from(of(inner)? == 0.0)),
            Node::Unary(_, inner) => -of(inner)?,
            Node::Binary(operator, sides) => binary(operator, of(&sides.0)?, of(&sides.1)?),
            Node::If(parts) => {
                let (condition, yes, no) = &**parts;
                if of(condition)? == 0.0 { of(no)? } else { of(yes)? }
            }
            Node::Call(name, arguments) => {
                let arguments = arguments.iter().map(of).collect::<Result<Vec<_>, _>>()?;
                call(name, &arguments)
                    .ok_or_else(|| Error::unsupported(&format!("script function Math.{name}")))?
            }
        })
    }
}

fn binary(operator: &str, left: f64, right: f64) -> f64 {
    let truth = |truth: bool| f64::from(u8::from(truth));
    match operator {
        "||" => truth(left != 0.0 || right != 0.0),
        "&&" => truth(left != 0.0 && right != 0.0),
        "==" => truth(left == right),
        "!=" => truth(left != right),
        "<=" => truth(left <= right),
        ">=" => truth(left >= right),
        "<" => truth(left < right),
        ">" => truth(left > right),
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left % right,
    }
}

fn call(name: &str, arguments: &[f64]) -> Option<f64> {
    Some(match (name, arguments) {
        ("abs", [x]) => x.abs(),
        ("ceil", [x]) => x.ceil(),
        ("floor", [x]) => x.floor(),
        ("round", [x]) => (x + 0.5).floor(),
        ("sqrt", [x]) => x.sqrt(),
        ("log", [x]) => x.ln(),
        ("log10", [x]) => x.log10(),
        ("exp", [x]) => x.exp(),
        ("pow", [x, y]) => x.powf(*y),
        ("max", [x, y]) => x.max(*y),
        ("min", [x, y]) => x.min(*y),
        _ => return None,
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn accept(&mut self, token: &str) -> bool {
        let rest = self.rest();
        let trimmed = rest.trim_start();
        if !trimmed.starts_with(token) {
            return false;
        }
        self.at += rest.len() - trimmed.len() + token.len();
        true
    }

    /// `condition ? one : other`, or what is in its place.
    fn choice(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let condition = self.level(0)?;
        let node = if self.accept("?") {
            let yes = self.choice()?;
            if !self.accept(":") {
                return None;
            }
            Node::If(Box::new((condition, yes, self.choice()?)))
        } else {
            condition
        };
        self.depth -= 1;
        Some(node)
    }

    fn level(&mut self, level: usize) -> Option<Node> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.accept(operator)) {
            let right = self.level(level + 1)?;
            left = Node::Binary(operator, Box::new((left, right)));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Node> {
        let mut marks = Vec::new();
        loop {
            if self.accept("-") {
                marks.push('-');
            } else if self.accept("!") {
                marks.push('!');
            } else {
                break;
            }
        }
        let node = self.primary()?;
        Some(marks.into_iter().rev().fold(node, |node, mark| Node::Unary(mark, Box::new(node))))
    }

    fn primary(&mut self) -> Option<Node> {
        if self.accept("(") {
            let node = self.choice()?;
            return self.accept(")").then_some(node);
        }
        let trimmed = self.rest().trim_start();
        self.at = self.text.len() - trimmed.len();
        let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '.');
        let end = trimmed.find(|char| !is_part(char)).unwrap_or(trimmed.len());
        let (word, _) = trimmed.split_at_checked(end)?;
        self.at += end;
        if word.starts_with(|char: char| char.is_ascii_digit() || char == '.') {
            return word.trim_end_matches(['L', 'd', 'D', 'f', 'F']).parse().ok().map(Node::Number);
        }
        if let Some(function) = word.strip_prefix("Math.") {
            return self.call(function);
        }
        match word {
            "true" => Some(Node::Number(1.0)),
            "false" => Some(Node::Number(0.0)),
            "params" if self.accept("[") => {
                let rest = self.rest();
                let quote = rest.chars().next().filter(|char| matches!(char, '\'' | '"'))?;
                let (name, _) = rest.get(1..)?.split_once(quote)?;
                self.at += name.len() + 2;
                self.accept("]").then(|| Node::Variable(name.to_owned()))
            }
            word => {
                let name = word.strip_prefix("params.").unwrap_or(word);
                (!name.is_empty() && !name.contains('.')).then(|| Node::Variable(name.to_owned()))
            }
        }
    }

    fn call(&mut self, function: &str) -> Option<Node> {
        if !self.accept("(") {
            return None;
        }
        let mut arguments = vec![self.choice()?];
        while self.accept(",") {
            arguments.push(self.choice()?);
        }
        self.accept(")").then(|| Node::Call(function.to_owned(), arguments))
    }
}

/// A function of the values in a moving window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moving {
    Max,
    Min,
    Sum,
    Average,
    Deviation,
    LinearAverage,
    Ewma { alpha: f64 },
    Holt { alpha: f64, beta: f64 },
}

impl Moving {
    /// Reads `MovingFunctions.unweightedAvg(values)` and its like.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        let unknown = || Error::unsupported(&format!("script {text}"));
        let inner = text.trim().trim_end_matches(';').trim();
        let inner = inner.strip_prefix("return ").unwrap_or(inner).trim();
        let call = inner.strip_prefix("MovingFunctions.").and_then(|call| call.strip_suffix(')'));
        let (name, arguments) = call.and_then(|call| call.split_once('(')).ok_or_else(unknown)?;
        let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<f64>().ok());
        let moving = match (name, arguments.len()) {
            ("max", 1) => Self::Max,
            ("min", 1) => Self::Min,
            ("sum", 1) => Self::Sum,
            ("unweightedAvg", 1) => Self::Average,
            ("linearWeightedAvg", 1) => Self::LinearAverage,
            ("stdDev", 2) if inner.contains("MovingFunctions.unweightedAvg(values)") => Self::Deviation,
            ("ewma", 2) => Self::Ewma { alpha: number(1).ok_or_else(unknown)? },
            ("holt", 3) => {
                Self::Holt { alpha: number(1).ok_or_else(unknown)?, beta: number(2).ok_or_else(unknown)? }
            }
            _ => return Err(unknown()),
        };
        if arguments.first() == Some(&"values") { Ok(moving) } else { Err(unknown()) }
    }

    /// Its value; nothing where there is none.
    pub(super) fn of(self, values: &[f64]) -> Option<f64> {
        let count = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let average = (!values.is_empty()).then(|| sum / count);
        match self {
            Self::Max => values.iter().copied().reduce(f64::max),
            Self::Min => values.iter().copied().reduce(f64::min),
            Self::Sum => Some(sum),
            Self::Average => average,
            Self::Deviation => average.map(|average| {
                (values.iter().map(|value| (value - average).powi(2)).sum::<f64>() / count).sqrt()
            }),
            Self::LinearAverage => {
                let weighted: f64 =
                    values.iter().zip(1u32..).map(|(value, weight)| value * f64::from(weight)).sum();
                let weights: f64 = values.iter().zip(1u32..).map(|(_, weight)| f64::from(weight)).sum();
                (weights > 0.0).then(|| weighted / weights)
            }
            Self::Ewma { alpha } => {
                values.iter().copied().reduce(|average, value| value * alpha + average * (1.0 - alpha))
            }
            Self::Holt { alpha, beta } => holt(values, alpha, beta),
        }
    }
}

/// Holt's linear exponential smoothing, as Elasticsearch starts it.
fn holt(values: &[f64], alpha: f64, beta: f64) -> Option<f64> {
    let (mut level, mut trend) = (*values.first()?, 0.0);
    let mut before = level;
    for (at, value) in values.iter().enumerate().skip(1) {
        let last = level;
        if at == 1 {
            trend = value - before;
        }
        level = alpha * value + (1.0 - alpha) * (level + trend);
        trend = beta * (level - last) + (1.0 - beta) * trend;
        before = *value;
    }
    Some(level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<f64>) {
        let script = Script::read(text, [("k".to_owned(), 10.0)].into());
        let value = script.and_then(|script| script.of(&[("a", 6.0), ("b", 4.0)].into()));
        assert_eq!(value.ok(), expected, "{text}");
    }

    #[test]
    fn expressions_are_arithmetic() {
        check("params.a + params.b * 2", Some(14.0));
        check("(params.a + params.b) * 2", Some(20.0));
        check("return params['a'] / params.k;", Some(0.6));
        check("-a - -b", Some(-2.0));
        check("params.a > params.b && params.b != 3", Some(1.0));
        check("params.a > 10 ? 1 : Math.max(params.a, 7)", Some(7.0));
        check("1.5e", None);
        check("params.unknown", None);
        check("doc['x'].value", None);
        check("params.a; params.b", None);
        check("Math.random()", None);
    }

    #[test]
    fn windows_have_functions() {
        for (text, expected) in [
            ("MovingFunctions.unweightedAvg(values)", Some(2.0)),
            ("return MovingFunctions.max(values);", Some(3.0)),
            ("MovingFunctions.linearWeightedAvg(values)", Some(14.0 / 6.0)),
            ("MovingFunctions.ewma(values, 0.5)", Some(2.25)),
            (
                "MovingFunctions.stdDev(values, MovingFunctions.unweightedAvg(values))",
                Some((2.0f64 / 3.0).sqrt()),
            ),
        ] {
            assert_eq!(Moving::read(text).unwrap().of(&[1.0, 2.0, 3.0]), expected, "{text}");
        }
        assert_eq!(Moving::Sum.of(&[]), Some(0.0));
        assert_eq!(Moving::Average.of(&[]), None);
        assert!(Moving::read("MovingFunctions.holtWinters(values)").is_err());
    }
}
