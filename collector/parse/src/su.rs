//! `su`: shadow writes `Successful su for root by alice`, util-linux `(to root) alice on pts/0`, older ones `+ pts/0 alice:root`.

use crate::facts::{Facts, Outcome};

/// Reads `body` if su wrote it about a change of user.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let Some((outcome, target, user, tty)) = spelled_out(body).or_else(|| short(body)) else { return false };
    facts.action("su_login", Some(outcome));
    facts.set_text("user.name", user);
    facts.set_text("user.effective.name", target);
    facts.set_text("su.tty", tty);
    true
}

type Change<'a> = (Outcome, &'a str, &'a str, &'a str);

fn spelled_out(body: &str) -> Option<Change<'_>> {
    if let Some(rest) = body.strip_prefix("Successful su for ") {
        return rest.split_once(" by ").map(|(target, user)| (Outcome::Success, target, user, ""));
    }
    if let Some(rest) = body.strip_prefix("FAILED su for ") {
        return rest.split_once(" by ").map(|(target, user)| (Outcome::Failure, target, user, ""));
    }
    let (outcome, rest) = match body.strip_prefix("FAILED SU ") {
        Some(rest) => (Outcome::Failure, rest),
        None => (Outcome::Success, body),
    };
    let (target, rest) = rest.strip_prefix("(to ")?.split_once(") ")?;
    let (user, tty) = rest.split_once(" on ")?;
    Some((outcome, target, user, tty))
}

fn short(body: &str) -> Option<Change<'_>> {
    let (sign, rest) = body.split_once(' ')?;
    let outcome = match sign {
        "+" => Outcome::Success,
        "-" => Outcome::Failure,
        _ => return None,
    };
    let (tty, names) = rest.split_once(' ')?;
    let (user, target) = names.split_once(':')?;
    Some((outcome, target, user, tty))
}
