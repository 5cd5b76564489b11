//! Syslog as RFC 5424 has it: `<34>1 2026-03-01T12:00:00Z host app 42 ID [sd@1 key="value"] text`.
//!
//! Does not know what the enterprise numbers of structured data mean: it becomes `syslog.structured_data.<id>.<name>`.

use locard_event::{Timestamp, Value};
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map, recognize};
use nom::multi::{fold_many0, many0};
use nom::sequence::{delimited, preceded, separated_pair};
use nom::{IResult, Parser};

use crate::facts::Facts;
use crate::syslog::{self, Header};
use crate::time;

/// Parameters beyond this many are left to the line.
const MAX_PARAMETERS: usize = 1_000;

/// Reads `line` if it is this format.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let Some((priority, rest)) = syslog::priority(line) else { return false };
    let Ok((rest, words)) = words(rest) else { return false };
    let Some(time) = time(words.time) else { return false };
    facts.set_number("log.syslog.version", words.version);
    facts.set_text("log.syslog.msgid", words.message_id);
    let rest = structured_data(rest, facts);
    let body = rest.strip_prefix(' ').unwrap_or(rest);
    let known = |word| Some(word).filter(|word| *word != "-");
    let header = Header {
        priority: Some(priority),
        time,
        host: known(words.host),
        program: known(words.program),
        pid: known(words.pid),
        body: body.strip_prefix('\u{feff}').unwrap_or(body),
    };
    syslog::add(&header, facts);
    true
}

struct Words<'a> {
    version: &'a str,
    time: &'a str,
    host: &'a str,
    program: &'a str,
    pid: &'a str,
    message_id: &'a str,
}

/// The six words before the structured data, and the space behind them.
fn words(input: &str) -> IResult<&str, Words<'_>> {
    let (input, version) = take_while1(|char: char| char.is_ascii_digit()).parse(input)?;
    let (input, (time, host, program)) = (word, word, word).parse(input)?;
    let (input, (pid, message_id)) = (word, word).parse(input)?;
    let (input, _) = char(' ').parse(input)?;
    Ok((input, Words { version, time, host, program, pid, message_id }))
}

fn word(input: &str) -> IResult<&str, &str> {
    preceded(char(' '), is_not(" ")).parse(input)
}

/// `-` is a time that is not said; anything else must be one.
fn time(text: &str) -> Option<Option<Timestamp>> {
    if text == "-" {
        return Some(None);
    }
    time::rfc3339(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(time, _)| Some(time))
}

/// Adds the parameters of all elements; gives what follows. Broken data is said to be so and stays in the body.
fn structured_data<'a>(input: &'a str, facts: &mut Facts<'_>) -> &'a str {
    if let Some(rest) = input.strip_prefix('-') {
        return rest;
    }
    let Ok((rest, elements)) = many0(element).parse(input) else { return input };
    if elements.is_empty() || !(rest.is_empty() || rest.starts_with(' ')) {
        facts.error("the structured data is not as RFC 5424 has it");
        return input;
    }
    let parameters = elements
        .into_iter()
        .flat_map(|(id, parameters)| parameters.into_iter().map(move |(name, value)| (id, name, value)));
    let mut lists = locard_event::Fields::new();
    for (id, name, value) in parameters.take(MAX_PARAMETERS) {
        lists.append(&format!("syslog.structured_data.{id}.{name}"), Value::str(value));
    }
    for (name, value) in lists {
        facts.set(&name, value);
    }
    rest
}

type Element<'a> = (&'a str, Vec<(&'a str, String)>);

fn element(input: &str) -> IResult<&str, Element<'_>> {
    delimited(char('['), (name, many0(preceded(char(' '), parameter))), char(']')).parse(input)
}

fn parameter(input: &str) -> IResult<&str, (&str, String)> {
    separated_pair(name, char('='), delimited(char('"'), text, char('"'))).parse(input)
}

fn name(input: &str) -> IResult<&str, &str> {
    is_not(" =]\"").parse(input)
}

/// `\"`, `\\` and `\]` are escapes; before anything else a backslash is a backslash (RFC 5424 §6.3.3). An unescaped `]` is let through.
fn text(input: &str) -> IResult<&str, String> {
    let escaped = preceded(char('\\'), recognize(one_of("\"\\]")));
    fold_many0(alt((is_not("\"\\"), map(escaped, |char| char), tag("\\"))), String::new, |mut all, part| {
        all.push_str(part);
        all
    })
    .parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Option<(&str, &[(&str, &str)])>) {
        let read = element(input).ok().map(|(_, (id, parameters))| (id, parameters));
        let expected = expected.map(|(id, parameters)| {
            (id, parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>())
        });
        assert_eq!(read, expected, "{input}");
    }

    #[test]
    fn structured_data_is_unescaped() {
        check(r#"[id@1 a="1" b="x y"]"#, Some(("id@1", &[("a", "1"), ("b", "x y")])));
        check(r#"[id a="q\"b\\s\]e\n" b=""]"#, Some(("id", &[("a", "q\"b\\s]e\\n"), ("b", "")])));
        check(r#"[id]"#, Some(("id", &[])));
        for broken in ["[]", r#"[id a="1"#, r#"[id a=1]"#, r#"[id a="1" ]"#] {
            check(broken, None);
        }
    }
}
