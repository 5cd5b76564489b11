//! `alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id`, also with a reason for refusal in front.
//!
//! Source: sudo, `plugins/sudoers/logging.c`. `COMMAND` comes last, so it may hold anything; and so may the directory, which users name
//! as they like (`/tmp/x ; USER=nobody`). A setting that is there more than once becomes a list.

use crate::facts::{Facts, Outcome};

/// Of a command that is there more often, the first ones and the last are kept.
const MAX_COMMANDS: usize = 8;

/// Settings, and their fields.
const SETTINGS: [(&str, &str); 8] = [
    ("TTY=", "sudo.tty"),
    ("PWD=", "process.working_directory"),
    ("USER=", "user.effective.name"),
    ("GROUP=", "sudo.group"),
    ("HOST=", "sudo.host"),
    ("TSID=", "sudo.session_id"),
    ("ENV=", "sudo.env"),
    ("CHROOT=", "sudo.chroot"),
];

/// Reads `body` if sudo wrote it about a command.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let Some((user, rest)) = body.trim_start().split_once(" : ") else { return false };
    let commands = commands(rest);
    if user.is_empty() || user.contains(' ') || (commands.is_empty() && !rest.contains(" ; ")) {
        return false;
    }
    // All that may stand before the command.
    let last = commands.last().map_or(0, |command| command.len() + "COMMAND=".len());
    let settings = rest.get(..rest.len() - last).unwrap_or_default().trim_end_matches(" ; ");
    let parts: Vec<&str> = settings.split(" ; ").map(str::trim).collect();
    facts.set_text("user.name", user);
    for (name, field) in SETTINGS {
        facts.set_any(field, parts.iter().filter_map(|part| part.strip_prefix(name)));
    }
    facts.set_any("process.command_line", commands.iter().copied());
    let executables = commands.iter().filter_map(|command| command.split(' ').next());
    facts.set_any("process.executable", executables.filter(|path| path.starts_with('/')));
    let is_setting = |part: &str| SETTINGS.iter().any(|(name, _)| part.starts_with(name));
    let refused = parts.first().filter(|part| !part.is_empty() && !is_setting(part));
    let outcome = if refused.is_some() { Outcome::Failure } else { Outcome::Success };
    facts.action("sudo_command", Some(outcome));
    facts.set_text("sudo.reason", refused.copied().unwrap_or_default());
    true
}

/// What follows each `COMMAND=` that may be the one that sudo wrote, up to the end.
fn commands(text: &str) -> Vec<&str> {
    const LEAD: &str = " ; COMMAND=";
    let first = text.strip_prefix("COMMAND=");
    let others = text.match_indices(LEAD).filter_map(|(at, lead)| text.get(at + lead.len()..));
    let mut commands: Vec<&str> = first.into_iter().chain(others).collect();
    // Each holds all that follow it.
    if let Some(last) = commands.last().copied().filter(|_| commands.len() > MAX_COMMANDS) {
        commands.truncate(MAX_COMMANDS - 1);
        commands.push(last);
    }
    commands
}
