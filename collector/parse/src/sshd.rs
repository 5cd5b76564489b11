//! What OpenSSH's server says about connections and logins.
//!
//! User names are typed by the attacker and may read ` from 198.51.100.9 port 1 ssh2`; sshd writes the true address after them. So an
//! address is looked for from the end of the line, behind anything a client chose.
//! Source of the sentences: openssh-portable `auth.c`, `sshd.c`, `packet.c`, `kex.c`, 6.x to 10.x.

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

/// The other end, as far as a sentence names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Peer<'a> {
    address: &'a str,
    port: &'a str,
    /// What follows.
    tail: &'a str,
}

impl Peer<'_> {
    fn add(self, facts: &mut Facts<'_>) {
        facts.set_address(Side::Source, self.address);
        facts.set_port(Side::Source, self.port);
    }
}

/// Splits `WHO from ADDRESS[ port N]…` at the last ` from ` that an address follows; one with a port goes first.
fn split_from(text: &str) -> Option<(&str, Peer<'_>)> {
    let mut loose = None;
    for (at, word) in text.rmatch_indices(" from ") {
        let (Some(who), Some(rest)) = (text.get(..at), text.get(at + word.len()..)) else { continue };
        let peer = peer(rest);
        if !peer.port.is_empty() {
            return Some((who, peer));
        }
        if loose.is_none() && is_host(peer.address) {
            loose = Some((who, peer));
        }
    }
    loose
}

/// Reads `ADDRESS[ port N][tail]`.
fn peer(text: &str) -> Peer<'_> {
    let (address, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(digits) = rest.strip_prefix("port ") {
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if let Some((port, tail)) = digits.split_at_checked(length).filter(|(port, _)| !port.is_empty()) {
            return Peer { address, port, tail };
        }
    }
    Peer { address: address.trim_end_matches([':', ',', '.']), port: "", tail: rest }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%'))
}

/// `Failed password for invalid user bob from 203.0.113.7 port 4711 ssh2: KEY`.
fn login(text: &str, action: &'static str, outcome: Option<Outcome>, facts: &mut Facts<'_>) -> bool {
    let mut words = text.splitn(4, ' ');
    let (Some(_), Some(method), Some("for"), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    // The client chooses what it calls itself, and sshd writes it last.
    let rest =
        if method == "hostbased" { rest.split(", client user \"").next().unwrap_or(rest) } else { rest };
    let Some((user, peer)) = split_from(rest) else { return false };
    facts.action(action, outcome);
    facts.set_text("sshd.method", method);
    set_user(user, facts);
    peer.add(facts);
    if let Some((_, key)) = peer.tail.split_once("ssh2: ") {
        facts.set_text("sshd.key", key);
    }
    true
}

fn set_user(text: &str, facts: &mut Facts<'_>) {
    let unknown = text.strip_prefix("invalid user ").or_else(|| text.strip_prefix("illegal user "));
    if unknown.is_some() || matches!(text, "invalid user" | "illegal user") {
        facts.set("sshd.invalid_user", true);
    }
    facts.set_text("user.name", unknown.unwrap_or(text));
}

/// Sentences that begin or end a connection.
fn connection(text: &str, facts: &mut Facts<'_>) -> bool {
    if let Some(rest) = text.strip_prefix("Connection from ") {
        let from = peer(rest);
        facts.action("ssh_connection", None);
        from.add(facts);
        if let Some(on) = from.tail.strip_prefix(" on ") {
            let local = peer(on);
            facts.set_address(Side::Destination, local.address);
            facts.set_port(Side::Destination, local.port);
        }
        return true;
    }
    if let Some(rest) = text.strip_prefix("Received disconnect from ") {
        let from = peer(rest);
        facts.action("ssh_disconnect", None);
        from.add(facts);
        facts.set_text("sshd.reason", from.tail.trim_start_matches([':', ' ']));
        return true;
    }
    let leads = ["Connection closed by ", "Connection reset by ", "Disconnected from ", "Disconnecting "];
    let Some(rest) = leads.iter().find_map(|lead| text.strip_prefix(lead)) else {
        return text.strip_prefix("Disconnecting: ").is_some_and(|reason| too_many(reason, facts));
    };
    facts.action("ssh_disconnect", None);
    named_peer(rest, facts);
    true
}

/// `Disconnecting: Too many authentication failures for root`.
fn too_many(reason: &str, facts: &mut Facts<'_>) -> bool {
    facts.action("ssh_disconnect", None);
    facts.set_text("sshd.reason", reason);
    if let Some(user) = reason.strip_prefix("Too many authentication failures for ") {
        match split_from(user) {
            Some((user, peer)) => {
                set_user(user, facts);
                peer.add(facts);
            }
            None => set_user(user, facts),
        }
    }
    true
}

/// `[invalid user |authenticating user |user ]NAME ADDRESS port N[: reason]`, or the address alone.
fn named_peer(text: &str, facts: &mut Facts<'_>) {
    let Some((name, user)) = split_named(text) else {
        peer(text).add(facts);
        return;
    };
    user.add(facts);
    facts.set_text("sshd.reason", user.tail.trim_start_matches([':', ' ']));
    if let Some(name) = name.strip_prefix("authenticating user ").or_else(|| name.strip_prefix("user ")) {
        set_user(name, facts);
    } else if name.starts_with("invalid user") {
        set_user(name, facts);
    }
}

/// Splits at the last ` port N` that ends the text or stands before a reason, with the word before it as the address.
fn split_named(text: &str) -> Option<(&str, Peer<'_>)> {
    for (at, _) in text.rmatch_indices(" port ") {
        let (Some(before), Some(_)) = (text.get(..at), text.get(at..)) else { continue };
        let start = before.rfind(' ').map_or(0, |space| space + 1);
        let (Some(name), Some(rest)) = (text.get(..start), text.get(start..)) else { continue };
        let peer = peer(rest);
        let ends = peer.tail.is_empty() || peer.tail.starts_with(':');
        if !peer.port.is_empty() && ends && is_host(peer.address) {
            return Some((name.trim_end(), peer));
        }
    }
    None
}

/// Sentences about clients that do not speak the protocol, or not in time.
fn protocol(text: &str, facts: &mut Facts<'_>) -> bool {
    let from = |facts: &mut Facts<'_>, action: &'static str| match split_from(text) {
        Some((_, peer)) => {
            facts.action(action, Some(Outcome::Failure));
            peer.add(facts);
            facts.set_text("sshd.reason", peer.tail.trim_start_matches([':', ' ']));
            true
        }
        None => false,
    };
    if text.starts_with("Did not receive identification string from ") {
        return from(facts, "ssh_no_identification");
    }
    if text.starts_with("Bad protocol version identification ") || text.starts_with("banner exchange: ") {
        return from(facts, "ssh_bad_protocol");
    }
    if let Some(rest) = text.strip_prefix("ssh_dispatch_run_fatal: Connection from ") {
        facts.action("ssh_disconnect", Some(Outcome::Failure));
        named_peer(rest, facts);
        return true;
    }
    if let Some(rest) = text.strip_prefix("Unable to negotiate with ") {
        let with = peer(rest);
        facts.action("ssh_negotiation", Some(Outcome::Failure));
        with.add(facts);
        facts.set_text("sshd.reason", with.tail.trim_start_matches([':', ' ']));
        return true;
    }
    if let Some(rest) = text.strip_prefix("Read error from remote host ") {
        facts.action("ssh_disconnect", Some(Outcome::Failure));
        peer(rest).add(facts);
        return true;
    }
    timeout(text, facts) || dropped(text, facts)
}

fn timeout(text: &str, facts: &mut Facts<'_>) -> bool {
    let Some(rest) = text.strip_prefix("Timeout before authentication for ") else { return false };
    facts.action("ssh_timeout", Some(Outcome::Failure));
    // Since OpenSSH 9.8: `connection from A to B, pid = N`.
    peer(rest.strip_prefix("connection from ").unwrap_or(rest)).add(facts);
    true
}

/// `drop connection #10 from [203.0.113.7]:4711 on [198.51.100.1]:22 past MaxStartups`.
fn dropped(text: &str, facts: &mut Facts<'_>) -> bool {
    let Some((_, rest)) = text.strip_prefix("drop connection ").and_then(|rest| rest.split_once(" from ["))
    else {
        return false;
    };
    let Some((address, rest)) = rest.split_once("]:") else { return false };
    facts.action("ssh_connection", Some(Outcome::Failure));
    facts.set_address(Side::Source, address);
    facts.set_port(Side::Source, rest.split(' ').next().unwrap_or_default());
    true
}

/// Sentences that turn somebody away.
fn refusal(text: &str, facts: &mut Facts<'_>) -> bool {
    if let Some(rest) = text.strip_prefix("Invalid user").or_else(|| text.strip_prefix("Illegal user")) {
        let Some((user, peer)) = split_from(rest) else { return false };
        facts.set("sshd.invalid_user", true);
        return refused("ssh_invalid_user", user.trim_start(), peer, "", facts);
    }
    if let Some(rest) = text.strip_prefix("User ")
        && let Some((who, reason)) = rest.rsplit_once(" not allowed because ")
    {
        let (user, peer) = split_from(who).unwrap_or((who, Peer::default()));
        return refused("ssh_user_denied", user, peer, reason, facts);
    }
    if let Some(rest) = text.strip_prefix("maximum authentication attempts exceeded for ") {
        let Some((user, peer)) = split_from(rest) else { return false };
        return refused("ssh_max_attempts", user, peer, "", facts);
    }
    if let Some(rest) = text.strip_prefix("ROOT LOGIN REFUSED FROM ") {
        return refused("ssh_login", "root", peer(rest), "root login refused", facts);
    }
    if let Some(rest) = text.strip_prefix("refused connect from ") {
        let address = rest.rsplit_once('(').map_or(rest, |(_, address)| address.trim_end_matches(')'));
        return refused("ssh_connection", "", peer(address), "", facts);
    }
    not_permitted(text, facts) || wrong_name(text, facts) || pam_refusal(text, facts)
}

fn refused(action: &'static str, user: &str, peer: Peer<'_>, reason: &str, facts: &mut Facts<'_>) -> bool {
    facts.action(action, Some(Outcome::Failure));
    set_user(user, facts);
    peer.add(facts);
    facts.set_text("sshd.reason", reason);
    true
}

/// `Authentication tried for bob with correct key but not from a permitted host (host=name, ip=203.0.113.7).`
fn not_permitted(text: &str, facts: &mut Facts<'_>) -> bool {
    let Some(rest) = text.strip_prefix("Authentication tried for ") else { return false };
    let Some((user, rest)) = rest.split_once(" with correct key ") else { return false };
    let address = rest.rsplit_once("ip=").map_or("", |(_, ip)| ip.trim_end_matches(['.', ')', ',']));
    refused("ssh_login", user, peer(address), "not from a permitted host", facts)
}

/// Name service answers that do not fit: `reverse mapping checking getaddrinfo for NAME [ADDRESS] failed`,
/// `Address ADDRESS maps to NAME, but this does not map back to the address`.
fn wrong_name(text: &str, facts: &mut Facts<'_>) -> bool {
    let (address, domain) = if let Some(rest) = text.strip_prefix("Address ") {
        let Some((address, rest)) = rest.split_once(" maps to ") else { return false };
        (address, rest.split(',').next().unwrap_or_default())
    } else if let Some(rest) = text.strip_prefix("reverse mapping checking getaddrinfo for ") {
        let Some((domain, rest)) = rest.split_once(" [") else { return false };
        (rest.split(']').next().unwrap_or_default(), domain)
    } else if let Some(rest) = text.strip_prefix("Nasty PTR record \"") {
        let Some((domain, rest)) = rest.split_once("\" is set up for ") else { return false };
        (rest.split(',').next().unwrap_or_default(), domain)
    } else {
        return false;
    };
    facts.action("ssh_reverse_mapping", Some(Outcome::Failure));
    facts.set_address(Side::Source, address);
    facts.set_text("source.domain", domain);
    true
}

/// What PAM told sshd: `Authentication failure for illegal user bob from 203.0.113.7`, after `error: PAM: `.
fn pam_refusal(text: &str, facts: &mut Facts<'_>) -> bool {
    const REASONS: [&str; 7] = [
        "Authentication failure for ",
        "authentication error for ",
        "Permission denied for ",
        "User account has expired for ",
        "User not known to the underlying authentication module for ",
        "Authentication service cannot retrieve authentication info for ",
        "Have exhausted maximum number of retries for service for ",
    ];
    for reason in REASONS {
        let Some(rest) = strip_prefix_ignore_case(text, reason) else { continue };
        let Some((user, peer)) = split_from(rest) else { return false };
        return refused("ssh_pam_refusal", user, peer, reason.trim_end_matches(" for "), facts);
    }
    false
}

fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_with_a_port_is_the_true_one() {
        for (text, who, address, port) in [
            ("bob from 192.0.2.1 port 22 ssh2", "bob", "192.0.2.1", "22"),
            (
                "a from 192.0.2.9 port 1 ssh2 from 192.0.2.1 port 2 ssh2",
                "a from 192.0.2.9 port 1 ssh2",
                "192.0.2.1",
                "2",
            ),
            ("from from 192.0.2.1", "from", "192.0.2.1", ""),
            (" from ::1 port 5 ssh2", "", "::1", "5"),
            ("bob from host.example", "bob", "host.example", ""),
        ] {
            let (found, peer) = split_from(text).unwrap();
            assert_eq!((found, peer.address, peer.port), (who, address, port), "{text}");
        }
        assert_eq!(split_from("nobody"), None);
    }
}
