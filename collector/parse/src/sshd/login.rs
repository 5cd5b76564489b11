//! Sentences about logins: `Failed password for invalid user bob from 203.0.113.7 port 4711 ssh2: KEY`.
//!
//! The client chooses the user's name, which stands before the address, and what a certificate and a host call themselves, which
//! stands behind it. Source: openssh-portable `auth.c` (`auth_log`), `auth2-pubkey.c` and `auth2-hostbased.c`.

use super::peer::{Peer, peer, set_user, split_from, without_invalid};
use crate::facts::{Facts, Outcome, Side};

/// Reads a sentence that begins with the outcome and the method.
pub(super) fn login(
    text: &str,
    action: &'static str,
    outcome: Option<Outcome>,
    facts: &mut Facts<'_>,
) -> bool {
    let mut words = text.splitn(4, ' ');
    let (Some(_), Some(method), Some("for"), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let mut readings = readings(rest);
    if readings.is_empty() {
        readings.extend(split_from(rest));
    }
    let Some((user, peer)) = readings.first().copied() else { return false };
    facts.action(action, outcome);
    facts.set_text("sshd.method", method);
    if readings.len() == 1 {
        set_user(user, facts);
        peer.add(facts);
    } else {
        if without_invalid(user).len() < user.len() {
            facts.set("sshd.invalid_user", true);
        }
        facts.set_any("user.name", readings.iter().map(|(user, _)| without_invalid(user)));
        facts.set_any_address(Side::Source, readings.iter().map(|(_, peer)| peer.address));
    }
    if let Some((_, key)) = peer.tail.split_once("ssh2: ") {
        facts.set_text("sshd.key", key.split(", client user \"").next().unwrap_or(key));
    }
    true
}

/// Every way to read `USER from ADDRESS port N ssh2[: KEY]` in which the rest is as sshd writes it. There is more than one only where
/// a client took pains to make it so; the true one is among them.
fn readings(text: &str) -> Vec<(&str, Peer<'_>)> {
    let certificate_ends = ends_certificate(text);
    let read = |(at, word): (usize, &str)| {
        let peer = peer(text.get(at + word.len()..)?);
        let fits = !peer.port.is_empty() && is_tail(peer.tail, certificate_ends);
        fits.then_some((text.get(..at)?, peer))
    };
    text.match_indices(" from ").filter_map(read).collect()
}

/// ` ssh2`, ` ssh2: RSA SHA256:…`, ` ssh2: RSA-CERT SHA256:… ID … (serial 1) CA RSA SHA256:…`; hostbased adds `, client user "…`.
fn is_tail(tail: &str, certificate_ends: bool) -> bool {
    let Some(tail) = tail.strip_prefix(" ssh2") else { return false };
    let Some(key) = tail.strip_prefix(": ") else { return tail.is_empty() };
    let mut words = key.splitn(4, ' ');
    let (kind, second, third) = (words.next(), words.next(), words.next());
    if kind.is_some_and(|kind| kind.ends_with("-CERT")) && (second == Some("ID") || third == Some("ID")) {
        return certificate_ends;
    }
    // Before OpenSSH 6.8 the fingerprint is not there, or has no prefix.
    third.is_none() || (second.is_some_and(|second| second.ends_with(',')) && third == Some("client"))
}

/// Whether a certificate's ` (serial 1) CA RSA SHA256:…` ends the text, what hostbased adds aside.
fn ends_certificate(text: &str) -> bool {
    let Some((_, rest)) = text.rsplit_once(" (serial ") else { return false };
    let Some((serial, authority)) = rest.split_once(") CA ") else { return false };
    serial.bytes().all(|byte| byte.is_ascii_digit())
        && (authority.split(' ').count() <= 2 || authority.contains(", client user \""))
}
