//! OpenTelemetry semantic conventions to Elastic Common Schema: one table, and families by prefix.

use std::borrow::Cow;

/// Whole names, in order of the OpenTelemetry name.
const NAMES: &[(&str, &str)] = &[
    ("code.file.path", "log.origin.file.name"),
    ("code.filepath", "log.origin.file.name"),
    ("code.function", "log.origin.function"),
    ("code.function.name", "log.origin.function"),
    ("code.line.number", "log.origin.file.line"),
    ("code.lineno", "log.origin.file.line"),
    ("container.image.tags", "container.image.tag"),
    ("container.runtime.name", "container.runtime"),
    ("deployment.environment", "service.environment"),
    ("deployment.environment.name", "service.environment"),
    ("enduser.id", "user.id"),
    ("exception.message", "error.message"),
    ("exception.stacktrace", "error.stack_trace"),
    ("exception.type", "error.type"),
    ("host.arch", "host.architecture"),
    ("k8s.cluster.name", "orchestrator.cluster.name"),
    ("k8s.cluster.uid", "orchestrator.cluster.id"),
    ("k8s.namespace.name", "kubernetes.namespace"),
    ("log.record.original", "event.original"),
    ("os.description", "host.os.full"),
    ("os.name", "host.os.name"),
    ("os.type", "host.os.platform"),
    ("os.version", "host.os.version"),
    ("process.command_args", "process.args"),
    ("process.executable.name", "process.name"),
    ("process.executable.path", "process.executable"),
    ("process.owner", "process.user.name"),
    ("process.parent_pid", "process.parent.pid"),
    ("service.instance.id", "service.node.name"),
    ("thread.id", "process.thread.id"),
    ("thread.name", "process.thread.name"),
];

/// Families: whatever follows the prefix stays. Labels before the general one.
const PREFIXES: &[(&str, &str)] = &[
    ("k8s.pod.label.", "kubernetes.labels."),
    ("k8s.pod.labels.", "kubernetes.labels."),
    ("k8s.pod.annotation.", "kubernetes.annotations."),
    ("k8s.pod.annotations.", "kubernetes.annotations."),
    ("k8s.namespace.label.", "kubernetes.namespace_labels."),
    ("k8s.namespace.labels.", "kubernetes.namespace_labels."),
    ("k8s.", "kubernetes."),
];

/// The ECS name for an OpenTelemetry one; any other name as it is.
pub(super) fn ecs(name: &str) -> Cow<'_, str> {
    if let Ok(index) = NAMES.binary_search_by(|(otel, _)| otel.cmp(&name))
        && let Some((_, ecs)) = NAMES.get(index)
    {
        return Cow::Borrowed(ecs);
    }
    for (otel, ecs) in PREFIXES {
        if let Some(rest) = name.strip_prefix(otel) {
            return Cow::Owned(format!("{ecs}{rest}"));
        }
    }
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn semantic_conventions_become_ecs() {
        for (otel, expected) in [
            ("k8s.namespace.name", "kubernetes.namespace"),
            ("k8s.pod.uid", "kubernetes.pod.uid"),
            ("k8s.deployment.name", "kubernetes.deployment.name"),
            ("k8s.pod.label.app", "kubernetes.labels.app"),
            ("process.executable.path", "process.executable"),
            ("service.name", "service.name"),
            ("kubernetes.pod.name", "kubernetes.pod.name"),
            ("mine", "mine"),
        ] {
            assert_eq!(ecs(otel), expected);
        }
    }
}
