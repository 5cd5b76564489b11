//! [`Reader`]: the lexical pieces pipes are written with, and the errors they share. Positions are of the whole query.

use std::ops::Range;

use locard_filter::{Filter, Spent, SyntaxError};

use super::rename::Rename;

/// A position in the query text, behind the first `|`.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    position: usize,
    /// What the filters before have used up.
    spent: Spent,
    /// Names that `fields` gives.
    renames: Vec<(Box<str>, Box<str>)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, position: usize) -> Self {
        Self { text, position, spent: Spent::default(), renames: Vec::new() }
    }

    /// The same, behind filters that have used up this much.
    pub(super) fn spent(self, spent: Spent) -> Self {
        Self { spent, ..self }
    }

    /// Reads the name that `from` is given, and notes it.
    pub(super) fn rename(&mut self, from: Box<str>) -> Result<Box<str>, SyntaxError> {
        let name = super::eval::new_field(self)?;
        self.renames.push((from, name.clone()));
        Ok(name)
    }

    /// The names that were given since this was asked.
    pub(super) fn renamed(&mut self) -> Option<Rename> {
        let names = std::mem::take(&mut self.renames);
        (!names.is_empty()).then_some(Rename { names })
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
        if let Some(quote @ ('"' | '`')) = self.peek() {
            return self.quoted(quote);
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

    /// What stands between two of `quote`, the first of which is next.
    pub(super) fn quoted(&mut self, quote: char) -> Result<Box<str>, SyntaxError> {
        self.peek();
        let start = self.position;
        let mut name = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            match char {
                end if end == quote => {
                    self.position = start + at + 1;
                    return Ok(name.into());
                }
                '\\' if matches!(chars.peek(), Some((_, next)) if *next == quote || *next == '\\') => {
                    name.extend(chars.next().map(|(_, char)| char))
                }
                other => name.push(other),
            }
        }
        let end = self.text.len();
        Err(SyntaxError::new(start..start + 1, "unclosed quote").fix(self.text, end..end, &quote.to_string()))
    }

    /// What stands between two of `quote`, the first of which is next. Backslashes stay, but for those before `quote`.
    pub(super) fn delimited(&mut self, quote: char) -> Result<String, SyntaxError> {
        self.peek();
        let start = self.position;
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, char)) = chars.next() {
            match char {
                end if end == quote => {
                    self.position = start + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, next)) if next == quote => text.push(next),
                    next => {
                        text.push(char);
                        text.extend(next.map(|(_, next)| next));
                    }
                },
                other => text.push(other),
            }
        }
        let end = self.text.len();
        Err(SyntaxError::new(start..start + 1, "unclosed quote").fix(self.text, end..end, &quote.to_string()))
    }

    /// A whole number within a range.
    pub(super) fn count(&mut self, range: std::ops::RangeInclusive<usize>) -> Result<usize, SyntaxError> {
        let (number, span) = self.number().ok_or_else(|| self.expected("a number"))?;
        if range.contains(&number) {
            return Ok(number);
        }
        let nearest = number.clamp(*range.start(), *range.end()).to_string();
        let message = format!("{number} is not from {} to {}", range.start(), range.end());
        Err(self.replace(span, message, &nearest))
    }

    /// Consumes `wanted` if it is next.
    pub(super) fn eat_text(&mut self, wanted: &str) -> bool {
        self.peek();
        let found = self.rest().starts_with(wanted);
        if found {
            self.position += wanted.len();
        }
        found
    }

    /// Consumes a `!` that is not the beginning of `!=`.
    pub(super) fn eat_not(&mut self) -> bool {
        self.peek();
        let found = self.rest().starts_with('!') && !self.rest().starts_with("!=");
        if found {
            self.position += 1;
        }
        found
    }

    /// Consumes what a number is written with, and the letters of a unit.
    pub(super) fn numeral(&mut self) -> &'a str {
        self.peek();
        let rest = self.rest();
        let mut before = ' ';
        let end = rest.find(|char: char| {
            let exponent = matches!(char, '+' | '-') && matches!(before, 'e' | 'E');
            before = char;
            !(exponent || char.is_alphanumeric() || char == '.' || char == '_')
        });
        self.consume(end.unwrap_or(rest.len()))
    }

    /// Consumes a dotted name: letters, digits, `_`, `.`, `@`.
    pub(super) fn path(&mut self) -> &'a str {
        self.peek();
        let rest = self.rest();
        let end = rest.find(|char: char| !(char.is_alphanumeric() || "_.@".contains(char)));
        self.consume(end.unwrap_or(rest.len()))
    }

    fn consume(&mut self, length: usize) -> &'a str {
        let text = self.rest().get(..length).unwrap_or("");
        self.position += text.len();
        text
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

    /// A filter as the value of an option: a phrase in quotes, or any in parentheses.
    pub(super) fn filter_value(&mut self) -> Result<Filter, SyntaxError> {
        match self.peek() {
            Some('"') => {
                let phrase = self.quoted('"')?;
                let test = locard_filter::Test::Contains(phrase);
                Ok(Filter::Is(locard_filter::Predicate { field: None, test }))
            }
            Some('(') => {
                let inner = self.enclosed('(', ')')?;
                let text = self.text.get(..inner.end).unwrap_or("");
                let mut within = Reader::new(text, inner.start).spent(std::mem::take(&mut self.spent));
                let filter = within.filter()?;
                if !within.at_end() {
                    return Err(within.expected("the end of the filter"));
                }
                self.spent = within.spent;
                Ok(filter)
            }
            _ => Err(self
                .expected("a filter in quotes or parentheses")
                .hint("as in startswith=\"session opened\"")),
        }
    }

    /// A whole query in brackets.
    pub(super) fn bracketed(&mut self) -> Result<super::Query, SyntaxError> {
        if self.peek() != Some('[') {
            let hint = "as in join user.name [ event.action:login | stats count() as logins by user.name ]";
            return Err(self.expected("a search in brackets").hint(hint));
        }
        let inner = self.enclosed('[', ']')?;
        let text = self.text.get(inner.clone()).unwrap_or("");
        super::parse(text).map_err(|error| SyntaxError {
            span: error.span.start + inner.start..error.span.end + inner.start,
            fix: error.fix.map(|fix| self.replaced(inner.clone(), &fix)),
            ..error
        })
    }

    fn replaced(&self, span: Range<usize>, text: &str) -> String {
        let (head, tail) = (self.text.get(..span.start), self.text.get(span.end..));
        format!("{}{text}{}", head.unwrap_or(""), tail.unwrap_or(""))
    }

    /// Consumes what stands between two brackets, quotes in it being respected; answers where it stands. Brackets of ranges may be of
    /// either kind at either end.
    fn enclosed(&mut self, open: char, close: char) -> Result<Range<usize>, SyntaxError> {
        let start = self.position;
        let (opening, closing): (&[char], &[char]) = match open {
            '[' => (&['[', '{'], &[']', '}']),
            _ => (&['('], &[')']),
        };
        let mut depth = 0usize;
        let mut quoted = false;
        let mut chars = self.rest().char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '\\' => {
                    chars.next();
                }
                '"' => quoted = !quoted,
                _ if quoted => {}
                char if opening.contains(&char) => depth += 1,
                char if closing.contains(&char) => {
                    depth -= 1;
                    if depth == 0 {
                        self.position = start + at + char.len_utf8();
                        return Ok(start + open.len_utf8()..start + at);
                    }
                }
                _ => {}
            }
        }
        let end = self.text.len();
        Err(SyntaxError::new(start..start + open.len_utf8(), format!("`{open}` is not closed")).fix(
            self.text,
            end..end,
            &close.to_string(),
        ))
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
