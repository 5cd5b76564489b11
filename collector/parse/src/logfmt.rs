//! `level=info msg="a text" took=3ms`: pairs from the beginning, at least two, so that prose is not taken for it.
//!
//! Source: go-logfmt, and what Go's `%v` and `%+v` make of slices, maps and structures: `[a b]`, `map[a:b]`, `{A:b}`, `&{A:b}`. Keys without value are not read, since every word of prose would be one.

use locard_event::{Fields, Value};
use nom::branch::alt;
use nom::bytes::complete::{take, take_while, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{eof, map, peek, value, verify};
use nom::error::{Error, ErrorKind};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::app;
use crate::facts::Facts;
use crate::json::{MAX_FIELDS, note_left_out};

/// After so many brackets that nothing closes, or that more follows, brackets are text: each was looked for up to the end of the line.
const MAX_UNCLOSED: usize = 8;

/// Reads `text` if it begins with two pairs or more.
pub(crate) fn read(text: &str, facts: &mut Facts<'_>) -> bool {
    let Pairs { said, left_out } = pairs(text.trim());
    if said.len() < 2 {
        return false;
    }
    note_left_out(left_out, MAX_FIELDS, facts);
    app::add(said, facts);
    true
}

/// What pairs say.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// A key that repeats makes a list.
    pub(crate) said: Fields,
    /// How many pairs there were beyond the limit.
    pub(crate) left_out: usize,
}

/// Reads pairs up to the end of `text`, or to where it goes on as something else.
pub(crate) fn pairs(text: &str) -> Pairs {
    let mut pairs = Pairs::default();
    let (mut rest, mut unclosed) = (text, 0);
    while let Ok((after, (key, value))) = pair(rest, &mut unclosed) {
        match pairs.said.len() < MAX_FIELDS {
            true => pairs.said.append(key, value),
            false => pairs.left_out += 1,
        }
        rest = after.trim_start_matches([' ', '\t']);
    }
    pairs
}

/// A pair, and the space or the end behind it.
fn pair<'a>(input: &'a str, unclosed: &mut usize) -> IResult<&'a str, (&'a str, Value)> {
    let (input, key) = terminated(key, char('=')).parse(input)?;
    let is_open = ["[", "{", "map[", "&{"].iter().any(|lead| input.starts_with(lead));
    if is_open && *unclosed < MAX_UNCLOSED {
        if let Ok((rest, text)) = terminated(balanced, end).parse(input) {
            return Ok((rest, (key, Value::str(text))));
        }
        *unclosed += 1;
    }
    let (rest, value) = terminated(alt((quoted, bare)), end).parse(input)?;
    Ok((rest, (key, value)))
}

fn end(input: &str) -> IResult<&str, ()> {
    peek(alt((value((), one_of(" \t")), value((), eof)))).parse(input)
}

fn key(input: &str) -> IResult<&str, &str> {
    let first =
        |key: &&str| key.starts_with(|char: char| char.is_ascii_alphabetic() || matches!(char, '_' | '@'));
    verify(take_while1(is_key_char), first).parse(input)
}

fn is_key_char(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '.' | '-' | '/' | '@' | ':')
}

/// A value in brackets up to the one that closes it, spaces and quoted texts included; `map` or `&` may stand before it.
fn balanced(input: &str) -> IResult<&str, &str> {
    let length = balanced_length(input).ok_or(nom::Err::Error(Error::new(input, ErrorKind::Fail)))?;
    take(length).parse(input)
}

/// In characters, all of which are one byte long where it matters.
fn balanced_length(input: &str) -> Option<usize> {
    let lead = ["map", "&"].iter().find(|lead| input.starts_with(**lead)).map_or(0, |lead| lead.len());
    let (mut depth, mut in_quotes, mut escaped) = (0usize, false, false);
    for (count, char) in input.chars().enumerate().skip(lead) {
        match char {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return matches!(char, ']' | '}').then_some(count + 1);
        }
    }
    None
}

/// A value up to the next space. A quote within would mean that the line is something else.
fn bare(input: &str) -> IResult<&str, Value> {
    map(take_while(|char: char| !matches!(char, ' ' | '\t' | '"')), plain).parse(input)
}

/// An integer or a truth keeps its kind; anything else, `1.50` too, its spelling.
fn plain(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::Int(number),
            _ => Value::str(text),
        },
    }
}

fn quoted(input: &str) -> IResult<&str, Value> {
    map(delimited(char('"'), inside, char('"')), Value::from).parse(input)
}

/// The text between quotes, with its escapes undone.
fn inside(input: &str) -> IResult<&str, String> {
    let plain = take_while1(|char: char| !matches!(char, '"' | '\\'));
    let escape = preceded(char('\\'), nom::character::complete::anychar);
    fold_many0(alt((map(plain, Part::Plain), map(escape, Part::Escape))), String::new, |mut all, part| {
        match part {
            Part::Plain(text) => all.push_str(text),
            Part::Escape('n') => all.push('\n'),
            Part::Escape('t') => all.push('\t'),
            Part::Escape('r') => all.push('\r'),
            Part::Escape(char @ ('"' | '\\')) => all.push(char),
            // An escape not known here is kept as it was written.
            Part::Escape(char) => all.extend(['\\', char]),
        }
        all
    })
    .parse(input)
}

enum Part<'a> {
    Plain(&'a str),
    Escape(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, Value)]) {
        assert_eq!(pairs(text).said, expected.iter().cloned().collect(), "{text}");
    }

    #[test]
    fn pairs_of_every_kind() {
        check(
            r#"level=info msg="a \"b\"\n" took=3ms n=-4 ok=true empty= url=http://x/?a=b f=1.50"#,
            &[
                ("level", "info".into()),
                ("msg", "a \"b\"\n".into()),
                ("took", "3ms".into()),
                ("n", Value::Int(-4)),
                ("ok", true.into()),
                ("empty", "".into()),
                ("url", "http://x/?a=b".into()),
                ("f", "1.50".into()),
            ],
        );
        check("a=1 a=2", &[("a", Value::List(vec![1.into(), 2.into()]))]);
        check(r#"a="\q" b="é""#, &[("a", "\\q".into()), ("b", "é".into())]);
    }

    #[test]
    fn what_go_makes_of_slices_maps_and_structures_is_one_text() {
        check(
            r#"pods=["default/web" "a]b"] x=map[a:b c:[d é]] s={A:1 B:{C:2}} p=&{A:1 B:"\"}"} j={"a":["b c"]} e=[] last=1"#,
            &[
                ("pods", r#"["default/web" "a]b"]"#.into()),
                ("x", "map[a:b c:[d é]]".into()),
                ("s", "{A:1 B:{C:2}}".into()),
                ("p", r#"&{A:1 B:"\"}"}"#.into()),
                ("j", r#"{"a":["b c"]}"#.into()),
                ("e", "[]".into()),
                ("last", Value::Int(1)),
            ],
        );
        check("a=[x b=map c=]d", &[("a", "[x".into()), ("b", "map".into()), ("c", "]d".into())]);
    }

    #[test]
    fn what_was_read_before_something_else_stays() {
        check(r#"a=1 b=x some words c=3"#, &[("a", Value::Int(1)), ("b", "x".into())]);
        check(r#"a=1 b="open"#, &[("a", Value::Int(1))]);
        check(r#"a=1 b=[x "open"#, &[("a", Value::Int(1)), ("b", "[x".into())]);
    }

    #[test]
    fn prose_is_no_logfmt() {
        for text in ["set a=1 now", "a=1 and b=2", "=x", "1=2", r#"a="open"#, r#"a=b"c" d=e"#, "x = y"] {
            assert!(pairs(text).said.len() < 2, "{text}");
        }
    }
}
