//! Who is at the other end: the address, port and user of a sentence.
//!
//! User names are typed by the attacker and may read ` from 198.51.100.9 port 1 ssh2`; sshd writes the true address after them. So an
//! address is looked for from the end of the line, behind anything a client chose.

use crate::facts::{Facts, Side};

/// The other end, as far as a sentence names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    pub(super) address: &'a str,
    pub(super) port: &'a str,
    /// What follows.
    pub(super) tail: &'a str,
}

impl Peer<'_> {
    /// Adds address and port.
    pub(super) fn add(self, facts: &mut Facts<'_>) {
        facts.set_address(Side::Source, self.address);
        facts.set_port(Side::Source, self.port);
    }
}

/// Splits `WHO from ADDRESS[ port N]…` at the last ` from ` that an address follows; one with a port goes first.
pub(super) fn split_from(text: &str) -> Option<(&str, Peer<'_>)> {
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
pub(super) fn peer(text: &str) -> Peer<'_> {
    let (address, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(digits) = rest.strip_prefix("port ") {
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if let Some((port, tail)) = digits.split_at_checked(length).filter(|(port, _)| !port.is_empty()) {
            return Peer { address, port, tail };
        }
    }
    Peer { address: address.trim_end_matches([':', ',', '.']), port: "", tail: rest }
}

pub(super) fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'%'))
}

/// Splits at the last ` port N` that ends the text or stands before a reason, with the word before it as the address.
pub(super) fn split_named(text: &str) -> Option<(&str, Peer<'_>)> {
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

pub(super) fn set_user(text: &str, facts: &mut Facts<'_>) {
    let name = without_invalid(text);
    if name.len() < text.len() || matches!(text, "invalid user" | "illegal user") {
        facts.set("sshd.invalid_user", true);
    }
    facts.set_text("user.name", name);
}

/// The name without `invalid user ` before it.
pub(super) fn without_invalid(text: &str) -> &str {
    text.strip_prefix("invalid user ").or_else(|| text.strip_prefix("illegal user ")).unwrap_or(text)
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
