//! What a file's name tells of its lines.
//!
//! Wherever the file lies: an import is of copies, `/evidence/node-1/auth.log`. Knows names only, neither lines nor the disk.

use std::path::Path;

use locard_collector::is_syslog_name;

/// Whole words of names, and what they tell.
const WORDS: [(&str, &str); 2] = [("access", "web.access"), ("error", "web.error")];

/// The dataset that the name of a file stands for; `file` if it tells nothing. `begin` is the first line: Kubernetes and auditd give
/// their files the same name.
pub(super) fn guess(path: &Path, begin: &[u8]) -> &'static str {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = without_rotation(&name);
    let has = |wanted: &str| name.split(['.', '-', '_']).any(|word| word == wanted);
    if is_syslog_name(name) {
        return "syslog";
    }
    if has("audit") && begin.trim_ascii_start().starts_with(b"{") {
        return "k8s.audit";
    }
    WORDS.iter().find(|(word, _)| has(word)).map_or("file", |(_, dataset)| dataset)
}

/// The name without what rotation and compression added: `auth.log.2.gz` → `auth.log`.
fn without_rotation(name: &str) -> &str {
    let mut rest = name;
    while let Some((before, last)) = rest.rsplit_once(['.', '-']) {
        let number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        if before.is_empty() || !number && !matches!(last, "gz" | "zst" | "old") {
            break;
        }
        rest = before;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, begin: &str, expected: &str) {
        assert_eq!(guess(Path::new(path), begin.as_bytes()), expected, "{path}");
    }

    #[test]
    fn names_tell_datasets_wherever_the_file_lies() {
        for path in [
            "auth.log",
            "/evidence/n1/secure",
            "syslog.1",
            "messages-20261124",
            "kern.log.2.gz",
            "AUTH.log",
            "mail.err",
            "auth.log.old",
        ] {
            check(path, "", "syslog");
        }
        for path in [
            "access.log",
            "/var/log/nginx/access.log.3.gz",
            "access_log",
            "other_vhosts_access.log",
            "shop-access.log",
        ] {
            check(path, "", "web.access");
        }
        check("error.log", "", "web.error");
        check("ssl_error_log-20261124.zst", "", "web.error");
        check("audit.log", "{\"kind\":\"Event\"}", "k8s.audit");
        check("kube-apiserver-audit.log", "{", "k8s.audit");
        check("audit.log", "type=SYSCALL msg=audit(1:2)", "file");
        for path in
            ["app.log", "debug.log", "errors.log", "authors.log", "-", "", "1", ".log", "2026-11-24.log"]
        {
            check(path, "", "file");
        }
    }
}
