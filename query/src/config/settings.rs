//! [`Settings`]: what a configuration means, resolved and checked.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::token::read_tokens;
use super::{Config, Limits, Log, Problem, Span, Token};
use crate::api;

/// Everything the server needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Data directory.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Certificates, if TLS is spoken.
    pub tls: Option<TlsFiles>,
    /// Credentials. None: anybody on this machine may do everything, and nobody else anything.
    pub tokens: Vec<Token>,
    /// Of the HTTP layer.
    pub http: HttpLimits,
    /// Of the indexer.
    pub indexer: locard_indexer::Settings,
    /// Of searches.
    pub search: api::Limits,
    /// The server's own log.
    pub log: Log,
    /// What `locard up` collects on this machine, as the collector's own YAML without `indexer` and `state`; nothing: do not collect.
    pub collector: Option<yaml_serde::Mapping>,
}

/// PEM files of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate and chain.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities whose client certificates are required.
    pub client_ca: Option<PathBuf>,
}

/// Time in which a client takes some of its answer. Nobody who reads at all needs longer, so it is no key.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// Limits of the HTTP layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Most connections at once; more wait.
    pub connections: usize,
    /// Time for a TLS handshake, and for the head of a request, idle time between requests included.
    pub header_timeout: Duration,
    /// Time between two pieces of a body.
    pub body_timeout: Duration,
    /// Time in which a client takes some of its answer; a quiet connection is not meant.
    pub write_timeout: Duration,
    /// Time for requests under way when the server stops.
    pub shutdown_timeout: Duration,
    /// Largest body on the wire.
    pub max_body_bytes: usize,
}

impl Settings {
    /// Checks and resolves a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn resolve(config: &Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        check_limits(&config.limits, &mut problems);
        let data = config.data.clone().or_else(default_data);
        if data.is_none() {
            problems
                .push(Problem::new("data", "there is no home directory to put it in: set it, or use --data"));
        }
        let tokens = read_tokens(&config.auth.tokens, &mut problems);
        let listen = read_listen(config, &mut problems);
        let tls = read_tls(config, &mut problems);
        let retention = super::retention::read(&config.retention, &mut problems);
        let collector = super::collector::read(&config.collector, &mut problems);
        if let Err(error) = config.log.level.parse::<tracing_subscriber::filter::Targets>() {
            problems.push(Problem::new("log.level", format!("{error}; expected a level such as `info`")));
        }
        let data = data.unwrap_or_default();
        let settings = Self {
            indexer: indexer_settings(&data, config, retention),
            listen: listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)),
            http: http_limits(&config.limits),
            search: search_limits(&config.limits),
            log: config.log.clone(),
            data,
            tls,
            tokens,
            collector,
        };
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

/// `/var/lib/locard` for root, else `$XDG_DATA_HOME/locard`, else `~/.local/share/locard`.
pub fn default_data() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some("/var/lib/locard".into());
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    base.map(|base| base.join("locard"))
}

fn read_listen(config: &Config, problems: &mut Vec<Problem>) -> Option<SocketAddr> {
    let text = config.listen.replace("localhost:", "127.0.0.1:");
    let Ok(address) = text.parse::<SocketAddr>() else {
        let message = format!("`{}` is no address such as `127.0.0.1:7514` or `[::]:7514`", config.listen);
        problems.push(Problem::new("listen", message));
        return None;
    };
    if !address.ip().is_loopback() && config.auth.tokens.is_empty() {
        let message = format!(
            "{address} can be reached from other machines, and there are no credentials: add a token under `auth.tokens` \
             (`locard token new --name NAME` makes one), or listen on 127.0.0.1"
        );
        problems.push(Problem::new("listen", message));
    }
    Some(address)
}

fn read_tls(config: &Config, problems: &mut Vec<Problem>) -> Option<TlsFiles> {
    let tls = &config.tls;
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            Some(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: tls.client_ca.clone() })
        }
        (None, None) if tls.client_ca.is_none() => None,
        (cert, _) => {
            let missing = if cert.is_none() { "tls.cert" } else { "tls.key" };
            problems.push(Problem::new(missing, "is missing: TLS needs a certificate and its key"));
            None
        }
    }
}

/// Each limit that must not be zero, with its key.
fn check_limits(limits: &Limits, problems: &mut Vec<Problem>) {
    let sizes = [
        ("max_body_bytes", limits.max_body_bytes),
        ("max_decompressed_bytes", limits.max_decompressed_bytes),
        ("max_line_bytes", limits.max_line_bytes),
        ("max_name_bytes", limits.max_name_bytes),
        ("max_label_bytes", limits.max_label_bytes),
        ("queue_bytes", limits.queue_bytes),
        ("dedupe_bytes", limits.dedupe_bytes),
        ("hot_bytes", limits.hot_bytes),
        ("segment_bytes", limits.segment_bytes),
        ("max_wal_bytes", limits.max_wal_bytes),
        ("search_bytes", limits.search_bytes),
    ]
    .map(|(key, size)| (key, size.0));
    let counts = [
        ("connections", limits.connections),
        ("max_batch_events", limits.max_batch_events),
        ("max_fields", limits.max_fields),
        ("max_labels", limits.max_labels),
        ("seal_events", limits.seal_events),
        ("searches", limits.searches),
        ("search_limit", limits.search_limit),
        ("tails", limits.tails),
    ]
    .map(|(key, count)| (key, count as u64));
    let spans = [
        ("header_timeout", limits.header_timeout),
        ("body_timeout", limits.body_timeout),
        ("shutdown_timeout", limits.shutdown_timeout),
        ("search_deadline", limits.search_deadline),
    ]
    .map(|(key, Span(span))| (key, u64::try_from(span.as_millis()).unwrap_or(u64::MAX)));
    for (key, value) in sizes.into_iter().chain(counts).chain(spans) {
        if value == 0 {
            problems.push(Problem::new(format!("limits.{key}"), "must be more than 0"));
        }
    }
    let largest = locard_indexer::MAX_BODY_BYTES;
    if limits.max_body_bytes.bytes() > largest {
        let message = format!("must not be more than {}MiB, what the write-ahead log takes", largest >> 20);
        problems.push(Problem::new("limits.max_body_bytes", message));
    }
    if limits.merge_width < 2 {
        problems.push(Problem::new("limits.merge_width", "must be at least 2"));
    }
    if limits.max_split_events < limits.seal_events as u64 {
        problems.push(Problem::new("limits.max_split_events", "must not be less than limits.seal_events"));
    }
}

fn indexer_settings(
    data: &Path,
    config: &Config,
    retention: locard_indexer::Retention,
) -> locard_indexer::Settings {
    let limits = &config.limits;
    locard_indexer::Settings {
        directory: data.to_owned(),
        max_body_bytes: limits.max_body_bytes.bytes(),
        max_decompressed_bytes: limits.max_decompressed_bytes.bytes(),
        max_batch_events: limits.max_batch_events,
        max_line_bytes: limits.max_line_bytes.bytes(),
        max_fields: limits.max_fields,
        max_name_bytes: limits.max_name_bytes.bytes(),
        max_labels: limits.max_labels,
        max_label_bytes: limits.max_label_bytes.bytes(),
        seal_events: limits.seal_events,
        cache_bytes: limits.cache_bytes.0,
        hot_bytes: limits.hot_bytes.bytes(),
        queue_bytes: limits.queue_bytes.bytes(),
        dedupe_bytes: limits.dedupe_bytes.bytes(),
        segment_bytes: limits.segment_bytes.0,
        max_wal_bytes: limits.max_wal_bytes.0,
        merge_width: limits.merge_width,
        max_split_events: limits.max_split_events,
        retention,
    }
}

fn http_limits(limits: &Limits) -> HttpLimits {
    HttpLimits {
        connections: limits.connections,
        header_timeout: limits.header_timeout.0,
        body_timeout: limits.body_timeout.0,
        write_timeout: WRITE_TIMEOUT,
        shutdown_timeout: limits.shutdown_timeout.0,
        max_body_bytes: limits.max_body_bytes.bytes(),
    }
}

fn search_limits(limits: &Limits) -> api::Limits {
    api::Limits {
        deadline: limits.search_deadline.0,
        memory_bytes: limits.search_bytes.bytes(),
        concurrency: limits.searches,
        max_limit: limits.search_limit,
        tails: limits.tails,
    }
}
