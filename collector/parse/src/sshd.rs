//! What OpenSSH's server says about connections and logins.
//!
//! Source of the sentences: openssh-portable `auth.c`, `sshd.c`, `packet.c`, `kex.c`, 6.x to 10.x.

mod connection;
mod login;
mod peer;
mod refusal;

use connection::{connection, protocol};
use login::login;
use peer::{peer, set_user, split_from};
use refusal::refusal;

use crate::facts::{Facts, Outcome, Side};

/// Reads `body` if it is one of the sentences known here.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let text = body.strip_prefix("error: ").or_else(|| body.strip_prefix("fatal: ")).unwrap_or(body);
    let text = text.strip_suffix(" [preauth]").unwrap_or(text);
    let text = text.strip_prefix("PAM: ").unwrap_or(text);
    let known = match text.split(' ').next().unwrap_or_default() {
        "Accepted" => login(text, "ssh_login", Some(Outcome::Success), facts),
        "Failed" => login(text, "ssh_login", Some(Outcome::Failure), facts),
        "Postponed" | "Partial" => login(text, "ssh_login_step", None, facts),
        "Connection" | "Disconnected" | "Disconnecting" | "Disconnecting:" | "Received" => {
            connection(text, facts)
        }
        "Did" | "Bad" | "banner" | "ssh_dispatch_run_fatal:" | "Unable" | "Timeout" | "drop" | "Read" => {
            protocol(text, facts)
        }
        _ => refusal(text, facts) || session(text, facts),
    };
    if known {
        facts.set_text("network.protocol", "ssh");
    }
    known
}

/// Sentences about what an authenticated user does, and the server itself.
fn session(text: &str, facts: &mut Facts<'_>) -> bool {
    if let Some(rest) = text.strip_prefix("Starting session: ") {
        let Some((what, peer)) = split_from(rest) else { return false };
        let Some((what, user)) = what.rsplit_once(" for ") else { return false };
        facts.action("ssh_session_start", Some(Outcome::Success));
        facts.set_text("sshd.session", what);
        set_user(user, facts);
        peer.add(facts);
        return true;
    }
    if let Some(rest) = text.strip_prefix("Close session: user ") {
        let Some((user, peer)) = split_from(rest) else { return false };
        facts.action("ssh_session_end", Some(Outcome::Success));
        set_user(user, facts);
        peer.add(facts);
        return true;
    }
    if let Some((subsystem, user)) =
        text.strip_prefix("subsystem request for ").and_then(|rest| rest.split_once(" by user "))
    {
        facts.action("ssh_session_start", Some(Outcome::Success));
        facts.set_text("sshd.session", subsystem);
        set_user(user, facts);
        return true;
    }
    let Some(rest) = text.strip_prefix("Server listening on ") else { return false };
    let on = peer(rest);
    facts.action("ssh_listen", None);
    facts.set_address(Side::Destination, on.address);
    facts.set_port(Side::Destination, on.port);
    true
}
