//! `locard token new`: a secret, shown once, and the entry that lets it in.

use std::io::{self, Write};

use serde::Serialize;

use super::args::NewTokenArgs;
use super::{Error, Outcome};
use crate::config::{Config, Settings, TokenEntry, hash_token, random_token};

pub(super) fn new(args: &NewTokenArgs) -> Result<Outcome, Error> {
    let token = random_token();
    let entry = TokenEntry {
        name: args.name.clone(),
        sha256: hex(&hash_token(&token)),
        tenant: args.tenant.clone(),
        permissions: args.permissions.clone(),
        filter: None,
        expires: None,
    };
    check(&entry)?;
    let line = yaml_line(&entry).map_err(|error| Error::Write(io::Error::other(error)))?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "token, shown only now:\n\n  {token}\n\nentry for `auth.tokens` of the configuration:\n\n    - {line}"
    )?;
    Ok(Outcome::Found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(entry: &TokenEntry) -> Result<(), Error> {
    let mut config = Config::default();
    config.auth.tokens.push(entry.clone());
    match Settings::resolve(&config) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let of_entry =
                problems.iter().filter(|problem| problem.key.starts_with("auth.")).map(ToString::to_string);
            let text = of_entry.collect::<Vec<_>>().join("\n");
            if text.is_empty() { Ok(()) } else { Err(Error::Usage(text)) }
        }
    }
}

/// JSON is YAML, and fits on a line.
fn yaml_line(entry: &TokenEntry) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Line<'a> {
        name: &'a str,
        sha256: &'a str,
        tenant: &'a str,
        permissions: &'a [String],
    }
    let TokenEntry { name, sha256, tenant, permissions, .. } = entry;
    serde_json::to_string(&Line { name, sha256, tenant, permissions })
}
