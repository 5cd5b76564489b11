//! Lines of Linux-PAM modules, under the name of whichever program asked: `pam_unix(sshd:auth): authentication failure; …`.
//!
//! The names in a failure were typed by the attacker: `ruser` and `user` may hold anything, ` rhost=` included. A host holds no
//! space, so the first `rhost=` that is followed by the end or by ` user=` is the one that PAM wrote.

use crate::facts::{Facts, Outcome, Side};

/// Reads `body` if a PAM module wrote it.
pub(crate) fn read(program: &str, body: &str, facts: &mut Facts<'_>) -> bool {
    if let Some((module, text)) = body.strip_prefix('(').and_then(|body| body.split_once(") "))
        && module.starts_with("pam_")
    {
        facts.set_text("pam.module", module);
        return said(program, text, facts);
    }
    if let Some(rest) = body.strip_prefix("PAM ") {
        return repeated(program, rest, facts);
    }
    if !body.starts_with("pam_") {
        return false;
    }
    let Some((origin, text)) = body.split_once(": ") else { return false };
    let (module, place) = match origin.split_once('(') {
        Some((module, place)) => (module, place.strip_suffix(')').unwrap_or(place)),
        None => (origin, ""),
    };
    let (service, kind) = place.split_once(':').unwrap_or((place, ""));
    facts.set_text("pam.module", module);
    facts.set_text("pam.service", service);
    facts.set_text("pam.type", kind);
    said(program, text, facts);
    true
}

/// Reads the text that an old PAM wrote without its name.
pub(crate) fn read_old(program: &str, body: &str, facts: &mut Facts<'_>) -> bool {
    facts.set("pam.module", "pam_unix");
    said(program, body, facts)
}

/// `PAM 2 more authentication failures; logname= …` sums up what sshd's PAM did not say line by line.
fn repeated(program: &str, text: &str, facts: &mut Facts<'_>) -> bool {
    let Some((count, rest)) = text.split_once(" more authentication failure") else { return false };
    if count.parse::<u32>().is_err() {
        return false;
    }
    facts.set_number("pam.failures", count);
    failure(program, rest.trim_start_matches(['s', ';', ' ']), facts);
    true
}

fn said(program: &str, text: &str, facts: &mut Facts<'_>) -> bool {
    if let Some(rest) = text.strip_prefix("authentication failure;") {
        failure(program, rest.trim_start(), facts);
    } else if let Some(rest) = text.strip_prefix("session opened for user ") {
        session("session_opened", rest, facts);
    } else if let Some(rest) = text.strip_prefix("session closed for user ") {
        session("session_closed", rest, facts);
    } else if let Some(user) = text.strip_prefix("password changed for ") {
        facts.action("password_changed", Some(Outcome::Success));
        facts.set_text("user.name", user);
    } else if text.starts_with("check pass; user unknown") {
        facts.action("pam_authentication", Some(Outcome::Failure));
    } else if let Some(rest) = text.strip_prefix("Consecutive login failures for user ") {
        facts.action("account_locked", Some(Outcome::Success));
        facts.set_text("user.name", rest.split(' ').next().unwrap_or(rest));
    } else {
        return false;
    }
    true
}

fn failure(program: &str, text: &str, facts: &mut Facts<'_>) {
    facts.action("pam_authentication", Some(Outcome::Failure));
    let (before, names) = text.split_once("ruser=").unwrap_or((text, ""));
    let (ruser, rhost, user) = names_of(names);
    for pair in before.split_ascii_whitespace() {
        match pair.split_once('=') {
            Some(("tty", tty)) => facts.set_text("pam.tty", tty),
            Some(("uid", uid)) => facts.set_text("pam.uid", uid),
            Some(("logname", name)) => facts.set_text("pam.logname", name),
            _ => {}
        }
    }
    facts.set_text("pam.ruser", ruser);
    facts.set_text("pam.service", program);
    facts.set_text("user.name", if user.is_empty() { ruser } else { user });
    facts.set_address(Side::Source, rhost);
}

/// Splits `RUSER rhost=RHOST  user=USER` by the rule at the top of this file.
fn names_of(text: &str) -> (&str, &str, &str) {
    for (at, _) in text.match_indices("rhost=") {
        let (Some(ruser), Some(rest)) = (text.get(..at), text.get(at + "rhost=".len()..)) else { continue };
        if !(ruser.is_empty() || ruser.ends_with(' ')) {
            continue;
        }
        let (rhost, after) = rest.split_once(' ').unwrap_or((rest, ""));
        let after = after.trim();
        if after.is_empty() {
            return (ruser.trim(), rhost, "");
        }
        if let Some(user) = after.strip_prefix("user=") {
            return (ruser.trim(), rhost, user);
        }
    }
    (text.trim(), "", "")
}

/// `bob(uid=1000) by alice(uid=0)`; older ones leave out the numbers, daemons the name behind `by`.
fn session(action: &'static str, text: &str, facts: &mut Facts<'_>) {
    facts.action(action, Some(Outcome::Success));
    let (user, by) = text.rsplit_once(" by ").unwrap_or((text, ""));
    let (user, user_id) = with_id(user);
    let (by, by_id) = with_id(by);
    if by.is_empty() {
        facts.set_text("user.name", user);
        facts.set_text("user.id", user_id);
        return;
    }
    facts.set_text("user.name", by);
    facts.set_text("user.id", by_id);
    facts.set_text("user.effective.name", user);
    facts.set_text("user.effective.id", user_id);
}

fn with_id(text: &str) -> (&str, &str) {
    match text.rsplit_once("(uid=") {
        Some((name, id)) => (name.trim(), id.strip_suffix(')').unwrap_or(id)),
        None => (text.trim(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_pass_for_a_host() {
        for (text, expected) in [
            (" rhost=192.0.2.1  user=root", ("", "192.0.2.1", "root")),
            ("bob rhost=192.0.2.1", ("bob", "192.0.2.1", "")),
            ("x rhost=192.0.2.9 rhost=192.0.2.1", ("x rhost=192.0.2.9", "192.0.2.1", "")),
            (" rhost=192.0.2.1 user=x rhost=192.0.2.9", ("", "192.0.2.1", "x rhost=192.0.2.9")),
            (" rhost=  user=bob", ("", "", "bob")),
            ("", ("", "", "")),
        ] {
            assert_eq!(names_of(text), expected, "{text}");
        }
    }
}
