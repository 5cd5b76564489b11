//! [`Cursor`]: a position in the query text, and the lexical pieces that can be read there. Knows no grammar.

use std::ops::Range;

use super::fault;
use crate::SyntaxError;

/// A position in the query text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

/// A bare word as read.
#[derive(Clone, Debug)]
pub(super) struct Word<'a> {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// As written.
    pub(super) raw: &'a str,
    /// With escapes undone.
    pub(super) literal: String,
    /// With the escapes that a wildcard pattern needs; nothing if no `*` or `?` was meant.
    pub(super) pattern: Option<String>,
}

/// What ends a bare word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// White space and `( ) " |`.
    Term,
    /// White space and `] } "`.
    RangeEnd,
}

impl Until {
    fn ends(self, char: char) -> bool {
        char.is_whitespace()
            || match self {
                Self::Term => matches!(char, '(' | ')' | '"' | '|'),
                Self::RangeEnd => matches!(char, ']' | '}' | '"'),
            }
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn jump(&mut self, position: usize) {
        self.position = position;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.position += char.len_utf8();
        Some(char)
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.position += wanted.len_utf8();
        }
        found
    }

    pub(super) fn skip_spaces(&mut self) {
        self.position = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether a test may end here: at white space, `)`, `|` or the end.
    pub(super) fn at_delimiter(&self) -> bool {
        self.peek().is_none_or(|char| char.is_whitespace() || matches!(char, ')' | '|'))
    }

    /// What would be read as a bare word here, as written.
    pub(super) fn token(&self) -> &'a str {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.find(|char: char| {
            let stop = !escaped && Until::Term.ends(char);
            escaped = !escaped && char == '\\';
            stop
        });
        end.and_then(|end| rest.get(..end)).unwrap_or(rest)
    }

    /// Reads a bare word. A backslash takes away the meaning of the punctuation mark or space behind it; before a letter
    /// or digit it stands for itself.
    pub(super) fn word(&mut self, until: Until) -> Result<Word<'a>, SyntaxError> {
        let start = self.position;
        let (mut literal, mut pattern) = (String::new(), String::new());
        let (mut wild, mut after_star) = (false, false);
        while let Some(char) = self.peek().filter(|char| !until.ends(*char)) {
            self.bump();
            let char = match char {
                '\\' => self.escaped(&mut literal, &mut pattern)?,
                '*' | '?' => {
                    literal.push(char);
                    // Two stars say what one says; in the pattern an escaped star ends a run of them.
                    if !(char == '*' && after_star) {
                        pattern.push(char);
                    }
                    (wild, after_star) = (true, char == '*');
                    continue;
                }
                other => other,
            };
            after_star = false;
            literal.push(char);
            push_escaped(&mut pattern, char);
        }
        let span = start..self.position;
        let raw = self.text.get(span.clone()).unwrap_or("");
        Ok(Word { span, raw, literal, pattern: wild.then_some(pattern) })
    }

    fn escaped(&mut self, literal: &mut String, pattern: &mut String) -> Result<char, SyntaxError> {
        match self.peek() {
            None => Err(fault::lone_backslash(self.position - 1)),
            Some(char) if char.is_alphanumeric() => {
                literal.push('\\');
                push_escaped(pattern, '\\');
                self.bump();
                Ok(char)
            }
            Some(char) => {
                self.bump();
                Ok(char)
            }
        }
    }

    /// Reads a phrase whose opening quote is next. Only `\"` and `\\` are escapes, so `"DOMAIN\user"` is itself.
    pub(super) fn phrase(&mut self) -> Result<String, SyntaxError> {
        let start = self.position;
        self.bump();
        let mut out = String::new();
        while let Some(char) = self.bump() {
            match char {
                '"' => return Ok(out),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => out.extend(self.bump()),
                other => out.push(other),
            }
        }
        Err(fault::unclosed_quote(self.text, start))
    }

    /// The field name that begins here and where it ends. Not consumed; nothing if this is no name.
    pub(super) fn name(&self) -> Option<(String, usize)> {
        let mut name = String::new();
        let mut chars = self.rest().char_indices().peekable();
        let mut end = 0;
        let mut last_escaped = false;
        while let Some((at, char)) = chars.next() {
            let escaped = char == '\\' && chars.peek().is_some_and(|(_, next)| !next.is_alphanumeric());
            let char = if escaped { chars.next()?.1 } else { char };
            let fits = escaped || if at == 0 { starts_name(char) } else { continues_name(char) };
            if !fits {
                break;
            }
            name.push(char);
            last_escaped = escaped;
            end = at + char.len_utf8() + usize::from(escaped);
        }
        let complete = !name.is_empty() && (last_escaped || !name.ends_with(['-', '/', '.']));
        complete.then_some((name, self.position + end))
    }
}

/// Appends a character that stands for itself to a wildcard pattern.
fn push_escaped(pattern: &mut String, char: char) {
    if matches!(char, '*' | '?' | '\\') {
        pattern.push('\\');
    }
    pattern.push(char);
}

fn starts_name(char: char) -> bool {
    char.is_alphabetic() || matches!(char, '_' | '@')
}

fn continues_name(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '.' | '-' | '@' | '/')
}

/// Whether `name` is a field name that can be written without quotes or escapes.
pub(crate) fn is_name(name: &str) -> bool {
    Cursor::new(name).name().is_some_and(|(_, end)| end == name.len()) && !name.contains('\\')
}

/// Whether a dash at the head of `rest` negates what follows. `--force` is a word.
pub(super) fn starts_negation(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|rest| !rest.starts_with('-'))
}
