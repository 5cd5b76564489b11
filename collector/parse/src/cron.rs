//! `(root) CMD (run-parts /etc/cron.hourly)` and what cron says about crontabs.

use crate::facts::{Facts, Outcome};

/// Reads `body` if cron wrote it in its `(user) WORD (text)` form.
pub(crate) fn read(body: &str, facts: &mut Facts<'_>) -> bool {
    let Some((user, rest)) = body.strip_prefix('(').and_then(|rest| rest.split_once(") ")) else {
        return false;
    };
    let Some((word, text)) = rest.split_once(" (") else { return false };
    let text = text.strip_suffix(')').unwrap_or(text).trim();
    let action = match word {
        "CMD" => "cron_command",
        "RELOAD" => "crontab_reloaded",
        "REPLACE" => "crontab_replaced",
        "DELETE" => "crontab_deleted",
        "LIST" => "crontab_listed",
        "BEGIN EDIT" | "END EDIT" => "crontab_edited",
        _ => return false,
    };
    facts.action(action, Some(Outcome::Success));
    facts.set_text("user.name", user);
    if word == "CMD" {
        facts.set_text("process.command_line", text);
    } else {
        facts.set_text("cron.crontab", text);
    }
    true
}
