//! Access lines of nginx, Apache and those who copied them: the common and combined formats, with a virtual host before or more behind.
//!
//! Escapes (`\"`, `\x16`) are kept as they were logged.

use std::net::IpAddr;

use locard_event::Timestamp;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while1};
use nom::character::complete::{anychar, char};
use nom::combinator::{opt, recognize};
use nom::multi::many0_count;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::facts::{Facts, Outcome, Side};
use crate::{time, url};

/// The words before the time are at most this long: servers take headers, in which the user's name comes, up to about so much.
const MAX_PREFIX_BYTES: usize = 16 << 10;

/// Reads `line` if it is an access line.
pub(crate) fn read(line: &str, facts: &mut Facts<'_>) -> bool {
    let Some((who, when, rest)) = split_time(line) else { return false };
    let Some(who) = who_of(who) else { return false };
    let Ok((_, request)) = request(rest) else { return false };
    facts.time(when);
    add_who(&who, facts);
    add_request(&request, facts);
    true
}

/// The words before ` [`, the time, and what follows it. The user's name may hold brackets, and even a time, but no bare quote: the first
/// time that a quote follows is the server's.
fn split_time(line: &str) -> Option<(&str, Timestamp, &str)> {
    let start = line.as_bytes().get(..line.len().min(MAX_PREFIX_BYTES))?;
    memchr::memchr_iter(b'[', start).find_map(|at| {
        let who = line.get(..at)?.strip_suffix(' ')?;
        let (when, rest) = time::on_str(line.get(at + 1..)?, time::access)?;
        rest.starts_with("] \"").then_some((who, when, rest))
    })
}

struct Who<'a> {
    domain: &'a str,
    client: &'a str,
    user: &'a str,
}

/// `client ident user`, or `domain client ident user`. The user of a client known by its address may hold spaces; a client may be a list, whose first is taken.
fn who_of(text: &str) -> Option<Who<'_>> {
    let (first, rest) = text.split_once(' ')?;
    let (second, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_ip = |word: &str| word.trim_end_matches(',').parse::<IpAddr>().is_ok();
    let has_domain = !is_ip(first) && (is_ip(second) || (second != "-" && after.split(' ').count() == 2));
    let (domain, client, rest) = if has_domain { (first, second, after) } else { ("", first, rest) };
    let mut rest = rest;
    let mut previous = client;
    while previous.ends_with(',') {
        (previous, rest) = rest.split_once(' ')?;
    }
    let (_ident, user) = rest.split_once(' ')?;
    if user.contains(' ') && !is_ip(client) {
        return None;
    }
    Some(Who { domain, client: client.trim_end_matches(','), user })
}

struct Request<'a> {
    line: &'a str,
    status: &'a str,
    bytes: Option<&'a str>,
    referrer: Option<&'a str>,
    agent: Option<&'a str>,
}

/// `] "request" status bytes "referrer" "agent"`, the last three optional.
fn request(input: &str) -> IResult<&str, Request<'_>> {
    let (input, line) = preceded(tag("] "), quoted).parse(input)?;
    let (input, status) = preceded(char(' '), number).parse(input)?;
    let (input, bytes) = opt(preceded(char(' '), number)).parse(input)?;
    let (input, referrer) = opt(preceded(char(' '), quoted)).parse(input)?;
    let (input, agent) = opt(preceded(char(' '), quoted)).parse(input)?;
    Ok((input, Request { line, status, bytes, referrer, agent }))
}

fn number(input: &str) -> IResult<&str, &str> {
    alt((take_while1(|char: char| char.is_ascii_digit()), tag("-"))).parse(input)
}

/// The text between quotes; a backslash takes the next character with it.
fn quoted(input: &str) -> IResult<&str, &str> {
    let part = alt((is_not("\"\\"), recognize((char('\\'), anychar))));
    delimited(char('"'), recognize(many0_count(part)), char('"')).parse(input)
}

fn add_who(who: &Who<'_>, facts: &mut Facts<'_>) {
    let (domain, port) = who.domain.rsplit_once(':').unwrap_or((who.domain, ""));
    facts.set_text("url.domain", domain);
    if let Ok(port) = port.parse::<u16>() {
        facts.set("url.port", i64::from(port));
    }
    facts.set_address(Side::Source, who.client);
    facts.set_text("user.name", who.user);
}

fn add_request(request: &Request<'_>, facts: &mut Facts<'_>) {
    url::add_request(request.line, facts);
    if let Ok(status) = request.status.parse::<i64>() {
        facts.set("http.response.status_code", status);
        facts.set("event.outcome", Outcome::of_status(status).name());
    }
    if let Some(Ok(bytes)) = request.bytes.map(str::parse::<i64>) {
        facts.set("http.response.body.bytes", bytes);
    }
    facts.set_text("http.request.referrer", request.referrer.unwrap_or_default());
    facts.set_text("user_agent.original", request.agent.unwrap_or_default());
}
