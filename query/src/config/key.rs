//! [`KEYS`]: every key of the file with its default and meaning. The manual, the answer to an unknown key and a test come from it.

use std::fmt::Write as _;

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Dotted path; `[]` stands for each element of a list, `*` for a name.
    pub path: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// Its default as shown by `locard config print`; empty: none.
    pub default: &'static str,
    /// What it does.
    pub means: &'static str,
}

const fn key(path: &'static str, takes: &'static str, default: &'static str, means: &'static str) -> Key {
    Key { path, takes, default, means }
}

/// All keys, in the order of the manual.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("data", "path", "", "Data directory. Without it `/var/lib/locard` for root, else `$XDG_DATA_HOME/locard` or `~/.local/share/locard`. `--data` wins."),
    key("listen", "address", "127.0.0.1:7514", "Where to listen. Anything but loopback needs `auth.tokens`. `--listen` wins."),
    key("tls", "section", "", "TLS, where `cert` and `key` are given. The files are read again when they change."),
    key("tls.cert", "path", "", "PEM file of the certificate and its chain."),
    key("tls.key", "path", "", "PEM file of the key."),
    key("tls.client_ca", "path", "", "PEM file of the authorities whose client certificates are required; nobody else gets in."),
    key("auth", "section", "", "Without tokens, anybody on this machine may do everything and nobody else can connect."),
    key("auth.tokens", "list", "", "Bearer tokens. `locard token new --name NAME` makes one and prints its entry."),
    key("auth.tokens[].name", "text", "", "Stands for the token in logs. Required."),
    key("auth.tokens[].sha256", "64 hex digits", "", "SHA-256 of the token; the token itself is nowhere. Required."),
    key("auth.tokens[].tenant", "text", "default", "Whose events it sends and sees."),
    key("auth.tokens[].permissions", "list", "", "Of `ingest`, `read`, `admin` (sealing, `/metrics`, and `server` in `/api/status`). Required."),
    key("auth.tokens[].filter", "filter", "", "Only events that match are seen, on every face alike."),
    key("auth.tokens[].expires", "time", "", "RFC 3339; the token is refused from then on."),
    key("limits", "section", "", "Bounds. Sizes such as `64MiB`, spans such as `250ms`, `5s`, `10m`, `12h`, `30d`."),
    key("limits.connections", "number", "1024", "Connections at once; more wait to be accepted. One other machine has at most a quarter of them."),
    key("limits.header_timeout", "span", "10s", "Time for a TLS handshake and for the head of a request; an idle connection is closed after it."),
    key("limits.body_timeout", "span", "30s", "Longest pause within a request's body."),
    key("limits.shutdown_timeout", "span", "20s", "Time for requests under way when the server stops."),
    key("limits.max_body_bytes", "size", "16MiB", "Largest request body on the wire; larger ones are refused with 413. At most 1023MiB."),
    key("limits.max_decompressed_bytes", "size", "64MiB", "Largest body after decompression; larger ones are refused with 413."),
    key("limits.max_batch_events", "number", "1000000", "Most events in one body."),
    key("limits.max_line_bytes", "size", "1MiB", "Longest message; longer ones are cut and marked in `log.flags`."),
    key("limits.max_fields", "number", "1000", "Most fields of an event; the rest is left out and counted in the event."),
    key("limits.max_name_bytes", "size", "1KiB", "Longest name of a field; fields with longer ones are left out, marked in `log.flags`."),
    key("limits.max_labels", "number", "128", "Most labels of a stream; the rest become fields of the event."),
    key("limits.max_label_bytes", "size", "16KiB", "Most bytes of a stream's labels, names and values together; what goes beyond becomes fields of the event."),
    key("limits.queue_bytes", "size", "128MiB", "Bytes of batches that are read or wait for the write-ahead log, from `Content-Length` on; more are refused with 429."),
    key("limits.dedupe_bytes", "size", "256MiB", "Memory for the answers to batches of the last 24 h, by which repeats are recognised; older ones are looked up in the catalog."),
    key("limits.hot_bytes", "size", "96MiB", "Memory for events that are not yet in a split. Beyond it senders wait up to 5 s for sealing; at twice as much batches are refused with 429."),
    key("limits.seal_events", "number", "65536", "Events after which a tenant's hot part becomes a split."),
    key("limits.cache_bytes", "size", "256MiB", "Memory for what was decoded of splits: dictionaries, columns, filters. Searches share it."),
    key("limits.segment_bytes", "size", "64MiB", "Size of a segment of the write-ahead log."),
    key("limits.max_wal_bytes", "size", "1GiB", "Size of the whole log beyond which its oldest events are made into splits."),
    key("limits.merge_width", "number", "16", "Adjacent splits that are merged into one."),
    key("limits.max_split_events", "number", "5000000", "Largest split that merging makes."),
    key("limits.search_deadline", "span", "30s", "Longest a search may run; then it answers what it has, labelled incomplete."),
    key("limits.search_bytes", "size", "256MiB", "Memory of one search."),
    key("limits.searches", "number", "8", "Searches at once; more are refused with 429."),
    key("limits.search_limit", "number", "10000", "Largest `limit` of a search."),
    key("limits.tails", "number", "64", "Live tails at once; more are refused with 429."),
    key("retention", "section", "", "What is kept. Without keys: everything, for ever."),
    key("retention.age", "span or `forever`", "", "Events that no rule keeps go when they are older; a split goes with its newest event."),
    key("retention.size", "size", "", "The oldest splits are dropped when all together are larger, those that a rule keeps only when nothing else is left."),
    key("retention.rules", "list", "", "Such as `keep kubernetes.namespace:payments for 400d`, or `for forever`. The first whose filter matches an event says how long it is kept, be it longer or shorter."),
    key("retention.tenants", "section", "", "What is different for some tenants, by name."),
    key("retention.tenants.*", "section", "", "One tenant."),
    key("retention.tenants.*.age", "span or `forever`", "", "In place of `retention.age`."),
    key("retention.tenants.*.size", "size", "", "What the tenant may have, beside `retention.size` for all together."),
    key("retention.tenants.*.rules", "list", "", "Asked before `retention.rules`."),
    key("log", "section", "", "The server's own log, on standard error."),
    key("log.level", "text", "info", "`error`, `warn`, `info`, `debug` (every request) or `trace`; or by module, as `info,locard_query=debug`."),
    key("log.format", "`text` or `json`", "text", "How a line looks."),
    key("collector", "section", "", "What `locard up` collects on this machine, in its own process. Takes every key of the collector's file but `indexer` and `state` (see `collector.md`)."),
    key("collector.enabled", "true or false", "true", "Whether `locard up` collects at all."),
    key("collector.sources", "list", "", "What is read. Without it: containers under `/var/log/pods`, `/var/log/*.log`, syslog files and the journal, where they are there and readable."),
];

/// Whether a path, with or without list indices, is a key.
pub(super) fn is_known(path: &str) -> bool {
    let path = without_names(&without_indices(path));
    KEYS.iter().any(|key| key.path == path)
}

/// The known key that was probably meant: the nearest one beside it, else the one anywhere that ends in it, else the nearest.
pub(super) fn nearest(path: &str) -> Option<&'static str> {
    let path = without_names(&without_indices(path));
    let distance = |key: &&Key| strsim::damerau_levenshtein(&path, key.path);
    let last = |path: &str| path.rsplit('.').next().map(str::to_owned);
    let same_last = KEYS.iter().find(|key| key.path.contains('.') && last(key.path) == last(&path));
    let nearest = KEYS.iter().min_by_key(distance).filter(|key| distance(key) <= path.len().div_ceil(2));
    nearest.filter(|key| distance(key) <= 2).or(same_last).or(nearest).map(|key| key.path)
}

/// Names that the operator chose, as `*`.
fn without_names(path: &str) -> String {
    const PARENT: &str = "retention.tenants.";
    match path.strip_prefix(PARENT) {
        Some(rest) => match rest.split_once('.') {
            Some((_, member)) => format!("{PARENT}*.{member}"),
            None => format!("{PARENT}*"),
        },
        None => path.to_owned(),
    }
}

fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut inside = false;
    for letter in path.chars() {
        inside = inside && letter != ']';
        if !inside {
            out.push(letter);
        }
        inside = inside || letter == '[';
    }
    out
}

/// The text of `docs/configuration.md`.
pub fn manual() -> String {
    let mut text = String::from(INTRODUCTION);
    for key in KEYS {
        let default = if key.default.is_empty() { "–".to_owned() } else { format!("`{}`", key.default) };
        // Writing to a String cannot fail.
        writeln!(text, "| `{}` | {} | {default} | {} |", key.path, key.takes, key.means).unwrap_or_default();
    }
    text
}

const INTRODUCTION: &str = "\
# Configuration of `locard`

<!-- Written by a test from query/src/config/key.rs: UPDATE_EXPECT=1 cargo nextest run -p locard-query manual -->

One YAML file, given with `--config`; without it the defaults below run. It is strict: an unknown key is an error that names the
nearest known one, and all problems are reported at once. `locard config check FILE` says whether a file can be used, `locard config
print --config FILE` shows every key with the value in effect. Secrets are never in it: tokens by their hash, keys by the path of
their file.

```yaml
listen: 0.0.0.0:7514
tls: {cert: /etc/locard/tls.crt, key: /etc/locard/tls.key}
auth:
  tokens:
    - {name: collectors, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, permissions: [ingest]}
retention:
  age: 30d
  size: 200GiB
  rules: [keep kubernetes.namespace:payments for 400d]
```

| key | takes | default | means |
|---|---|---|---|
";
