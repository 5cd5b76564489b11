//! Field names that more than one crate must spell the same way. Elastic Common Schema where it has a word.

/// When it happened, as the source says.
pub const TIMESTAMP: &str = "@timestamp";
/// Short spelling of [`TIMESTAMP`] in queries.
pub const TIME: &str = "_time";
/// The event's id, `partition-sequence`.
pub const ID: &str = "_id";
/// The event's stream id, 32 hex digits.
pub const STREAM: &str = "_stream";
/// The id of the message's pattern, 16 hex digits.
pub const PATTERN: &str = "_pattern";
/// The line.
pub const MESSAGE: &str = "message";
/// When the indexer accepted it.
pub const INGESTED: &str = "event.ingested";
/// When it was first seen by whoever collected it, where that is not when it happened.
pub const CREATED: &str = "event.created";
/// Why a line was not understood.
pub const ERROR_MESSAGE: &str = "error.message";
/// Which format the source speaks: `container`, `syslog`, `journald`, `auditd`, `k8s.audit`, `ndjson`, …
pub const DATASET: &str = "event.dataset";
/// The node or machine.
pub const HOST: &str = "host.name";
/// The file a line was read from.
pub const FILE_PATH: &str = "log.file.path";
/// `stdout` or `stderr`.
pub const IOSTREAM: &str = "log.iostream";
/// Severity, one of `Severity::name`.
pub const LEVEL: &str = "log.level";
/// Byte offset of the line in its file.
pub const OFFSET: &str = "log.offset";
/// The program that wrote a syslog or journald line.
pub const PROCESS_NAME: &str = "process.name";
/// Kubernetes namespace.
pub const NAMESPACE: &str = "kubernetes.namespace";
/// Kubernetes pod name.
pub const POD_NAME: &str = "kubernetes.pod.name";
/// Kubernetes pod uid.
pub const POD_UID: &str = "kubernetes.pod.uid";
/// Container name within the pod.
pub const CONTAINER_NAME: &str = "kubernetes.container.name";
/// The object as received, where the source asks to keep it.
pub const ORIGINAL: &str = "event.original";
/// `future` or `before_2000` when the source's time is not credible; such an event is filed under its ingest time.
pub const TIME_SUSPECT: &str = "locard.time_suspect";
/// `true` when a line was cut at the limit, with `log.flags` holding `truncated` or `partial`.
pub const FLAGS: &str = "log.flags";

/// What [`is_dataset`] asks for, in words.
pub const DATASET_RULE: &str = "1 to 255 bytes in lower case, without spaces and any of / \\ * ? \" < > | , # :, \
                                not beginning with - _ +, and not . or ..";

/// Whether a dataset may be called so: Elasticsearch's rules for index names. No dataset becomes a path.
pub fn is_dataset(text: &str) -> bool {
    let bad =
        |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control() || r#"/\*?"<>|,#:"#.contains(c);
    let reserved = text.is_empty() || text == "." || text == ".." || text.starts_with(['-', '_', '+']);
    !reserved && text.len() <= 255 && !text.contains(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_follow_the_rules_for_index_names() {
        for good in ["container", "my.app", "k8s.audit", "ndjson-2", "é"] {
            assert!(is_dataset(good), "{good}");
        }
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "../x", "A", "a b", "a/b", "a:b", "a,b", "-a", "_a", "+a", "a\0", &long] {
            assert!(!is_dataset(bad), "{bad}");
        }
    }
}
