//! [`Config`]: the file as typed, defaults filled in, nothing checked across keys.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Age, Size, Span};

/// The whole file. Its default runs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Data directory.
    pub data: Option<PathBuf>,
    /// Where to listen.
    pub listen: String,
    /// Certificates, if TLS is spoken.
    pub tls: Tls,
    /// Who may do what.
    pub auth: Auth,
    /// Bounds on everything.
    pub limits: Limits,
    /// How long and how much to keep.
    pub retention: Retention,
    /// The server's own log.
    pub log: Log,
    /// The collector that `locard up` runs in its own process: keys of the collector's file, and `enabled`.
    pub collector: yaml_serde::Mapping,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            listen: "127.0.0.1:7514".into(),
            tls: Tls::default(),
            auth: Auth::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            log: Log::default(),
            collector: yaml_serde::Mapping::new(),
        }
    }
}

/// PEM files.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificate and chain.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// Authorities whose client certificates are required.
    pub client_ca: Option<PathBuf>,
}

/// Who may do what.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Bearer tokens.
    pub tokens: Vec<TokenEntry>,
}

/// One bearer token, known by its hash only.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenEntry {
    /// Shown in logs in place of the secret.
    pub name: String,
    /// SHA-256 of the token, 64 hex digits.
    pub sha256: String,
    /// Whose events.
    pub tenant: String,
    /// `ingest`, `read`, `admin`.
    pub permissions: Vec<String>,
    /// Only events that match may be seen.
    pub filter: Option<String>,
    /// RFC 3339; not valid from then on.
    pub expires: Option<String>,
}

impl Default for TokenEntry {
    fn default() -> Self {
        Self {
            name: String::new(),
            sha256: String::new(),
            tenant: "default".into(),
            permissions: Vec::new(),
            filter: None,
            expires: None,
        }
    }
}

/// Bounds on everything.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "KEYS documents every one of them, for people")]
pub struct Limits {
    pub connections: usize,
    pub header_timeout: Span,
    pub body_timeout: Span,
    pub shutdown_timeout: Span,
    pub max_body_bytes: Size,
    pub max_decompressed_bytes: Size,
    pub max_batch_events: usize,
    pub max_line_bytes: Size,
    pub max_fields: usize,
    pub max_name_bytes: Size,
    pub max_labels: usize,
    pub max_label_bytes: Size,
    pub queue_bytes: Size,
    pub dedupe_bytes: Size,
    pub hot_bytes: Size,
    pub seal_events: usize,
    pub cache_bytes: Size,
    pub segment_bytes: Size,
    pub max_wal_bytes: Size,
    pub merge_width: usize,
    pub max_split_events: u64,
    pub search_deadline: Span,
    pub search_bytes: Size,
    pub searches: usize,
    pub search_limit: usize,
    pub tails: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let indexer = locard_indexer::Settings::at("");
        let search = crate::api::Limits::default();
        let size = |bytes: usize| Size(bytes as u64);
        Self {
            connections: 1024,
            header_timeout: Span(Duration::from_secs(10)),
            body_timeout: Span(Duration::from_secs(30)),
            shutdown_timeout: Span(Duration::from_secs(20)),
            max_body_bytes: size(indexer.max_body_bytes),
            max_decompressed_bytes: size(indexer.max_decompressed_bytes),
            max_batch_events: indexer.max_batch_events,
            max_line_bytes: size(indexer.max_line_bytes),
            max_fields: indexer.max_fields,
            max_name_bytes: size(indexer.max_name_bytes),
            max_labels: indexer.max_labels,
            max_label_bytes: size(indexer.max_label_bytes),
            queue_bytes: size(indexer.queue_bytes),
            dedupe_bytes: size(indexer.dedupe_bytes),
            hot_bytes: size(indexer.hot_bytes),
            seal_events: indexer.seal_events,
            cache_bytes: Size(indexer.cache_bytes),
            segment_bytes: Size(indexer.segment_bytes),
            max_wal_bytes: Size(indexer.max_wal_bytes),
            merge_width: indexer.merge_width,
            max_split_events: indexer.max_split_events,
            search_deadline: Span(search.deadline),
            search_bytes: size(search.memory_bytes),
            searches: search.concurrency,
            search_limit: search.max_limit,
            tails: search.tails,
        }
    }
}

/// How long and how much to keep; nothing means for ever.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Drop what is older.
    pub age: Option<Age>,
    /// Drop the oldest beyond this.
    pub size: Option<Size>,
    /// `keep FILTER for 400d`.
    pub rules: Vec<String>,
    /// What is different for some, by name.
    pub tenants: BTreeMap<String, TenantRetention>,
}

/// How long and how much to keep of a tenant; nothing means as of all.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantRetention {
    /// Drop what is older.
    pub age: Option<Age>,
    /// Drop the oldest beyond this.
    pub size: Option<Size>,
    /// Asked before those of all.
    pub rules: Vec<String>,
}

/// The server's own log, on standard error.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A level, or directives of `tracing-subscriber`.
    pub level: String,
    /// Text or JSON.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}
