//! Which reader knows what a program wrote, by the program's name.
//!
//! The same for syslog and the journal. Does not know the envelope the text came in.

use crate::facts::Facts;
use crate::{account, app, cron, dropbear, netfilter, pam, sshd, su, sudo, weberror};

/// Reads `body`, written by `program`. Text that no reader of the program knows may still be JSON, klog or logfmt: services write
/// these to the journal.
pub(crate) fn read(program: &str, body: &str, facts: &mut Facts<'_>) {
    let body = unrepeated(body, facts);
    // Linux-PAM before 0.99.2 put its name behind the program's: `su(pam_unix)[42]: …`.
    let (program, old_pam) = match program.split_once('(') {
        Some((program, module)) if module.starts_with("pam_") => (program, true),
        _ => (program, false),
    };
    // `/usr/sbin/cron`, but also `httpd/backend1`.
    let (parent, program) = program.rsplit_once('/').unwrap_or(("", program));
    let known = (old_pam && pam::read_old(program, body, facts))
        || pam::read(program, body, facts)
        || by_name(program, body, facts)
        || by_name(parent, body, facts);
    if !known {
        app::structured(body, facts);
    }
}

/// rsyslog writes equal lines in a row as `message repeated 3 times: [ text]`.
fn unrepeated<'a>(body: &'a str, facts: &mut Facts<'_>) -> &'a str {
    let read = || {
        let (count, rest) = body.strip_prefix("message repeated ")?.split_once(" times: [ ")?;
        Some((count.parse::<u32>().ok()?, rest.strip_suffix(']')?))
    };
    let Some((count, text)) = read() else { return body };
    facts.set("syslog.repeated", i64::from(count));
    text
}

fn by_name(program: &str, body: &str, facts: &mut Facts<'_>) -> bool {
    match program {
        "sshd" | "sshd-session" | "sshd-auth" => sshd::read(body, facts),
        "dropbear" => dropbear::read(body, facts),
        "sudo" => sudo::read(body, facts),
        "su" => su::read(body, facts),
        "useradd" | "usermod" | "userdel" | "groupadd" | "groupmod" | "groupdel" | "passwd" | "gpasswd"
        | "chpasswd" | "adduser" => account::read(body, facts),
        "CRON" | "cron" | "crond" | "crontab" | "anacron" => cron::read(body, facts),
        "systemd-logind" => account::read_logind(body, facts),
        "kernel" => netfilter::read(body, facts),
        "nginx" | "apache2" | "httpd" => crate::access::read(body, facts) || weberror::read(body, facts),
        _ => false,
    }
}
