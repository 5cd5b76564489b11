//! [`Reader`]: the lexical pieces pipes are written with, and the errors they share. Positions are of the whole query.

use std::ops::Range;

use locard_filter::{Filter, Spent, SyntaxError};

/// A position in the query text, behind the first `|`.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// What the filters before have used up.
    spent: Spent,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, position: usize) -> Self {
        Self { text, position, spent: Spent::default() }
    }

    /// The same, behind filters that have used up this much.
    pub(super) fn spent(self, spent: Spent) -> Self {
        Self { spent, ..self }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.position = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += wanted.len_utf8();
        }
        found
    }

    /// Whether this pipe is over.
    pub(super) fn at_end(&mut self) -> bool {
        self.peek().is_none_or(|char| char == '|')
    }

    /// The letters and digits that are next; not consumed.
    fn word(&mut self) -> &'a str {
        self.peek();
        let rest = self.rest();
        let end = rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or("")
    }

    /// Consumes `keyword`, in any case, if it is the next word and no `(`, `=` or `.` follows.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let word = self.word();
        let behind = self.rest().get(word.len()..).and_then(|rest| rest.chars().next());
        let whole = !matches!(behind, Some('(' | '=' | '.' | '-' | '/' | '@'));
        let found = whole && word.eq_ignore_ascii_case(keyword);
        if found {
            self.position += word.len();
        }
        found
    }

    /// Reads `name=`; consumes nothing if something else stands here.
    pub(super) fn option(&mut self, name: &str) -> bool {
        let word = self.word();
        let found = word.eq_ignore_ascii_case(name)
            && self.rest().get(word.len()..).is_some_and(|rest| rest.starts_with('='));
        if found {
            self.position += word.len() + 1;
        }
        found
    }

    /// The name of a pipe or a function.
    pub(super) fn identifier(&mut self) -> Option<(&'a str, Range<usize>)> {
        let word = self.word();
        let start = self.position;
        self.position += word.len();
        (!word.is_empty()).then_some((word, start..self.position))
    }

    /// A field name: bare, with backslashes before punctuation marks, or in quotes.
    pub(super) fn field(&mut self, what: &str) -> Result<Box<str>, SyntaxError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let mut name = String::new();
        let mut end = 0;
        let mut chars = self.rest().char_indices();
        while let Some((at, char)) = chars.next() {
            let (at, char) = match char {
                '\\' => chars.next().unwrap_or((at, char)),
                plain if plain.is_alphanumeric() || "_.-@/".contains(plain) => (at, char),
                _ => break,
            };
            name.push(char);
            end = at + char.len_utf8();
        }
        self.position += end;
        if name.is_empty() { Err(self.expected(what)) } else { Ok(name.into()) }
    }

    /// A field, or a column as its function is written: `dc(user.name)`; `count()` is the column `count`.
    pub(super) fn column(&mut self) -> Result<Box<str>, SyntaxError> {
        let name = self.field("a field name")?;
        let rest = self.rest();
        let Some(close) = rest.strip_prefix('(').and_then(|rest| rest.find(')')) else { return Ok(name) };
        let inner = rest.get(1..=close).unwrap_or("").trim();
        self.position += close + 2;
        match inner {
            "" => Ok(name),
            inner => Ok(format!("{name}({inner})").into()),
        }
    }

    fn quoted(&mut self) -> Result<Box<str>, SyntaxError> {
        let start = self.position;
        let mut name = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            match char {
                '"' => {
                    self.position = start + at + 1;
                    return Ok(name.into());
                }
                '\\' if matches!(chars.peek(), Some((_, '"' | '\\'))) => {
                    name.extend(chars.next().map(|(_, char)| char))
                }
                other => name.push(other),
            }
        }
        Err(SyntaxError::new(start..start + 1, "unclosed quote").fix(
            self.text,
            self.text.len()..self.text.len(),
            "\"",
        ))
    }

    /// Fields separated by commas.
    pub(super) fn fields(&mut self) -> Result<Vec<Box<str>>, SyntaxError> {
        let mut fields = vec![self.field("a field name")?];
        while self.eat(',') {
            fields.push(self.field("a field name")?);
        }
        Ok(fields)
    }

    /// A whole number; consumes nothing if something else stands here.
    pub(super) fn number(&mut self) -> Option<(usize, Range<usize>)> {
        let word = self.word();
        let number = word.parse().ok()?;
        let start = self.position;
        self.position += word.len();
        Some((number, start..self.position))
    }

    /// A number that may have a fraction.
    pub(super) fn decimal(&mut self) -> Result<f64, SyntaxError> {
        self.peek();
        let rest = self.rest();
        let end = rest.find(|char: char| !(char.is_ascii_digit() || char == '.')).unwrap_or(rest.len());
        let number = rest.get(..end).and_then(|digits| digits.parse().ok());
        let number = number.ok_or_else(|| self.expected("a number"))?;
        self.position += end;
        Ok(number)
    }

    /// A duration such as `15m`, in nanoseconds; more than nothing.
    pub(super) fn duration(&mut self) -> Result<i64, SyntaxError> {
        let word = self.word();
        let nanos = locard_filter::parse_duration(word).filter(|nanos| *nanos > 0);
        let nanos = nanos.ok_or_else(|| {
            self.expected("a duration").hint("durations are written like 90s, 15m, 24h or 7d")
        })?;
        self.position += word.len();
        Ok(nanos)
    }

    /// A filter up to the next pipe.
    pub(super) fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let offset = self.position;
        let read = locard_filter::parse_prefix_within(self.rest(), &mut self.spent);
        let (filter, end) = read.map_err(|error| SyntaxError {
            span: error.span.start + offset..error.span.end + offset,
            fix: error.fix.map(|fix| format!("{}{fix}", self.text.get(..offset).unwrap_or(""))),
            ..error
        })?;
        self.position = offset + end;
        Ok(filter)
    }

    /// An error at what stands here instead of `what`.
    pub(super) fn expected(&mut self, what: &str) -> SyntaxError {
        let next = self.peek();
        let length = match (self.word().len(), next) {
            (0, Some(char)) if char != '|' => char.len_utf8(),
            (length, _) => length,
        };
        SyntaxError::new(self.position..self.position + length, format!("expected {what}"))
    }

    /// An error at an unknown name, with the nearest known one as the fix.
    pub(super) fn unknown(&self, what: &str, name: &str, span: Range<usize>, known: &[&str]) -> SyntaxError {
        let lower = name.to_lowercase();
        let near = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(&lower, known), *known))
            .filter(|(distance, known)| *distance <= 2.min(known.len() / 2))
            .min();
        let error = SyntaxError::new(span.clone(), format!("unknown {what} `{name}`"));
        match near {
            Some((_, near)) => error.hint(format!("did you mean `{near}`?")).fix(self.text, span, near),
            None => error.hint(format!("the {what}s are {}", known.join(", "))),
        }
    }

    /// An error at a position whose fix puts `text` there.
    pub(super) fn insert(&self, at: usize, message: String, text: &str) -> SyntaxError {
        let error = SyntaxError::new(at..self.position, message);
        error.hint(format!("write `{}`", text.trim())).fix(self.text, at..at, text)
    }

    /// An error at `span` whose fix puts `replacement` there.
    pub(super) fn replace(&self, span: Range<usize>, message: String, replacement: &str) -> SyntaxError {
        SyntaxError::new(span.clone(), message).hint(format!("write `{replacement}`")).fix(
            self.text,
            span,
            replacement,
        )
    }
}
