//! [`Token`]: a credential as the server knows it, by its hash.

use std::collections::HashSet;
use std::sync::Arc;

use locard_event::Timestamp;
use locard_indexer::{Permission, Principal, Tenant};
use rand::Rng as _;
use sha2::{Digest, Sha256};

use super::{Problem, TokenEntry};

/// A credential and what it stands for.
#[derive(Clone, Debug)]
pub struct Token {
    /// SHA-256 of the secret.
    pub sha256: [u8; 32],
    /// On whose behalf its bearer acts.
    pub principal: Principal,
    /// Not valid from then on.
    pub expires: Option<Timestamp>,
}

/// What every token begins with, so that secret scanners can know it.
const PREFIX: &str = "lcd_";

/// A new token: 256 random bits.
pub fn random_token() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hex}")
}

/// SHA-256 of a token. No salt and no stretching: tokens are 256 random bits, not passwords.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Reads the list, reporting what is wrong with every entry.
pub(super) fn read_tokens(entries: &[TokenEntry], problems: &mut Vec<Problem>) -> Vec<Token> {
    let (mut names, mut hashes) = (HashSet::new(), HashSet::new());
    let mut tokens = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let at = format!("auth.tokens[{index}]");
        if !entry.name.is_empty() && !names.insert(&entry.name) {
            problems.push(Problem::new(format!("{at}.name"), format!("`{}` is there twice", entry.name)));
        }
        if let Some(token) = read_token(&at, entry, problems) {
            if !hashes.insert(token.sha256) {
                problems.push(Problem::new(format!("{at}.sha256"), "this token is there twice"));
            }
            tokens.push(token);
        }
    }
    tokens
}

fn read_token(at: &str, entry: &TokenEntry, problems: &mut Vec<Problem>) -> Option<Token> {
    let before = problems.len();
    let mut report =
        |member: &str, message: String| problems.push(Problem::new(format!("{at}.{member}"), message));
    if entry.name.is_empty() {
        report("name", "is missing: it stands for the token in logs".into());
    }
    let sha256 = read_hash(&entry.sha256);
    if sha256.is_none() {
        report("sha256", "expected 64 hex digits; `locard token new` prints them".into());
    }
    let tenant = Tenant::parse(&entry.tenant);
    if tenant.is_none() {
        let name = &entry.tenant;
        report(
            "tenant",
            format!("`{name}` is no tenant name: up to 63 of a-z 0-9 _ -, beginning with a letter or digit"),
        );
    }
    let permissions = read_permissions(&entry.permissions, |message| report("permissions", message));
    let filter = read_filter(entry.filter.as_deref(), |message| report("filter", message));
    let expires = read_time(entry.expires.as_deref(), |message| report("expires", message));
    if problems.len() > before {
        return None;
    }
    let principal = Principal {
        name: entry.name.as_str().into(),
        tenant: tenant?,
        permissions: permissions.into(),
        filter: filter.map(Arc::new),
    };
    Some(Token { sha256: sha256?, principal, expires })
}

fn read_hash(hex: &str) -> Option<[u8; 32]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = hex.as_bytes().iter().map(digit).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    if digits.len() == 64 { bytes.try_into().ok() } else { None }
}

fn read_permissions(names: &[String], mut report: impl FnMut(String)) -> Vec<Permission> {
    if names.is_empty() {
        report("is empty: list what the token may do, of ingest, read, admin".into());
    }
    let mut permissions = Vec::new();
    for name in names {
        match name.as_str() {
            "ingest" => permissions.push(Permission::Ingest),
            "read" => permissions.push(Permission::Read),
            "admin" => permissions.push(Permission::Admin),
            other => report(format!("`{other}` is none of ingest, read, admin")),
        }
    }
    permissions
}

fn read_filter(text: Option<&str>, mut report: impl FnMut(String)) -> Option<locard_filter::Filter> {
    match locard_filter::parse(text?) {
        Ok(filter) => Some(filter),
        Err(error) => {
            let hint = error.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
            report(format!("{error} at position {}{hint}", error.span.start));
            None
        }
    }
}

fn read_time(text: Option<&str>, mut report: impl FnMut(String)) -> Option<Timestamp> {
    let text = text?;
    let time = Timestamp::parse_rfc3339(text).ok();
    if time.is_none() {
        report(format!("`{text}` is no time such as `2027-01-31T00:00:00Z`"));
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_64_hex_digits() {
        let hash = "2CF24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(read_hash(hash), Some(hash_token("hello")));
        for bad in ["", &hash[1..], &hash[2..], &format!("{hash}00"), &hash.replace('2', "x")] {
            assert_eq!(read_hash(bad), None, "{bad}");
        }
    }
}
