//! `level=info msg="a text" took=3ms`: pairs and nothing else, at least two, so that prose is not taken for it.
//!
//! Source: go-logfmt. Keys without value are not read, since every word of prose would be one.

use locard_event::{Fields, Value};
use nom::branch::alt;
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::{char, space1};
use nom::combinator::{map, verify};
use nom::multi::fold_many0;
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser};

use crate::app;
use crate::facts::Facts;
use crate::json::{MAX_FIELDS, note_left_out};

/// Reads `text` if the whole of it is logfmt.
pub(crate) fn read(text: &str, facts: &mut Facts<'_>) -> bool {
    let Some((said, left_out)) = pairs(text.trim()) else { return false };
    if said.len() < 2 {
        return false;
    }
    note_left_out(left_out, facts);
    app::add(said, facts);
    true
}

/// Reads pairs up to the end of `text`; the number of pairs beyond the limit comes second. A key that repeats makes a list.
pub(crate) fn pairs(text: &str) -> Option<(Fields, usize)> {
    let (mut said, mut left_out) = (Fields::new(), 0);
    let mut rest = text;
    while !rest.is_empty() {
        let (after, (key, value)) = pair(rest).ok()?;
        match said.len() < MAX_FIELDS {
            true => said.append(key, value),
            false => left_out += 1,
        }
        rest = match after {
            "" => "",
            _ => space1::<_, nom::error::Error<&str>>.parse(after).ok()?.0,
        };
    }
    Some((said, left_out))
}

fn pair(input: &str) -> IResult<&str, (&str, Value)> {
    separated_pair(key, char('='), alt((quoted, bare))).parse(input)
}

fn key(input: &str) -> IResult<&str, &str> {
    let first =
        |key: &&str| key.starts_with(|char: char| char.is_ascii_alphabetic() || matches!(char, '_' | '@'));
    verify(take_while1(is_key_char), first).parse(input)
}

fn is_key_char(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '.' | '-' | '/' | '@' | ':')
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
    fn check(text: &str, expected: Option<&[(&str, Value)]>) {
        let read = pairs(text).map(|(said, _)| said);
        assert_eq!(read, expected.map(|pairs| pairs.iter().cloned().collect()), "{text}");
    }

    #[test]
    fn pairs_of_every_kind() {
        check(
            r#"level=info msg="a \"b\"\n" took=3ms n=-4 ok=true empty= url=http://x/?a=b f=1.50"#,
            Some(&[
                ("level", "info".into()),
                ("msg", "a \"b\"\n".into()),
                ("took", "3ms".into()),
                ("n", Value::Int(-4)),
                ("ok", true.into()),
                ("empty", "".into()),
                ("url", "http://x/?a=b".into()),
                ("f", "1.50".into()),
            ]),
        );
        check("a=1 a=2", Some(&[("a", Value::List(vec![1.into(), 2.into()]))]));
        check(r#"a="\q" b="é""#, Some(&[("a", "\\q".into()), ("b", "é".into())]));
    }

    #[test]
    fn prose_is_no_logfmt() {
        for text in ["set a=1 now", "a=1 and b=2", "=x", "1=2", r#"a="open"#, r#"a=b"c" d=e"#, "x = y"] {
            check(text, None);
        }
    }
}
