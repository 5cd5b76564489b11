//! [`Settings`]: what a configuration means, every default filled in and every problem found.
//!
//! The rest of the crate sees only this. Reads no file but the host name.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use locard_event::Timestamp;
use locard_filter::Matcher;

use crate::config::{Config, IndexerConfig, Size, SourceConfig, Span};

/// What one collector does. Built by [`Settings::parse`], or by hand from [`Settings::new`].
#[derive(Debug)]
pub struct Settings {
    /// Where to ship.
    pub indexer: Destination,
    /// Directory of the offsets. One collector at a time may use it.
    pub state: PathBuf,
    /// What to read.
    pub sources: Vec<SourceConfig>,
    /// `host.name` and `kubernetes.node.name`.
    pub node: String,
    /// Address of the metrics page, if any.
    pub metrics_listen: Option<SocketAddr>,
    /// Events that match one of these are dropped and counted.
    pub drop: Vec<Matcher>,
    /// What bounds what.
    pub limits: Limits,
}

/// Where batches go.
#[derive(Clone, Debug, Default)]
pub struct Destination {
    /// Base URLs, without `/v1/logs`.
    pub urls: Vec<String>,
    /// File with the bearer token.
    pub token_file: Option<PathBuf>,
    /// Authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Client certificate.
    pub cert_file: Option<PathBuf>,
    /// Client key.
    pub key_file: Option<PathBuf>,
}

/// Every bound, each with a key in the file and a metric that counts what meets it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest line kept whole, in bytes; a longer one becomes several events with `log.flags`.
    pub max_line_bytes: usize,
    /// Raw bytes that make a batch full.
    pub batch_bytes: usize,
    /// How long a line may wait for its batch to fill.
    pub flush_after: Duration,
    /// Batches on their way at once, all files together; one file never has more than one.
    pub in_flight: usize,
    /// Bytes that all batches together may hold in memory.
    pub memory: usize,
    /// Longest pause between two tries.
    pub retry_max: Duration,
    /// Time for one request.
    pub request_timeout: Duration,
    /// Pause between two full scans of the directories.
    pub scan_every: Duration,
    /// How long a rotated or deleted file must be quiet before its end is believed.
    pub rotate_grace: Duration,
    /// How long nothing may follow an unended line before what there is of it is sent.
    pub partial_after: Duration,
    /// How long a deleted file is held open for its unread bytes before they are given up as a gap.
    pub hold_deleted: Duration,
    /// Bytes that deleted files may keep on the disk together, because they are held open for their unread bytes.
    pub hold_deleted_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_line_bytes: 1 << 20,
            batch_bytes: 1 << 20,
            flush_after: Duration::from_millis(250),
            in_flight: 4,
            memory: 64 << 20,
            retry_max: Duration::from_secs(30),
            request_timeout: Duration::from_secs(60),
            scan_every: Duration::from_secs(10),
            rotate_grace: Duration::from_secs(1),
            partial_after: Duration::from_secs(30),
            hold_deleted: Duration::from_secs(3600),
            hold_deleted_bytes: 1 << 30,
        }
    }
}

/// An event costs as much memory as so many bytes of a longer one's line, at the least.
const LINE_BYTES: usize = 128;

/// Copies of a batch's bytes that exist at its worst moment: raw, framed, encoded, compressed, and the reading window.
const COPIES: usize = 6;

impl Limits {
    /// Events that make a batch full, however short their lines are: one takes some hundred bytes of memory beside its line.
    pub fn batch_lines(&self) -> usize {
        (self.batch_bytes / LINE_BYTES).max(1)
    }

    /// Bytes read from a file at once: a full batch, or a line that is just too long.
    pub fn window_bytes(&self) -> usize {
        self.batch_bytes.max(self.max_line_bytes).max(crate::frame::MIN_RAW_LINE_BYTES) + 2
    }

    /// How many batches may exist at once under both `in_flight` and `memory`; at least one.
    pub fn concurrency(&self) -> usize {
        (self.memory / (self.window_bytes() * COPIES)).clamp(1, self.in_flight.max(1))
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(pub Vec<String>);

impl Settings {
    /// Settings with every limit at its default.
    pub fn new(indexer: impl Into<String>, state: impl Into<PathBuf>, sources: Vec<SourceConfig>) -> Self {
        Self {
            indexer: Destination { urls: vec![indexer.into()], ..Destination::default() },
            state: state.into(),
            sources,
            node: node_name(),
            metrics_listen: None,
            drop: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// Reads a configuration file's text.
    ///
    /// # Errors
    /// All problems at once.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let config = Config::parse(text).map_err(SettingsError)?;
        Self::from_config(config)
    }

    /// Checks what was typed and fills in the rest.
    ///
    /// # Errors
    /// All problems at once.
    pub fn from_config(config: Config) -> Result<Self, SettingsError> {
        let mut problems = Vec::new();
        let limits = limits(&config, &mut problems);
        let settings = Self {
            indexer: destination(config.indexer, &mut problems),
            state: config.state.unwrap_or_else(|| "/var/lib/locard-collector".into()),
            sources: sources(config.sources, &mut problems),
            node: config.node.filter(|node| !node.is_empty()).unwrap_or_else(node_name),
            metrics_listen: metrics_listen(config.metrics_listen, &mut problems),
            drop: drop_rules(config.drop.unwrap_or_default(), &mut problems),
            limits,
        };
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError(problems)) }
    }
}

fn limits(config: &Config, problems: &mut Vec<String>) -> Limits {
    let mut limits = Limits::default();
    let mut size = |key: &str, given: &Option<Size>, floor: u64, slot: &mut usize| match given
        .as_ref()
        .map(Size::bytes)
    {
        None => {}
        Some(Some(bytes)) if (floor..=1 << 32).contains(&bytes) => *slot = bytes as usize,
        Some(_) => problems.push(format!("{key}: expected a size of at least {floor} bytes such as `1MiB`")),
    };
    size("max_line_bytes", &config.max_line_bytes, 256, &mut limits.max_line_bytes);
    size("batch_bytes", &config.batch_bytes, 1024, &mut limits.batch_bytes);
    size("memory", &config.memory, 1 << 20, &mut limits.memory);
    let mut span = |key: &str, given: &Option<Span>, slot: &mut Duration| match given
        .as_ref()
        .map(Span::duration)
    {
        None => {}
        Some(Some(span)) if !span.is_zero() => *slot = span,
        Some(_) => problems.push(format!("{key}: expected a length of time such as `250ms`, `5s`, `10m`")),
    };
    span("flush_after", &config.flush_after, &mut limits.flush_after);
    span("retry_max", &config.retry_max, &mut limits.retry_max);
    span("request_timeout", &config.request_timeout, &mut limits.request_timeout);
    span("scan_every", &config.scan_every, &mut limits.scan_every);
    span("rotate_grace", &config.rotate_grace, &mut limits.rotate_grace);
    span("partial_after", &config.partial_after, &mut limits.partial_after);
    span("hold_deleted", &config.hold_deleted, &mut limits.hold_deleted);
    match config.hold_deleted_bytes.as_ref().map(Size::bytes) {
        None => {}
        Some(Some(bytes)) if i64::try_from(bytes).is_ok() => limits.hold_deleted_bytes = bytes,
        Some(_) => problems.push("hold_deleted_bytes: expected a size such as `1GiB`".into()),
    }
    match config.in_flight {
        Some(count @ 1..=1024) => limits.in_flight = count,
        Some(_) => problems.push("in_flight: expected a number from 1 to 1024".into()),
        None => {}
    }
    let needed = limits.window_bytes() * COPIES;
    if limits.memory < needed {
        problems.push(format!(
            "memory: {} bytes cannot hold one batch of these limits, which needs {needed}",
            limits.memory
        ));
    }
    limits
}

fn destination(config: Option<IndexerConfig>, problems: &mut Vec<String>) -> Destination {
    let full = match config {
        None => {
            problems.push("indexer is missing: a URL such as `http://127.0.0.1:7514`".into());
            return Destination::default();
        }
        Some(IndexerConfig::Url(url)) => crate::config::Indexer { urls: vec![url], ..Default::default() },
        Some(IndexerConfig::Full(full)) => full,
    };
    if full.urls.is_empty() {
        problems.push("indexer.urls is empty".into());
    }
    for url in &full.urls {
        check_url(url, problems);
        if full.token_file.is_some() && is_readable_by_others(url) {
            problems.push(format!("indexer: `{url}` would show the token to the network, use https"));
        }
    }
    if full.cert_file.is_some() != full.key_file.is_some() {
        problems.push("indexer.cert_file and indexer.key_file only make sense together".into());
    }
    let urls = full.urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
    let crate::config::Indexer { token_file, ca_file, cert_file, key_file, .. } = full;
    Destination { urls, token_file, ca_file, cert_file, key_file }
}

fn check_url(url: &str, problems: &mut Vec<String>) {
    match reqwest::Url::parse(url) {
        Ok(parsed) if !matches!(parsed.scheme(), "http" | "https") => {
            problems.push(format!("indexer: `{url}` is neither http nor https"));
        }
        Ok(parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            problems.push("indexer: a URL must not carry a password, use `token_file`".into());
        }
        Ok(_) => {}
        Err(error) => problems.push(format!("indexer: `{url}` is no URL: {error}")),
    }
}

/// Plain http to another machine.
fn is_readable_by_others(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    url.scheme() == "http" && !is_loopback
}

fn sources(config: Option<Vec<SourceConfig>>, problems: &mut Vec<String>) -> Vec<SourceConfig> {
    let sources = config.unwrap_or_default();
    if sources.is_empty() {
        problems
            .push("sources is missing: a list such as `[{type: containers, root: /var/log/pods}]`".into());
    }
    for (index, source) in sources.iter().enumerate() {
        match source {
            SourceConfig::Containers(containers) if !containers.root.is_absolute() => {
                problems.push(format!("sources[{index}].root: expected an absolute path"));
            }
            SourceConfig::File(file) => check_globs(index, file, problems),
            _ => {}
        }
    }
    sources
}

fn check_globs(index: usize, file: &crate::config::FileConfig, problems: &mut Vec<String>) {
    if file.paths.is_empty() {
        problems.push(format!("sources[{index}].paths is empty"));
    }
    for path in file.paths.iter().chain(&file.exclude) {
        if !path.starts_with('/') {
            problems.push(format!("sources[{index}].paths: `{path}` is not absolute"));
        }
        if let Err(error) = globset::Glob::new(path) {
            problems.push(format!("sources[{index}].paths: `{path}`: {}", error.kind()));
        }
    }
}

fn metrics_listen(text: Option<String>, problems: &mut Vec<String>) -> Option<SocketAddr> {
    let text = text?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) => {
            problems.push(format!("metrics_listen: `{text}` is no address such as `127.0.0.1:7515`"));
            None
        }
    }
}

fn drop_rules(rules: Vec<String>, problems: &mut Vec<String>) -> Vec<Matcher> {
    let mut matchers = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        match locard_filter::parse(rule).and_then(|filter| Matcher::new(&filter.resolve(now()))) {
            Ok(matcher) => matchers.push(matcher),
            Err(error) => {
                problems.push(format!("drop[{index}]: {error} at byte {} of `{rule}`", error.span.start))
            }
        }
    }
    matchers
}

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// `NODE_NAME` (what a DaemonSet sets from `spec.nodeName`), else the kernel's host name.
fn node_name() -> String {
    let from_env = std::env::var("NODE_NAME").ok().filter(|name| !name.is_empty());
    let from_kernel = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = from_env.or_else(from_kernel).unwrap_or_default();
    if name.trim().is_empty() { "localhost".into() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issue_s_example_is_accepted() {
        let text = "indexer: http://127.0.0.1:7514/\nstate: /var/lib/locard-collector\nsources:\n  \
            - {type: containers, root: /var/log/pods}\n  - {type: file, paths: [\"/var/log/*.log\", \"/var/log/syslog\"]}\n  \
            - {type: journald}\n";
        let settings = Settings::parse(text).unwrap();
        assert_eq!(settings.indexer.urls, ["http://127.0.0.1:7514"]);
        assert_eq!(settings.sources.len(), 3);
    }

    #[test]
    fn a_token_is_not_sent_over_plain_http() {
        for (url, accepted) in [
            ("http://10.0.0.1:7514", false),
            ("http://indexer", false),
            ("http://127.0.0.1.example.com", false),
            ("https://indexer", true),
            ("http://127.0.0.1:7514", true),
            ("http://[::1]:7514", true),
            ("http://localhost:7514", true),
        ] {
            let text =
                format!("indexer: {{urls: ['{url}'], token_file: /t}}\nsources: [{{type: journald}}]\n");
            let problems = Settings::parse(&text).map(drop).map_err(|error| error.to_string());
            let expected = format!("indexer: `{url}` would show the token to the network, use https");
            assert_eq!(problems, if accepted { Ok(()) } else { Err(expected) });
        }
    }

    #[test]
    fn all_problems_are_reported_at_once() {
        let text = "indexer: {urls: [ftp://x, 'http://u:p@x'], cert_file: /c}\nsources: [{type: file, paths: [a.log]}]\n\
            memory: 2MiB\nflush_after: 5\nmetrics_listen: nowhere\nin_flight: 0\n";
        let SettingsError(problems) = Settings::parse(text).unwrap_err();
        expect_test::expect![[r#"
            flush_after: expected a length of time such as `250ms`, `5s`, `10m`
            in_flight: expected a number from 1 to 1024
            memory: 2097152 bytes cannot hold one batch of these limits, which needs 6291468
            indexer: `ftp://x` is neither http nor https
            indexer: a URL must not carry a password, use `token_file`
            indexer.cert_file and indexer.key_file only make sense together
            sources[0].paths: `a.log` is not absolute
            metrics_listen: `nowhere` is no address such as `127.0.0.1:7515`"#]]
        .assert_eq(&problems.join("\n"));
    }
}
