//! The process's own log, on standard error.

use std::io;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat};

/// Starts logging. The level has been checked with the rest of the configuration; `LOCARD_LOG` wins over it.
pub(super) fn start(log: &Log) {
    let level = std::env::var("LOCARD_LOG").unwrap_or_else(|_| log.level.clone());
    let targets = level.parse::<Targets>().unwrap_or_else(|_| Targets::new());
    let colour = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(colour);
    let registry = tracing_subscriber::registry().with(targets);
    let started = match log.format {
        LogFormat::Text => registry.with(layer).try_init(),
        LogFormat::Json => registry.with(layer.json()).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started already");
    }
}
