//! Regular expressions: `/re/`, `/re/i`, and the operand of `~`. Also tells a path from a regular expression.

use super::{Parser, fault};
use crate::{SyntaxError, Test};

/// How a text that begins with `/` reads.
enum Slashes {
    /// A regular expression: its pattern, where it ends, whether case is ignored.
    Regex { pattern: String, end: usize, ignore_case: bool },
    /// A path such as `/var/log/syslog`.
    Path,
}

impl Parser<'_> {
    /// Reads `/re/` or `/re/i`; nothing if what stands here is a path, which reads as a word.
    ///
    /// A regular expression ends at the first slash without a backslash, and white space, `)`, `|` or the end must follow.
    /// Otherwise it is a path, if the part up to that slash could be a directory, or else an error.
    pub(super) fn regex_or_path(&mut self) -> Result<Option<Test>, SyntaxError> {
        let start = self.cursor.position();
        match self.slashes(start)? {
            Slashes::Path => Ok(None),
            Slashes::Regex { pattern, end, ignore_case } => {
                self.cursor.jump(end);
                if pattern.is_empty() {
                    return Err(fault::empty_regex(start..end));
                }
                compile(&pattern, start + 1, start..end)?;
                Ok(Some(Test::Regex { pattern: pattern.into(), ignore_case }))
            }
        }
    }

    fn slashes(&self, start: usize) -> Result<Slashes, SyntaxError> {
        let mut cursor = self.cursor;
        cursor.bump();
        let mut pattern = String::new();
        loop {
            match cursor.bump() {
                None => return Err(fault::unclosed_regex(&self.cursor, start)),
                Some('/') => break,
                Some('\\') => push_escape(&mut pattern, cursor.bump()),
                Some(char) => pattern.push(char),
            }
        }
        let behind_slash = cursor;
        let ignore_case = cursor.eat('i');
        if cursor.at_delimiter() {
            return Ok(Slashes::Regex { pattern, end: cursor.position(), ignore_case });
        }
        if pattern.chars().all(is_path_char) && !pattern.is_empty() {
            return Ok(Slashes::Path);
        }
        Err(fault::text_after_regex(&behind_slash, start))
    }

    /// The operand of `~`: `/re/`, `"re"`, or a bare word with its backslashes kept.
    pub(super) fn regex_operand(&mut self) -> Result<Test, SyntaxError> {
        let start = self.cursor.position();
        match self.cursor.peek() {
            Some('/') => self.regex_or_path()?.ok_or_else(|| fault::path_for_regex(&self.cursor)),
            Some('"') => {
                let pattern = self.quoted_pattern()?;
                finished(pattern, start + 1, start..self.cursor.position())
            }
            _ => {
                let raw = self.cursor.token();
                self.cursor.jump(start + raw.len());
                if matches!(self.cursor.peek(), Some('(' | '"')) || raw.is_empty() {
                    return Err(fault::regex_needs_quotes(start..self.cursor.position().max(start + 1)));
                }
                finished(raw.to_owned(), start, start..self.cursor.position())
            }
        }
    }

    /// A pattern in quotes: only `\"` is an escape, for all others belong to the regular expression.
    fn quoted_pattern(&mut self) -> Result<String, SyntaxError> {
        let start = self.cursor.position();
        self.cursor.bump();
        let mut pattern = String::new();
        loop {
            match self.cursor.bump() {
                None => return Err(fault::unclosed_quote(self.cursor.text(), start)),
                Some('"') => return Ok(pattern),
                Some('\\') => match self.cursor.bump() {
                    Some('"') => pattern.push('"'),
                    next => push_escape(&mut pattern, next),
                },
                Some(char) => pattern.push(char),
            }
        }
    }
}

/// A slash needs no backslash once it is out of the slashes, so that equal patterns are spelt alike.
fn push_escape(pattern: &mut String, escaped: Option<char>) {
    if escaped != Some('/') {
        pattern.push('\\');
    }
    pattern.extend(escaped);
}

fn finished(pattern: String, inner: usize, span: std::ops::Range<usize>) -> Result<Test, SyntaxError> {
    if pattern.is_empty() {
        return Err(fault::empty_regex(span));
    }
    compile(&pattern, inner, span)?;
    Ok(Test::Regex { pattern: pattern.into(), ignore_case: false })
}

/// Checks a pattern. `inner` is where its first byte stands in the query.
fn compile(pattern: &str, inner: usize, span: std::ops::Range<usize>) -> Result<(), SyntaxError> {
    let parsed = regex_syntax::ParserBuilder::new().utf8(false).nest_limit(100).build().parse(pattern);
    parsed.map(|_| ()).map_err(|error| fault::bad_regex(&error, inner, span))
}

/// What a directory name is made of; the characters that regular expressions are made of are left out.
fn is_path_char(char: char) -> bool {
    !char.is_whitespace() && !r"\()[]{}|^$*+?".contains(char)
}
