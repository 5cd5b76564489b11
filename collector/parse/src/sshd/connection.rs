//! Sentences about connections: how they begin and end, and clients that do not speak the protocol.

use super::peer::{peer, set_user, split_from, split_named};
use crate::facts::{Facts, Outcome, Side};

/// Sentences that begin or end a connection.
pub(super) fn connection(text: &str, facts: &mut Facts<'_>) -> bool {
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

/// Sentences about clients that do not speak the protocol, or not in time.
pub(super) fn protocol(text: &str, facts: &mut Facts<'_>) -> bool {
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
