//! [`Config`]: what was typed in the YAML file, before anything is checked or filled in.
//!
//! Does not know what the values mean; [`crate::Settings`] does. Every key is described in `docs/collector.md`.

use locard_event::name;
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to ship: a URL, or [`Indexer`].
    pub indexer: Option<IndexerConfig>,
    /// Directory of the offsets.
    pub state: Option<std::path::PathBuf>,
    /// What to read.
    pub sources: Option<Vec<SourceConfig>>,
    /// Name of this machine.
    pub node: Option<String>,
    /// Address of the metrics page.
    pub metrics_listen: Option<String>,
    /// Filter expressions; an event that matches one is dropped and counted.
    pub drop: Option<Vec<String>>,
    /// Longest line that is kept whole.
    pub max_line_bytes: Option<Size>,
    /// Raw bytes that make a batch full.
    pub batch_bytes: Option<Size>,
    /// How long a line may wait for its batch to fill.
    pub flush_after: Option<Span>,
    /// Batches on their way at once.
    pub in_flight: Option<usize>,
    /// Bytes that batches may hold together.
    pub memory: Option<Size>,
    /// Longest pause between two tries.
    pub retry_max: Option<Span>,
    /// Time for one request.
    pub request_timeout: Option<Span>,
    /// Pause between two full scans of the directories.
    pub scan_every: Option<Span>,
    /// How long a rotated or deleted file must be quiet before its end is believed.
    pub rotate_grace: Option<Span>,
    /// How long a line may go without its end before what there is of it is sent.
    pub partial_after: Option<Span>,
    /// How long a deleted file is held open for its unread bytes.
    pub hold_deleted: Option<Span>,
    /// Bytes that deleted files may keep on the disk because they are held open.
    pub hold_deleted_bytes: Option<Size>,
}

/// `indexer:` in either spelling.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum IndexerConfig {
    /// One URL.
    Url(String),
    /// URLs and credentials.
    Full(Indexer),
}

/// `indexer:` in full.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indexer {
    /// Tried in order; the next one when one fails.
    pub urls: Vec<String>,
    /// File with the bearer token; read again when it changes.
    pub token_file: Option<std::path::PathBuf>,
    /// PEM file of the authorities to trust instead of the system's.
    pub ca_file: Option<std::path::PathBuf>,
    /// PEM file of the client certificate and its chain.
    pub cert_file: Option<std::path::PathBuf>,
    /// PEM file of the client key.
    pub key_file: Option<std::path::PathBuf>,
}

/// One source.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum SourceConfig {
    /// Container logs under a kubelet-like root.
    Containers(ContainersConfig),
    /// Plain files by glob.
    File(FileConfig),
    /// The systemd journal.
    Journald(JournaldConfig),
}

/// `type: containers`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainersConfig {
    /// Laid out as `<namespace>_<pod>_<uid>/<container>/<n>.log`.
    #[serde(default = "default_root")]
    pub root: std::path::PathBuf,
    /// Directories outside the root that links in it may lead to.
    pub follow: Option<Vec<std::path::PathBuf>>,
}

fn default_root() -> std::path::PathBuf {
    "/var/log/pods".into()
}

/// `type: file`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Globs; `**` crosses directories.
    pub paths: Vec<String>,
    /// Globs to leave out.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// `event.dataset`; by default told by the file's name.
    pub dataset: Option<String>,
}

/// `type: journald`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournaldConfig {
    /// The program to run.
    pub command: Option<std::path::PathBuf>,
    /// Directory of the journal; by default the machine's.
    pub directory: Option<std::path::PathBuf>,
    /// Only these units.
    #[serde(default)]
    pub units: Vec<String>,
}

/// A number of bytes: `65536`, `64KiB`, `1MiB`, `1GiB`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// Bytes.
    Bytes(u64),
    /// With a unit.
    Text(String),
}

impl Size {
    /// In bytes; `None` if it is no size.
    pub fn bytes(&self) -> Option<u64> {
        let text = match self {
            Self::Bytes(bytes) => return Some(*bytes),
            Self::Text(text) => text.trim(),
        };
        let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1), ("", 1)];
        let (digits, scale) =
            units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
        digits.trim().parse::<u64>().ok()?.checked_mul(*scale)
    }
}

/// A length of time: `250ms`, `5s`, `10m`, `1h`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Span(pub String);

impl Span {
    /// As a duration; `None` if it is none.
    pub fn duration(&self) -> Option<std::time::Duration> {
        let text = self.0.trim();
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
        let (digits, millis) =
            units.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
        let number = digits.trim().parse::<u64>().ok()?;
        number.checked_mul(*millis).map(std::time::Duration::from_millis)
    }
}

/// The keys of each mapping, so that every unknown one can be named at once (serde stops at the first).
const TOP: &[&str] = &[
    "indexer",
    "state",
    "sources",
    "node",
    "metrics_listen",
    "drop",
    "max_line_bytes",
    "batch_bytes",
    "flush_after",
    "in_flight",
    "memory",
    "retry_max",
    "request_timeout",
    "scan_every",
    "rotate_grace",
    "partial_after",
    "hold_deleted",
    "hold_deleted_bytes",
];
const INDEXER: &[&str] = &["urls", "token_file", "ca_file", "cert_file", "key_file"];
const SOURCES: &[(&str, &[&str])] = &[
    ("containers", &["type", "root", "follow"]),
    ("file", &["type", "paths", "exclude", "dataset"]),
    ("journald", &["type", "command", "directory", "units"]),
];

impl Config {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Every problem that can be told without knowing what the values mean, unknown keys first.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let value: yaml_serde::Value = yaml_serde::from_str(text).map_err(|error| vec![error.to_string()])?;
        if value.is_null() {
            return Ok(Self::default());
        }
        let problems = unknown_keys(&value);
        if !problems.is_empty() {
            return Err(problems);
        }
        // From the text again, not from the value: only so do the messages carry line and column.
        yaml_serde::from_str(text).map_err(|error| vec![error.to_string()])
    }
}

fn unknown_keys(top: &yaml_serde::Value) -> Vec<String> {
    let mut problems = Vec::new();
    check_keys(top, TOP, "", &mut problems);
    if let Some(indexer) = top.get("indexer") {
        check_keys(indexer, INDEXER, "indexer.", &mut problems);
    }
    let sources = top.get("sources").and_then(|sources| sources.as_sequence());
    for (index, source) in sources.into_iter().flatten().enumerate() {
        let at = format!("sources[{index}].");
        let Some(kind) = source.get("type").and_then(|kind| kind.as_str()) else {
            problems.push(format!("{at}type is missing: one of containers, file, journald"));
            continue;
        };
        if let Some(dataset) = source.get("dataset").and_then(|dataset| dataset.as_str())
            && !name::is_dataset(dataset)
        {
            // The indexer would refuse every one of its events.
            problems.push(format!("{at}dataset: `{dataset}` must be {}", name::DATASET_RULE));
        }
        match SOURCES.iter().find(|(name, _)| *name == kind) {
            Some((_, keys)) => check_keys(source, keys, &at, &mut problems),
            None => problems.push(format!(
                "{at}type: unknown source `{kind}`{}",
                nearest(kind, SOURCES.iter().map(|s| s.0))
            )),
        }
    }
    problems
}

fn check_keys(value: &yaml_serde::Value, known: &[&str], at: &str, problems: &mut Vec<String>) {
    for key in value.as_mapping().into_iter().flat_map(|mapping| mapping.keys()) {
        let key = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
        if !known.contains(&key.as_str()) {
            problems.push(format!("unknown key `{at}{key}`{}", nearest(&key, known.iter().copied())));
        }
    }
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .map_or_else(String::new, |(_, candidate)| format!(", did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let problems = Config::parse(text).err().unwrap_or_default();
        assert_eq!(problems, expected, "{text}");
    }

    #[test]
    fn every_unknown_key_is_named_with_the_nearest_known_one() {
        check(
            "indexr: x\nstate: /s\nsources: [{type: fil}, {type: file, path: []}, {root: /x}]\nindexer: {url: x}",
            &[
                "unknown key `indexr`, did you mean `indexer`?",
                "unknown key `indexer.url`, did you mean `urls`?",
                "sources[0].type: unknown source `fil`, did you mean `file`?",
                "unknown key `sources[1].path`, did you mean `paths`?",
                "sources[2].type is missing: one of containers, file, journald",
            ],
        );
        check("", &[]);
    }

    #[test]
    fn a_dataset_that_the_indexer_would_refuse_is_named() {
        let text = "sources: [{type: file, paths: [/x], dataset: My App}]";
        check(text, &[&format!("sources[0].dataset: `My App` must be {}", name::DATASET_RULE)]);
    }

    /// The tables above must list exactly what serde accepts.
    #[test]
    fn the_tables_agree_with_serde() {
        let said = |text: &str| yaml_serde::from_str::<Config>(text).unwrap_err().to_string();
        for key in TOP {
            assert!(said("zzz: 1").contains(&format!("`{key}`")), "{key}");
        }
        let indexer = yaml_serde::from_str::<Indexer>("zzz: 1").unwrap_err().to_string();
        for key in INDEXER {
            assert!(indexer.contains(&format!("`{key}`")), "{key}: {indexer}");
        }
        for (kind, keys) in SOURCES {
            let message = said(&format!("sources: [{{type: {kind}, zzz: 1}}]"));
            for key in keys.iter().filter(|key| **key != "type") {
                assert!(message.contains(&format!("`{key}`")), "{kind}.{key}: {message}");
            }
        }
    }

    #[test]
    fn sizes_and_spans() {
        let size = |text: &str| Size::Text(text.into()).bytes();
        assert_eq!(size("64KiB"), Some(65536));
        assert_eq!(size("7"), Some(7));
        assert_eq!(size("1 GiB"), Some(1 << 30));
        assert_eq!(size("1MB"), None);
        let span = |text: &str| Span(text.into()).duration().map(|span| span.as_millis());
        assert_eq!(span("250ms"), Some(250));
        assert_eq!(span("2m"), Some(120_000));
        assert_eq!(span("2"), None);
    }
}
