//! Every way a filter can be wrong, with its words and its fix. One function each.

use std::ops::Range;

use super::cursor::{Cursor, Word};
use super::{MAX_DEPTH, MAX_QUERY_BYTES, MAX_REGEXES, MAX_TERMS, MAX_WILDCARD_BYTES, MAX_WILDCARDS_BYTES};
use crate::SyntaxError;

fn end_of(cursor: &Cursor<'_>) -> usize {
    cursor.text().len()
}

/// The next token, or the next character where no token begins.
fn next_span(cursor: &Cursor<'_>) -> Range<usize> {
    let start = cursor.position();
    let token = cursor.token().len();
    let char = cursor.peek().map_or(0, char::len_utf8);
    start..start + token.max(char)
}

/// The text in quotes, as a phrase is written.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn query_too_long(text: &str) -> SyntaxError {
    let at = (0..=MAX_QUERY_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    SyntaxError::new(at..at, format!("the query has {} bytes; the limit is {MAX_QUERY_BYTES}", text.len()))
        .hint("split it into several queries")
}

pub(super) fn too_many_terms(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(at..at, format!("more than {MAX_TERMS} tests")).hint("split the query into several")
}

pub(super) fn too_many_regexes(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(at..at, format!("more than {MAX_REGEXES} regular expressions"))
        .hint("write one with alternatives, as in /a|b/, or search for words")
}

pub(super) fn too_many_wildcards(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(
        at..at,
        format!("patterns with wildcards of more than {MAX_WILDCARDS_BYTES} bytes together"),
    )
    .hint("search for words instead")
}

pub(super) fn too_deep(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(at..at, format!("nested deeper than {MAX_DEPTH} levels"))
        .hint("a OR b OR c needs no parentheses inside")
}

pub(super) fn pattern_too_long(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, format!("a pattern with wildcards of more than {MAX_WILDCARD_BYTES} bytes"))
        .hint("search for several words instead")
}

pub(super) fn pipe_in_filter(at: usize) -> SyntaxError {
    SyntaxError::new(at..at + 1, "a pipe where only a filter may stand")
        .hint("write \"|\" to search for the character")
}

pub(super) fn pipe_in_group(at: usize) -> SyntaxError {
    SyntaxError::new(at..at + 1, "a pipe inside parentheses").hint("write OR between alternatives")
}

pub(super) fn unclosed_quote(text: &str, start: usize) -> SyntaxError {
    SyntaxError::new(start..start + 1, "unclosed quote").hint("write \\\" for a quote inside a phrase").fix(
        text,
        text.len()..text.len(),
        "\"",
    )
}

pub(super) fn unclosed_parenthesis(cursor: &Cursor<'_>, open: usize) -> SyntaxError {
    let end = end_of(cursor);
    SyntaxError::new(open..open + 1, "unclosed parenthesis").fix(cursor.text(), end..end, ")")
}

pub(super) fn unmatched_parenthesis(cursor: &Cursor<'_>) -> SyntaxError {
    let span = cursor.position()..cursor.position() + 1;
    SyntaxError::new(span.clone(), "nothing opens this parenthesis")
        .hint("write \")\" to search for the character")
        .fix(cursor.text(), span, "")
}

pub(super) fn empty_group(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "empty parentheses").hint("write \"()\" to search for the characters")
}

pub(super) fn unclosed_regex(cursor: &Cursor<'_>, start: usize) -> SyntaxError {
    let span = next_span(cursor);
    let quoted = quoted(cursor.token());
    SyntaxError::new(start..start + 1, "unclosed regular expression")
        .hint("a regular expression ends with a slash; put a path in quotes")
        .fix(cursor.text(), span, &quoted)
}

pub(super) fn text_after_regex(behind: &Cursor<'_>, start: usize) -> SyntaxError {
    SyntaxError::new(start..behind.position(), "text right after a regular expression")
        .hint("write \\/ for a slash inside; i is the only flag; put a path in quotes")
}

pub(super) fn empty_regex(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "an empty regular expression").hint("field:* finds any value")
}

pub(super) fn path_for_regex(cursor: &Cursor<'_>) -> SyntaxError {
    SyntaxError::new(next_span(cursor), "a path where a regular expression is expected")
        .hint("put the regular expression in quotes")
        .fix(cursor.text(), next_span(cursor), &format!("\"{}\"", cursor.token()))
}

pub(super) fn regex_needs_quotes(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "a regular expression that must be quoted")
        .hint("write field~\"a(b|c)\" or field:/a(b|c)/")
}

/// The parser's own position, moved to where the pattern stands. Escaped slashes and quotes before it shift it a little.
pub(super) fn bad_regex(error: &regex_syntax::Error, inner: usize, whole: Range<usize>) -> SyntaxError {
    let (span, message) = match error {
        regex_syntax::Error::Parse(error) => (Some(error.span()), error.kind().to_string()),
        regex_syntax::Error::Translate(error) => (Some(error.span()), error.kind().to_string()),
        _ => (None, error.to_string()),
    };
    let limit = whole.end.saturating_sub(1).max(whole.start);
    let span = span.map_or(whole, |span| {
        let start = (inner + span.start.offset).min(limit);
        start..(inner + span.end.offset).clamp(start, limit)
    });
    SyntaxError::new(span, format!("bad regular expression: {message}"))
        .hint("a backslash before a punctuation mark makes it literal; look-around and back-references do not exist")
}

pub(super) fn lone_backslash(at: usize) -> SyntaxError {
    SyntaxError::new(at..at + 1, "nothing after the backslash")
        .hint("write \\\\ for a backslash at the end of a word")
}

pub(super) fn lone_dash(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(at - 1..at, "nothing after the dash")
        .hint("-word excludes a word; write \"-\" to search for a dash")
}

/// `&&`, `||` and lower-case `and`, `or` between two operands, as other languages write them.
pub(super) fn foreign_operator(cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
    let rest = cursor.rest();
    let token = cursor.token();
    let (written, keyword) = match token {
        _ if rest.starts_with("&&") => ("&&", "AND"),
        _ if rest.starts_with("||") => ("||", "OR"),
        _ if token.eq_ignore_ascii_case("and") && token != "AND" => (token, "AND"),
        _ if token.eq_ignore_ascii_case("or") && token != "OR" => (token, "OR"),
        _ => return Ok(()),
    };
    let behind = rest.get(written.len()..).unwrap_or("");
    let behind = behind.trim_start();
    // `rock and` may be two words; before another operand it is read as an operator by most people.
    if token == written && (behind.is_empty() || behind.starts_with([')', '|'])) && written != "&&" {
        return Ok(());
    }
    Err(respelt(cursor, written.len(), keyword))
}

/// Lower-case `not` before an operand.
pub(super) fn foreign_not(cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
    let token = cursor.token();
    let behind = cursor.rest().get(token.len()..).unwrap_or("").trim_start();
    let before_operand = !behind.is_empty() && !behind.starts_with([')', '|']);
    if token.eq_ignore_ascii_case("not") && token != "NOT" && before_operand {
        return Err(respelt(cursor, token.len(), "NOT"));
    }
    Ok(())
}

fn respelt(cursor: &Cursor<'_>, length: usize, keyword: &str) -> SyntaxError {
    let span = cursor.position()..cursor.position() + length;
    let written = cursor.text().get(span.clone()).unwrap_or("");
    SyntaxError::new(span.clone(), format!("`{written}` is not an operator"))
        .hint(format!("write {keyword}, or put the words in quotes to search for them"))
        .fix(cursor.text(), span, keyword)
}

pub(super) fn nothing_after(keyword: &str, end: usize) -> SyntaxError {
    SyntaxError::new(end - keyword.len()..end, format!("nothing after {keyword}"))
        .hint(format!("write \"{keyword}\" to search for the word"))
}

/// A keyword that joins what is not there.
pub(super) fn misplaced_keyword(cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
    match cursor.token() {
        keyword @ ("AND" | "OR") => {
            Err(SyntaxError::new(next_span(cursor), format!("nothing before {keyword}"))
                .hint(format!("write \"{keyword}\" to search for the word")))
        }
        _ => Ok(()),
    }
}

/// An operator with no field before it.
pub(super) fn misplaced_operator(cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
    let rest = cursor.rest();
    let start = cursor.position();
    let alone =
        |text: &str| text.starts_with(|char: char| !char.is_alphanumeric() && !matches!(char, '"' | '('));
    match rest.chars().next() {
        _ if rest.starts_with("&&") => {
            Err(SyntaxError::new(start..start + 2, "nothing before `&&`").hint("write AND"))
        }
        Some('!') if !rest.get(1..).is_none_or(|rest| rest.is_empty() || alone(rest)) => {
            Err(SyntaxError::new(start..start + 1, "`!` does not negate")
                .hint("write NOT or a dash; quote the word to search for it")
                .fix(cursor.text(), start..start + 1, "NOT "))
        }
        Some('=' | '<' | '>' | '~' | '!') => {
            Err(SyntaxError::new(next_span(cursor), "an operator without a field before it")
                .hint("write field=value; put the text in quotes to search for it"))
        }
        _ => Ok(()),
    }
}

/// `user.*:x`: wildcards before the colon.
pub(super) fn wild_field(cursor: &Cursor<'_>, word: &Word<'_>) -> Result<(), SyntaxError> {
    let Some(head) = unescaped_head(word.raw) else { return Ok(()) };
    if !head.contains(['*', '?']) || word.raw == "*:*" {
        return Ok(());
    }
    let span = word.span.start..word.span.start + head.len();
    Err(SyntaxError::new(span, "a field name cannot hold wildcards")
        .hint("name the field, or leave it out to search all of them; write \\: for a colon in a word")
        .fix(cursor.text(), word.span.start..word.span.start + head.len() + 1, ""))
}

/// The part of a word before its first colon without a backslash.
fn unescaped_head(raw: &str) -> Option<&str> {
    let mut escaped = false;
    let colon = raw.find(|char: char| {
        let found = char == ':' && !escaped;
        escaped = char == '\\' && !escaped;
        found
    })?;
    raw.get(..colon)
}

/// The cursor stands right behind the colon.
pub(super) fn missing_value(cursor: &Cursor<'_>, field: &str) -> SyntaxError {
    let at = cursor.position();
    let value = cursor.rest().trim_start();
    let error = SyntaxError::new(at - 1..at, format!("no value for `{field}`"));
    if value.is_empty() || value.starts_with([')', '|']) {
        return error.hint(format!(
            "{field}:* finds any value; write {} to search for the text",
            quoted(&format!("{field}:"))
        ));
    }
    let value_at = end_of(cursor) - value.len();
    SyntaxError::new(at..value_at, format!("a space between `{field}:` and its value"))
        .hint(format!("remove it; write {} to search for the text", quoted(&format!("{field}:"))))
        .fix(cursor.text(), at..value_at, "")
}

/// `user.name : root`, as KQL has it.
pub(super) fn lone_colon(cursor: &Cursor<'_>) -> Result<(), SyntaxError> {
    if cursor.token() != ":" {
        return Ok(());
    }
    let at = cursor.position();
    let head = cursor.text().get(..at).unwrap_or("").trim_end();
    let value = cursor.rest().get(1..).unwrap_or("").trim_start();
    let error = SyntaxError::new(at..at + 1, "a colon by itself")
        .hint("write field:value without spaces, or put the colon in quotes to search for it");
    let is_value = !value.is_empty() && !value.starts_with([')', '|']);
    Err(if is_value {
        error.fix(cursor.text(), head.len()..end_of(cursor) - value.len(), ":")
    } else {
        error
    })
}

/// `span` covers the operator.
pub(super) fn missing_operand(cursor: &Cursor<'_>, span: Range<usize>) -> SyntaxError {
    let operator = cursor.text().get(span.clone()).unwrap_or("").trim().to_owned();
    SyntaxError::new(span, format!("nothing after `{operator}`"))
        .hint("field=\"\" finds the empty value; put the text in quotes to search for it")
}

pub(super) fn unknown_operator(cursor: &Cursor<'_>, length: usize) -> SyntaxError {
    let span = cursor.position()..cursor.position() + length;
    let written = cursor.text().get(span.clone()).unwrap_or("");
    let known = match written {
        "==" | "===" => Some("="),
        "=~" | "~=" | "~~" => Some("~"),
        "<>" | "!==" | "=!" => Some("!="),
        "=>" => Some(">="),
        "=<" => Some("<="),
        "!=~" | "~!" => Some("!~"),
        _ => None,
    };
    let error = SyntaxError::new(span.clone(), format!("unknown operator `{written}`"));
    match known {
        Some(known) => error.hint(format!("write `{known}`")).fix(cursor.text(), span, known),
        None => {
            error.hint("the operators are : = != > >= < <= ~ !~; put a value that begins with one in quotes")
        }
    }
}

pub(super) fn group_not_here(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(at..at + 1, "a group where one value is expected")
        .hint("groups follow : and =, as in field:(a OR b); put a parenthesis in quotes")
}

/// After `=`, most people mean what `:` does.
pub(super) fn wildcard_not_here(cursor: &Cursor<'_>, word: &Word<'_>) -> SyntaxError {
    let error = SyntaxError::new(word.span.clone(), "a wildcard where one exact value is expected")
        .hint("wildcards follow a colon, as in field:ad*; quote the value if the character is meant");
    let head = cursor.text().get(..word.span.start).unwrap_or("").trim_end();
    match head.strip_suffix('=') {
        Some(field) if !field.ends_with(['!', '<', '>']) => {
            error.fix(cursor.text(), field.trim_end().len()..word.span.start, ":")
        }
        _ => error.fix(cursor.text(), word.span.clone(), &quoted(&word.literal)),
    }
}

pub(super) fn not_separated(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    let next = cursor.peek().unwrap_or(' ');
    SyntaxError::new(at..at + next.len_utf8(), format!("`{next}` right after a value"))
        .hint("put a space between, or put the whole in quotes to search for it")
        .fix(cursor.text(), at..at, " ")
}

pub(super) fn empty_phrase(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "an empty phrase").hint("* finds everything")
}

pub(super) fn empty_phrase_in(field: &str, span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "an empty phrase")
        .hint(format!("{field}:* finds any value, {field}=\"\" the empty one"))
}

pub(super) fn ids_have_no_order(field: &str, span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, format!("`{field}` has no order"))
        .hint(format!("write {field}:… or {field}:(… OR …); use _time for a range"))
}

pub(super) fn bad_identity(field: &str, span: Range<usize>) -> SyntaxError {
    let (message, hint) = match field {
        "_id" => ("not an event id", "an event id looks like 0-184467"),
        _ => ("not a stream id", "a stream id has 32 hex digits"),
    };
    SyntaxError::new(span, message).hint(hint)
}

pub(super) fn bad_time(span: Range<usize>, text: &str) -> SyntaxError {
    let hint = match text.rsplit_once(char::is_alphabetic) {
        Some((_, "")) if text.starts_with(|char: char| char.is_ascii_digit()) => {
            "durations are written like 90s, 15m, 24h, 7d or 1h30m"
        }
        _ => "times are written like 2026-03-01, 2026-03-01T12:00Z, now-5m, 1h or a Unix time",
    };
    SyntaxError::new(span, format!("`{text}` is not a time")).hint(hint)
}

pub(super) fn instant_is_empty(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "an instant, in which nothing happens")
        .hint("write _time:5m for the last five minutes, or _time>=now-5m")
}

pub(super) fn bad_network(cursor: &Cursor<'_>, word: &Word<'_>, address: &str, prefix: &str) -> SyntaxError {
    let error = SyntaxError::new(word.span.clone(), format!("`{}` is not a network", word.literal));
    let missing = 4usize.saturating_sub(address.split('.').count());
    let padded = format!("{address}{}/{prefix}", ".0".repeat(missing));
    if missing > 0 && !address.contains(':') && padded.parse::<ipnet::IpNet>().is_ok() {
        return error.hint("write all four numbers").fix(cursor.text(), word.span.clone(), &padded);
    }
    let hint = if address.contains(':') {
        "the prefix is 0 to 128"
    } else {
        "the numbers are 0 to 255, the prefix 0 to 32"
    };
    error.hint(format!("{hint}; put other text in quotes"))
}

pub(super) fn range_without_field(cursor: &Cursor<'_>) -> SyntaxError {
    let at = cursor.position();
    let length = cursor.rest().find([']', '}']).map_or(cursor.token().len(), |close| close + 1);
    let words = cursor.rest().get(..length).unwrap_or("");
    SyntaxError::new(at..at + 1, "a range without a field")
        .hint("write field:[a TO b]; put text that begins with a bracket in quotes")
        .fix(cursor.text(), at..at + length, &quoted(words))
}

pub(super) fn unclosed_range(cursor: &Cursor<'_>, open: usize) -> SyntaxError {
    let at = cursor.position();
    SyntaxError::new(open..open + 1, "unclosed range")
        .hint("a range ends with ], or with } to leave its end out")
        .fix(cursor.text(), at..at, "]")
}

pub(super) fn missing_bound(cursor: &Cursor<'_>, open: usize) -> SyntaxError {
    SyntaxError::new(open..(cursor.position() + 1).min(end_of(cursor)), "a range without both ends")
        .hint("write [a TO b]; * leaves an end open")
}

pub(super) fn wildcard_in_range(span: Range<usize>) -> SyntaxError {
    SyntaxError::new(span, "a wildcard in a range")
        .hint("* alone leaves an end open; quote the character if it is meant")
}

pub(super) fn missing_to(cursor: &Cursor<'_>, open: usize, word: &Word<'_>) -> SyntaxError {
    let hint = "write [a TO b], with TO in capitals";
    if word.raw.is_empty() {
        return SyntaxError::new(open..open + 1, "a range without TO").hint(hint);
    }
    let error = SyntaxError::new(word.span.clone(), "TO is expected here").hint(hint);
    match word.raw {
        "to" | "To" | "-" | ".." | "," => error.fix(cursor.text(), word.span.clone(), "TO"),
        _ => error,
    }
}

/// `low` and `high` are where the two ends stand.
pub(super) fn reversed_range(
    text: &str,
    span: Range<usize>,
    low: &Range<usize>,
    high: &Range<usize>,
) -> SyntaxError {
    let part = |range: Range<usize>| text.get(range).unwrap_or("");
    let swapped = format!(
        "{}{}{}{}{}",
        part(span.start..low.start),
        part(high.clone()),
        part(low.end..high.start),
        part(low.clone()),
        part(high.end..span.end),
    );
    SyntaxError::new(span.clone(), "the range ends before it begins").fix(text, span, &swapped)
}
