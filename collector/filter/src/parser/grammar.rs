//! The boolean structure: OR, AND, NOT, parentheses and value groups.

use super::{MAX_DEPTH, Parser, fault, starts_negation};
use crate::{Filter, SyntaxError};

/// What the tests inside a group are about.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// The event: a test may name its field.
    Event,
    /// `field:(…)`: every value is one of this field.
    Values(&'s str),
    /// `field=(…)`: every value is the whole of this field.
    Whole(&'s str),
}

impl Parser<'_> {
    pub(super) fn whole(&mut self) -> Result<Filter, SyntaxError> {
        self.cursor.skip_spaces();
        if matches!(self.cursor.peek(), None | Some('|')) && !self.cursor.rest().starts_with("||") {
            return Ok(Filter::All);
        }
        let filter = self.any(Scope::Event)?;
        match self.cursor.peek() {
            Some(')') => Err(fault::unmatched_parenthesis(&self.cursor)),
            _ => Ok(filter),
        }
    }

    /// Parts joined by OR.
    fn any(&mut self, scope: Scope<'_>) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.all(scope)?];
        while self.keyword("OR") {
            self.operand_follows("OR")?;
            parts.push(self.all(scope)?);
        }
        Ok(Filter::any_of(parts))
    }

    /// Parts joined by AND or by nothing.
    fn all(&mut self, scope: Scope<'_>) -> Result<Filter, SyntaxError> {
        let mut parts = vec![self.not(scope)?];
        loop {
            self.cursor.skip_spaces();
            if self.keyword("AND") {
                self.operand_follows("AND")?;
            } else if self.at_end_of_all()? {
                return Ok(Filter::all_of(parts));
            }
            parts.push(self.not(scope)?);
        }
    }

    fn at_end_of_all(&self) -> Result<bool, SyntaxError> {
        fault::foreign_operator(&self.cursor)?;
        fault::lone_colon(&self.cursor)?;
        Ok(matches!(self.cursor.peek(), None | Some(')' | '|')) || self.cursor.token() == "OR")
    }

    fn not(&mut self, scope: Scope<'_>) -> Result<Filter, SyntaxError> {
        self.cursor.skip_spaces();
        fault::foreign_not(&self.cursor)?;
        if self.keyword("NOT") {
            self.operand_follows("NOT")?;
        } else if starts_negation(self.cursor.rest()) {
            self.cursor.bump();
            if self.cursor.at_delimiter() {
                return Err(fault::lone_dash(&self.cursor));
            }
        } else {
            return self.primary(scope);
        }
        self.nested(|parser| Ok(Filter::Not(Box::new(parser.not(scope)?))))
    }

    fn primary(&mut self, scope: Scope<'_>) -> Result<Filter, SyntaxError> {
        fault::misplaced_keyword(&self.cursor)?;
        if self.cursor.peek() == Some('(') {
            return self.group(scope);
        }
        match scope {
            Scope::Event => self.test(),
            Scope::Values(field) => self.value_of(field),
            Scope::Whole(field) => self.whole_value_of(field),
        }
    }

    /// A group in parentheses, the opening one being next.
    pub(super) fn group(&mut self, scope: Scope<'_>) -> Result<Filter, SyntaxError> {
        let open = self.cursor.position();
        self.cursor.bump();
        self.cursor.skip_spaces();
        if self.cursor.peek() == Some(')') {
            return Err(fault::empty_group(open..self.cursor.position() + 1));
        }
        let inner = self.nested(|parser| parser.any(scope))?;
        match self.cursor.peek() {
            Some(')') => {
                self.cursor.bump();
                Ok(inner)
            }
            Some('|') => Err(fault::pipe_in_group(self.cursor.position())),
            _ => Err(fault::unclosed_parenthesis(&self.cursor, open)),
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Filter, SyntaxError>,
    ) -> Result<Filter, SyntaxError> {
        if self.depth == MAX_DEPTH {
            return Err(fault::too_deep(&self.cursor));
        }
        self.depth += 1;
        let filter = read(self);
        self.depth -= 1;
        filter
    }

    /// Consumes the upper-case keyword if it is the next token.
    fn keyword(&mut self, keyword: &str) -> bool {
        self.cursor.skip_spaces();
        let found = self.cursor.token() == keyword;
        if found {
            self.cursor.jump(self.cursor.position() + keyword.len());
        }
        found
    }

    /// Something must follow a keyword.
    fn operand_follows(&mut self, keyword: &str) -> Result<(), SyntaxError> {
        let end = self.cursor.position();
        self.cursor.skip_spaces();
        match self.cursor.peek() {
            None | Some(')' | '|') => Err(fault::nothing_after(keyword, end)),
            _ => Ok(()),
        }
    }
}
