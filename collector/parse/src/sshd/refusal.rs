//! Sentences that turn somebody away.

use super::peer::{Peer, peer, set_user, split_from};
use crate::facts::{Facts, Outcome, Side};

/// Sentences that turn somebody away.
pub(super) fn refusal(text: &str, facts: &mut Facts<'_>) -> bool {
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
