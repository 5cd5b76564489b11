//! [`Matcher`]: a filter compiled for single events, the reference meaning of the language.
//!
//! Every plan on an index must give the same answer. Knows where a test looks ([`Place`]); what a test asks of one
//! value is in [`test`].

mod literal;
mod scalar;
mod test;
mod wildcard;

use std::cell::RefCell;

use locard_event::{Event, Value, name};

use crate::template::{self, Scanner};
use crate::{Filter, Predicate, SyntaxError, Test};
use test::Compiled;

/// A filter compiled for single events: the reference meaning of the language.
#[derive(Debug)]
pub struct Matcher {
    root: Node,
}

#[derive(Debug)]
enum Node {
    All,
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Is(Place, Compiled),
}

/// Where a test looks.
#[derive(Debug)]
enum Place {
    /// The message, the labels of the stream, the values of all fields; not the id and the event's own times.
    Anywhere,
    /// The message, as bytes.
    Message,
    /// The name of the message's pattern.
    Pattern,
    /// What [`Event::get`] gives.
    Field(Box<str>),
}

thread_local! {
    /// Room for folded text, kept from event to event.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static SCANNER: RefCell<Scanner> = RefCell::default();
}

impl Matcher {
    /// Compiles a filter whose times are resolved ([`Filter::resolve`]).
    ///
    /// # Errors
    /// A regular expression is malformed or compiles to more than the size limit; a time is still relative.
    pub fn new(filter: &Filter) -> Result<Self, SyntaxError> {
        Ok(Self { root: compile(filter)? })
    }

    /// Whether the event matches.
    pub fn matches(&self, event: &Event) -> bool {
        with_scratch(|scratch| self.root.matches(event, scratch))
    }
}

/// One test compiled for single values: what a [`Matcher`] asks of each. For plans on an index.
#[derive(Debug)]
pub struct ValueTest(Compiled);

impl ValueTest {
    /// Compiles a test whose times are resolved.
    ///
    /// # Errors
    /// As [`Matcher::new`].
    pub fn new(test: &Test) -> Result<Self, SyntaxError> {
        Compiled::new(test).map(Self)
    }

    /// Whether a value matches: a list if any of its elements does, null never.
    pub fn matches(&self, value: &Value) -> bool {
        with_scratch(|scratch| value_matches(&self.0, value, scratch))
    }

    /// Whether a text matches, as a message or a string value.
    pub fn matches_bytes(&self, text: &[u8]) -> bool {
        with_scratch(|scratch| self.0.matches_bytes(text, scratch))
    }
}

fn with_scratch<T>(ask: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    SCRATCH.with(|scratch| match scratch.try_borrow_mut() {
        Ok(mut scratch) => ask(&mut scratch),
        Err(_) => ask(&mut Vec::new()),
    })
}

/// Calls `ask` with the name of a message's pattern, if it has one.
fn with_pattern<T>(message: &[u8], ask: impl FnOnce(Option<String>) -> T) -> T {
    let name = |scanner: &mut Scanner| {
        scanner.scan(message);
        scanner.template().map(template::pattern_name)
    };
    ask(SCANNER.with(|scanner| match scanner.try_borrow_mut() {
        Ok(mut scanner) => name(&mut scanner),
        Err(_) => name(&mut Scanner::new()),
    }))
}

fn compile(filter: &Filter) -> Result<Node, SyntaxError> {
    let all = |parts: &[Filter]| parts.iter().map(compile).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::All => Node::All,
        Filter::And(parts) => Node::And(all(parts)?),
        Filter::Or(parts) => Node::Or(all(parts)?),
        Filter::Not(part) => Node::Not(Box::new(compile(part)?)),
        Filter::Is(Predicate { field, test }) => {
            let place = match field.as_deref() {
                None => Place::Anywhere,
                Some(name::MESSAGE) => Place::Message,
                Some(name::PATTERN) => Place::Pattern,
                Some(field) => Place::Field(field.into()),
            };
            Node::Is(place, Compiled::new(test)?)
        }
    })
}

impl Node {
    fn matches(&self, event: &Event, scratch: &mut Vec<u8>) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(event, scratch)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(event, scratch)),
            Self::Not(part) => !part.matches(event, scratch),
            Self::Is(Place::Message, test) => test.matches_bytes(&event.message, scratch),
            Self::Is(Place::Anywhere, test) => anywhere(test, event, scratch),
            Self::Is(Place::Pattern, test) => with_pattern(&event.message, |pattern| {
                pattern.is_some_and(|pattern| test.matches_bytes(pattern.as_bytes(), scratch))
            }),
            Self::Is(Place::Field(field), test) => {
                event.get(field).is_some_and(|value| value_matches(test, &value, scratch))
            }
        }
    }
}

fn anywhere(test: &Compiled, event: &Event, scratch: &mut Vec<u8>) -> bool {
    test.matches_bytes(&event.message, scratch)
        || event.fields.iter().any(|(_, value)| value_matches(test, value, scratch))
        || event.stream.iter().any(|(_, label)| test.matches_bytes(label.as_bytes(), scratch))
}

/// A list matches if any of its elements does.
fn value_matches(test: &Compiled, value: &Value, scratch: &mut Vec<u8>) -> bool {
    match value {
        Value::List(elements) => elements.iter().any(|element| value_matches(test, element, scratch)),
        Value::Null => false,
        scalar => test.matches_value(scalar, scratch),
    }
}
