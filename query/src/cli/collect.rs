//! The collector that `locard up` runs in its own process. It ships by HTTP like any other, to an address of its own on loopback, so
//! that what it does is what a separate collector does, whatever TLS and credentials the public address asks for.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use locard_collector::config::SourceConfig;
use locard_collector::{Metrics, Settings as Collector, SettingsError};
use locard_indexer::{Permission, Principal, Tenant};
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use yaml_serde::{Mapping, Value};

use super::Error;
use crate::config::{Invalid, Problem, Settings, Token, hash_token, random_token};
use crate::serve::Server;

/// A collector that has not begun.
pub(super) struct Collecting {
    settings: Collector,
    metrics: Metrics,
    secret: String,
    token_file: PathBuf,
}

/// A collector at work.
pub(super) struct Working {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Collecting {
    /// Gives it an address and a credential. Nothing: collecting is switched off.
    pub(super) async fn prepare(server: &mut Server, settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(mapping) = settings.collector.clone() else { return Ok(None) };
        let secret = random_token();
        let url = server.open_private(token(&secret)).await?;
        let state = settings.data.join("collector");
        let token_file = state.join("token");
        let settings = settings_of(mapping, &url, &state, &token_file)?;
        Ok(Some(Self { settings, metrics: Metrics::default(), secret, token_file }))
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// What it reads, for people.
    pub(super) fn describe(&self) -> String {
        let sources = self.settings.sources.iter().map(|source| match source {
            SourceConfig::Containers(containers) => format!("containers under {}", containers.root.display()),
            SourceConfig::File(file) => file.paths.join(", "),
            SourceConfig::Journald(_) => "the journal".to_owned(),
        });
        sources.collect::<Vec<_>>().join("; ")
    }

    /// The secret is written only now, when the data directory is known to be this process's own.
    pub(super) fn begin(self) -> Result<Working, Error> {
        let Self { settings, metrics, secret, token_file } = self;
        write_secret(&token_file, &secret).map_err(|source| Error::WriteFile { path: token_file, source })?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = locard_collector::run(settings, metrics, stopped).await {
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::error!(error, "the collector stopped; the server goes on");
            }
        });
        Ok(Working { task, stop })
    }
}

impl Working {
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the collector panicked");
        }
    }
}

/// It may send, and nothing else.
fn token(secret: &str) -> Token {
    let principal = Principal {
        name: "collector".into(),
        tenant: Tenant::default(),
        permissions: [Permission::Ingest].into(),
        filter: None,
    };
    Token { sha256: hash_token(secret), principal, expires: None }
}

/// Readable by this user only; new at every start.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(secret.as_bytes())
}

fn settings_of(mut mapping: Mapping, url: &str, state: &Path, token_file: &Path) -> Result<Collector, Error> {
    let text = |path: &Path| Value::from(path.to_string_lossy().into_owned());
    let indexer =
        [("urls".into(), Value::Sequence(vec![url.into()])), ("token_file".into(), text(token_file))];
    mapping.insert("indexer".into(), Value::Mapping(indexer.into_iter().collect()));
    mapping.insert("state".into(), text(state));
    let yaml = yaml_serde::to_string(&mapping).map_err(|error| Error::Usage(error.to_string()))?;
    Collector::parse(&yaml).map_err(|SettingsError(problems)| {
        let problems = problems.into_iter().map(|problem| Problem::new("collector", problem));
        Invalid::new(None, problems.collect()).into()
    })
}
