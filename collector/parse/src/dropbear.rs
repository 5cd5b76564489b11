//! What the Dropbear SSH server says about logins: `Bad password attempt for 'bob' from 203.0.113.7:4711`.

use crate::facts::{Facts, Outcome, Side};
use crate::time;

/// Reads `body` if it is one of the sentences known here.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    // Older versions wrote this word before a sentence.
    let text = strip_lead(without_stamp(body, facts));
    let lower = text.to_ascii_lowercase();
    let (action, outcome) = if lower.contains(" auth succeeded for ") {
        ("ssh_login", Outcome::Success)
    } else if lower.starts_with("bad password attempt for ")
        || lower.starts_with("bad pam password attempt for ")
    {
        ("ssh_login", Outcome::Failure)
    } else if lower.starts_with("login attempt for nonexistent user")
        || lower.starts_with("login attempt with wrong user ")
    {
        ("ssh_invalid_user", Outcome::Failure)
    } else if lower.starts_with("exit before auth") || lower.starts_with("max auth tries reached") {
        ("ssh_disconnect", Outcome::Failure)
    } else {
        return false;
    };
    facts.action(action, Some(outcome));
    facts.set_text("network.protocol", "ssh");
    if let Some(user) = quoted_user(text) {
        facts.set_text("user.name", user);
    }
    if let Some((address, port)) = address(text) {
        facts.set_address(Side::Source, address);
        facts.set_port(Side::Source, port);
    }
    true
}

/// Started with `-E` by a supervisor that logs, it writes its own `[42] Mar 01 12:00:00 ` before a sentence.
fn without_stamp<'a>(body: &'a str, facts: &Facts<'_>) -> &'a str {
    let read = || {
        let (_, rest) = body.strip_prefix('[')?.split_once("] ")?;
        let (_, rest) = time::on_str(rest, |text| time::bsd(text, facts.received))?;
        rest.strip_prefix(' ')
    };
    read().unwrap_or(body)
}

fn strip_lead(body: &str) -> &str {
    let Some((word, rest)) = body.split_once(": ") else { return body };
    if matches!(word, "user" | "auth") { rest } else { body }
}

/// The name between the first quote and the last one; before a count of failures, which comes first where there is one, it is that of an
/// account.
fn quoted_user(text: &str) -> Option<&str> {
    if let Some((_, rest)) = text.split_once("(user '")
        && let Some((user, count)) = rest.split_once("', ")
        && count.split_once(" fails)").is_some_and(|(count, _)| count.parse::<u32>().is_ok())
    {
        return Some(user);
    }
    let (_, rest) = text.split_once('\'')?;
    rest.rsplit_once('\'').map(|(user, _)| user)
}

/// `from 203.0.113.7:4711`, or `from <203.0.113.7:4711>`; an IPv6 address is followed by its port in the same way.
fn address(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.rsplit_once(" from ")?;
    let word = rest.split([' ', ',', ')']).next()?.trim_start_matches('<').trim_end_matches([':', '>']);
    word.rsplit_once(':').or(Some((word, "")))
}
