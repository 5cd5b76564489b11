//! One test: a bare value, or a field with an operator and a value.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::cursor::Until;
use super::grammar::Scope;
use super::{Parser, fault, meaning};
use crate::{Comparison, Filter, Predicate, SyntaxError, Test};

/// What stands between a field and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`
    Has,
    /// `=`
    Equals,
    /// `!=`
    Differs,
    /// `~`
    Finds,
    /// `!~`
    Lacks,
    /// `> >= < <=`
    Compares(Comparison),
}

const OPERATOR_CHARS: [char; 5] = ['=', '!', '<', '>', '~'];

impl Parser<'_> {
    /// A test that may name its field.
    pub(super) fn test(&mut self) -> Result<Filter, SyntaxError> {
        match self.cursor.peek() {
            Some('"') => self.phrase_or_field(),
            Some('/') => match self.regex_or_path()? {
                Some(regex) => self.finish(None, regex),
                None => self.bare_word(),
            },
            Some('[' | '{') => Err(fault::range_without_field(&self.cursor)),
            _ => self.bare(),
        }
    }

    /// A value of `field`, after `:` or inside `field:(…)`.
    pub(super) fn value_of(&mut self, field: &str) -> Result<Filter, SyntaxError> {
        match self.cursor.peek() {
            Some('"') => {
                let start = self.cursor.position();
                let text = self.cursor.phrase()?;
                let test = meaning::of_phrase(&self.cursor, field, start, text)?;
                self.finish(Some(field), test)
            }
            Some('[' | '{') => {
                let test = self.range(field)?;
                self.finish(Some(field), test)
            }
            Some('/') => match self.regex_or_path()? {
                Some(regex) => self.finish(Some(field), regex),
                None => self.word_of(field),
            },
            Some('<' | '>') if self.compares_a_number(field) => {
                let operator = self.operator()?;
                self.value_after(field, operator)
            }
            _ => self.word_of(field),
        }
    }

    /// A whole value of `field`, after `=` or inside `field=(…)`.
    pub(super) fn whole_value_of(&mut self, field: &str) -> Result<Filter, SyntaxError> {
        let start = self.cursor.position();
        let text = self.scalar()?;
        let test = meaning::of_whole(&self.cursor, field, start, text)?;
        self.finish(Some(field), test)
    }

    fn bare(&mut self) -> Result<Filter, SyntaxError> {
        let token = self.cursor.token();
        if is_entity(token) {
            return self.bare_word();
        }
        if let Some((name, end)) = self.cursor.name()
            && let Some(operator_at) = self.operator_at(end, token)
        {
            self.cursor.jump(operator_at);
            return self.field(&name, end);
        }
        fault::misplaced_operator(&self.cursor)?;
        self.bare_word()
    }

    fn bare_word(&mut self) -> Result<Filter, SyntaxError> {
        let word = self.cursor.word(Until::Term)?;
        fault::wild_field(&self.cursor, &word)?;
        if meaning::is_star(&word) || word.raw == "*:*" {
            self.separated()?;
            return Ok(Filter::All);
        }
        let test = meaning::of_word(&self.cursor, None, word)?;
        self.finish(None, test)
    }

    fn word_of(&mut self, field: &str) -> Result<Filter, SyntaxError> {
        let word = self.cursor.word(Until::Term)?;
        if word.raw.is_empty() {
            return Err(fault::missing_value(&self.cursor, field));
        }
        let test = meaning::of_word(&self.cursor, Some(field), word)?;
        self.finish(Some(field), test)
    }

    /// A phrase, or a field name in quotes when an operator follows.
    fn phrase_or_field(&mut self) -> Result<Filter, SyntaxError> {
        let start = self.cursor.position();
        let text = self.cursor.phrase()?;
        let end = self.cursor.position();
        if let Some(operator_at) = self.operator_at(end, "") {
            self.cursor.jump(operator_at);
            return self.field(&text, end);
        }
        if text.is_empty() {
            return Err(fault::empty_phrase(start..end));
        }
        self.finish(None, Test::Contains(text.into()))
    }

    /// Where the operator after a name that ends at `end` begins, or nothing if that was no name. `token` is the bare
    /// token the name heads.
    fn operator_at(&self, end: usize, token: &str) -> Option<usize> {
        let mut after = self.cursor;
        after.jump(end);
        if after.peek() == Some(':') {
            return (!is_literal_colon(token, after.rest())).then_some(end);
        }
        after.skip_spaces();
        let rest = after.rest();
        let run = rest.len() - rest.trim_start_matches(OPERATOR_CHARS).len();
        let spaced = after.position() > end;
        let behind = rest.get(run..).and_then(|rest| rest.chars().next());
        let is_operator = rest.get(..run).is_some_and(|run| !run.trim_matches('!').is_empty());
        let separate = !spaced || behind.is_none_or(char::is_whitespace);
        (is_operator && separate).then_some(after.position())
    }

    /// The operator that is next and the value behind it. `name_end` is where the field name ends.
    fn field(&mut self, field: &str, name_end: usize) -> Result<Filter, SyntaxError> {
        let operator_at = self.cursor.position();
        let operator = self.operator()?;
        let operator_end = self.cursor.position();
        if operator != Operator::Has {
            self.cursor.skip_spaces();
        }
        if self.cursor.at_delimiter() {
            return Err(match operator {
                Operator::Has => fault::missing_value(&self.cursor, field),
                _ => fault::missing_operand(&self.cursor, name_end.min(operator_at)..operator_end),
            });
        }
        self.value_after(field, operator)
    }

    fn operator(&mut self) -> Result<Operator, SyntaxError> {
        if self.cursor.eat(':') {
            return Ok(Operator::Has);
        }
        let rest = self.cursor.rest();
        let run = rest.len() - rest.trim_start_matches(OPERATOR_CHARS).len();
        let operator = match rest.get(..run) {
            Some("=") => Operator::Equals,
            Some("!=") => Operator::Differs,
            Some("~") => Operator::Finds,
            Some("!~") => Operator::Lacks,
            Some(">") => Operator::Compares(Comparison::Greater),
            Some(">=") => Operator::Compares(Comparison::GreaterOrEqual),
            Some("<") => Operator::Compares(Comparison::Less),
            Some("<=") => Operator::Compares(Comparison::LessOrEqual),
            _ => return Err(fault::unknown_operator(&self.cursor, run)),
        };
        self.cursor.jump(self.cursor.position() + run);
        Ok(operator)
    }

    fn value_after(&mut self, field: &str, operator: Operator) -> Result<Filter, SyntaxError> {
        let group = self.cursor.peek() == Some('(');
        match operator {
            Operator::Has if group => self.group(Scope::Values(field)),
            Operator::Equals if group => self.group(Scope::Whole(field)),
            Operator::Has => self.value_of(field),
            Operator::Equals => self.whole_value_of(field),
            Operator::Finds => {
                let test = self.regex_operand()?;
                self.finish(Some(field), test)
            }
            Operator::Compares(comparison) => {
                let start = self.cursor.position();
                let bare = self.cursor.peek() != Some('"');
                let text = self.scalar()?;
                let text = if bare { meaning::counted(field, text) } else { text };
                let test = meaning::of_comparison(&self.cursor, field, comparison, start, text)?;
                self.finish(Some(field), test)
            }
            Operator::Differs => {
                let inner = self.value_after(field, Operator::Equals)?;
                Ok(Filter::Not(Box::new(inner)))
            }
            Operator::Lacks => {
                let inner = self.value_after(field, Operator::Finds)?;
                Ok(Filter::Not(Box::new(inner)))
            }
        }
    }

    /// A word or phrase that stands for one value. Wildcards mean nothing here.
    fn scalar(&mut self) -> Result<String, SyntaxError> {
        match self.cursor.peek() {
            Some('"') => self.cursor.phrase(),
            Some('(') => Err(fault::group_not_here(&self.cursor)),
            _ => {
                let word = self.cursor.word(Until::Term)?;
                if word.pattern.is_some() {
                    return Err(fault::wildcard_not_here(&self.cursor, &word));
                }
                Ok(word.literal)
            }
        }
    }

    /// `field:>=500`, as Lucene writes it; `message:<script>` is a word.
    fn compares_a_number(&self, field: &str) -> bool {
        let operand = self.cursor.rest().trim_start_matches(['<', '>', '=']);
        meaning::is_time(field)
            || operand.trim_start_matches('-').starts_with(|char: char| char.is_ascii_digit())
    }

    fn finish(&mut self, field: Option<&str>, test: Test) -> Result<Filter, SyntaxError> {
        self.separated()?;
        self.spent.add(&test, &self.cursor)?;
        Ok(Filter::Is(Predicate { field: field.map(Into::into), test }))
    }

    /// A test must be followed by white space, `)`, `|` or the end.
    fn separated(&self) -> Result<(), SyntaxError> {
        if self.cursor.at_delimiter() { Ok(()) } else { Err(fault::not_separated(&self.cursor)) }
    }
}

/// A bare token that is searched as a whole although it holds colons: an address, a network, address and port, a MAC.
fn is_entity(token: &str) -> bool {
    token.parse::<IpAddr>().is_ok()
        || token.parse::<IpNet>().is_ok()
        || token.parse::<SocketAddr>().is_ok()
        || is_mac(token)
}

fn is_mac(token: &str) -> bool {
    let pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    token.split(':').count() == 6 && token.split(':').all(pair)
}

/// Whether the colon at the head of `rest` belongs to a literal: `std::io`, `https://…`, `C:\Windows`.
fn is_literal_colon(token: &str, rest: &str) -> bool {
    let behind = rest.get(1..).unwrap_or("");
    let path = behind.starts_with(':') && !behind.starts_with("::");
    let drive = token.get(1..).is_some_and(|behind| behind.starts_with(":\\"));
    path || behind.starts_with("//") || drive
}
