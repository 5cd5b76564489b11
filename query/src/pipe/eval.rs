//! `eval total=a+b, slow=if(total>5s, "yes", "no")`: values computed from those of one record.
//!
//! [`expression`] is what was written, [`syntax`] reads it, [`call`] are the functions, [`arithmetic`] what operators do. What cannot be
//! computed is null, and a field that becomes null is gone.

mod arithmetic;
mod call;
mod expression;
mod syntax;
#[cfg(test)]
mod tests;

pub(super) use call::regex as compiled;
pub use expression::Expression;

use locard_event::{Timestamp, Value, name};
use locard_filter::SyntaxError;

use super::read::Reader;
use super::record::Record;

/// Most assignments in one pipe.
const MAX_ASSIGNMENTS: usize = 64;
/// What says which event it is and when it was cannot be said anew.
const FIXED: [&str; 5] = [name::ID, name::STREAM, name::TIMESTAMP, name::TIME, name::PATTERN];

/// The pipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Eval {
    /// In order: a later one sees what an earlier one computed.
    pub assignments: Vec<Assignment>,
}

/// One value that is computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Its name.
    pub name: Box<str>,
    /// What it is computed from.
    pub expression: Expression,
}

impl Eval {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let mut assignments = vec![Assignment::parse(reader)?];
        while reader.eat(',') {
            if assignments.len() == MAX_ASSIGNMENTS {
                let at = reader.position();
                return Err(SyntaxError::new(at..at, format!("more than {MAX_ASSIGNMENTS} assignments"))
                    .hint("write a second eval"));
            }
            assignments.push(Assignment::parse(reader)?);
        }
        Ok(Self { assignments })
    }
}

impl Assignment {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let name = new_field(reader)?;
        if !reader.eat('=') {
            return Err(reader.expected("`=`").hint("as in eval seconds=event.duration/1s"));
        }
        Ok(Self { name, expression: syntax::expression(reader)? })
    }

    pub(super) fn value(&self, record: &Record<'_>, now: Timestamp) -> Value {
        self.expression.value(record, now).into_owned()
    }
}

/// The name of a field that a pipe makes.
pub(super) fn new_field(reader: &mut Reader<'_>) -> Result<Box<str>, SyntaxError> {
    reader.peek();
    let start = reader.position();
    let name = reader.field("the name of a field to make")?;
    check_new(&name, start..reader.position())?;
    Ok(name)
}

/// Refuses a name that says which event it is.
pub(super) fn check_new(name: &str, span: std::ops::Range<usize>) -> Result<(), SyntaxError> {
    if FIXED.contains(&name) {
        return Err(SyntaxError::new(span, format!("`{name}` cannot be changed")).hint("choose another name"));
    }
    Ok(())
}
