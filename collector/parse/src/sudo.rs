//! `alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/id`, also with a reason for refusal in front.
//!
//! Source: sudo, `plugins/sudoers/logging.c`. `COMMAND` comes last, so it may hold anything.

use crate::facts::{Facts, Outcome};

/// Reads `body` if sudo wrote it about a command.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let Some((user, rest)) = body.trim_start().split_once(" : ") else { return false };
    let (settings, command) = match rest.strip_prefix("COMMAND=") {
        Some(command) => ("", Some(command)),
        None => match rest.split_once(" ; COMMAND=") {
            Some((settings, command)) => (settings, Some(command)),
            None => (rest, None),
        },
    };
    if user.is_empty() || user.contains(' ') || (command.is_none() && !settings.contains(" ; ")) {
        return false;
    }
    facts.set_text("user.name", user);
    let mut refused = None;
    for (index, part) in settings.split(" ; ").enumerate() {
        if !setting(part.trim(), facts) && index == 0 {
            refused = Some(part).filter(|part| !part.is_empty());
        }
    }
    if let Some(command) = command {
        facts.set_text("process.command_line", command);
        let executable = command.split(' ').next().unwrap_or(command);
        if executable.starts_with('/') {
            facts.set_text("process.executable", executable);
        }
    }
    let outcome = if refused.is_some() { Outcome::Failure } else { Outcome::Success };
    facts.action("sudo_command", Some(outcome));
    facts.set_text("sudo.reason", refused.unwrap_or_default());
    true
}

fn setting(text: &str, facts: &mut Facts<'_>) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let field = match name {
        "TTY" => "sudo.tty",
        "PWD" => "process.working_directory",
        "USER" => "user.effective.name",
        "GROUP" => "sudo.group",
        "HOST" => "sudo.host",
        "TSID" => "sudo.session_id",
        "ENV" => "sudo.env",
        "CHROOT" => "sudo.chroot",
        _ => return false,
    };
    facts.set_text(field, value);
    true
}
