//! Changes to accounts as the shadow tools write them, and sessions as systemd-logind does.

use crate::facts::{Facts, Outcome};

/// Reads `body` if a shadow tool (`useradd`, `passwd`, …) wrote it about a change.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    if let Some(list) = body.strip_prefix("new user: ") {
        facts.action("user_added", Some(Outcome::Success));
        return listed(list, "user.target.name", "user.target.id", facts);
    }
    if let Some(list) = body.strip_prefix("new group: ") {
        facts.action("group_added", Some(Outcome::Success));
        return listed(list, "group.name", "group.id", facts);
    }
    quoted(body, facts) || by_root(body, facts)
}

/// `name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/bash`.
fn listed(list: &str, name: &str, id: &str, facts: &mut Facts<'_>) -> bool {
    for pair in list.split(", ") {
        match pair.split_once('=') {
            Some(("name", value)) => facts.set_text(name, value),
            Some(("UID", value)) => facts.set_text(id, value),
            Some(("GID", value)) => facts.set_text("group.id", value),
            Some(("home", value)) => facts.set_text("account.home", value),
            Some(("shell", value)) => facts.set_text("account.shell", value),
            Some(("from", value)) => facts.set_text("account.from", value),
            _ => {}
        }
    }
    true
}

/// `add 'bob' to group 'sudo'`, `delete user 'bob'`, `password for 'bob' changed by 'root'`, …: words around quoted names.
fn quoted(body: &str, facts: &mut Facts<'_>) -> bool {
    let mut parts = body.splitn(5, '\'');
    let mut next = || parts.next().unwrap_or_default();
    let (lead, first, middle, second) = (next(), next(), next(), next());
    let (action, first_is, second_is) = match (lead, middle) {
        ("add ", " to group " | " to shadow group ") => ("group_member_added", USER, GROUP),
        ("delete ", " from group " | " from shadow group ") => ("group_member_removed", USER, GROUP),
        ("delete user ", _) => ("user_deleted", USER, NONE),
        ("removed group ", _) | ("group ", " removed") | ("removed shadow group ", _) => {
            ("group_deleted", GROUP, NONE)
        }
        ("password for ", " changed by ") => ("password_changed", USER, "user.name"),
        ("change user ", " password") => ("password_changed", USER, NONE),
        ("change user ", _) => ("user_changed", USER, NONE),
        ("lock user ", _) => ("account_locked", USER, NONE),
        ("unlock user ", _) => ("account_unlocked", USER, NONE),
        _ => return false,
    };
    facts.action(action, Some(Outcome::Success));
    for (field, value) in [(first_is, first), (second_is, second)] {
        if field != NONE {
            facts.set_text(field, value);
        }
    }
    true
}

const USER: &str = "user.target.name";
const GROUP: &str = "group.name";
const NONE: &str = "";

/// gpasswd: `user bob added by root to group sudo`.
fn by_root(body: &str, facts: &mut Facts<'_>) -> bool {
    let words: Vec<&str> = body.split(' ').take(9).collect();
    let ["user", user, verb @ ("added" | "removed"), "by", by, "to" | "from", "group", group] =
        *words.as_slice()
    else {
        return false;
    };
    let action = if verb == "added" { "group_member_added" } else { "group_member_removed" };
    facts.action(action, Some(Outcome::Success));
    facts.set_text(USER, user);
    facts.set_text("user.name", by);
    facts.set_text(GROUP, group);
    true
}

/// Reads `body` if systemd-logind wrote it about a session.
pub(crate) fn read_logind(body: &str, facts: &mut Facts<'_>) -> bool {
    let (action, session, user) = if let Some(rest) = body.strip_prefix("New session ") {
        // Since systemd 257 the session's class follows: `of user 'bob' with class 'user'`.
        let Some((session, rest)) = rest.split_once(" of user ") else { return false };
        let user = rest.split(" with class ").next().unwrap_or(rest);
        ("session_started", session, user.trim_end_matches('.').trim_matches('\''))
    } else if let Some(rest) = body.strip_prefix("Removed session ") {
        ("session_ended", rest.trim_end_matches('.'), "")
    } else {
        return false;
    };
    facts.action(action, Some(Outcome::Success));
    facts.set_text("session.id", session.trim_matches('\''));
    facts.set_text("user.name", user);
    true
}
