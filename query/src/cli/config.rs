//! `locard config check|print`, and reading the configuration for every other command.

use std::io::{self, Write};
use std::path::Path;

use super::args::{CheckArgs, ConfigArgs};
use super::{Error, Outcome};
use crate::config::{self, Config, Invalid, Problem, Settings};

/// Reads the file, if one is named, and lets flags win over it.
pub(super) fn load(args: &ConfigArgs) -> Result<(Config, Settings), Error> {
    let path = args.config.as_deref();
    let text = path.map(text).transpose()?.unwrap_or_default();
    let flags = |config: &mut Config| {
        if let Some(data) = &args.data {
            config.data = Some(data.clone());
        }
        if let Some(listen) = &args.listen {
            config.listen.clone_from(listen);
        }
    };
    Ok(config::read(&text, flags).map_err(|problems| Invalid::new(path, problems))?)
}

fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Also opens the files that the configuration names, as a start would.
pub(super) fn check(args: &CheckArgs) -> Result<Outcome, Error> {
    let config = args.file.clone().or_else(|| args.config.config.clone());
    let args = ConfigArgs { config, ..args.config.clone() };
    let (_, settings) = load(&args)?;
    super::client::install_provider();
    if let Some(Err(error)) = settings.tls.as_ref().map(crate::serve::check_tls) {
        let problem = Problem::new("tls", format!("{:#}", anyhow::Error::new(error)));
        return Err(Invalid::new(args.config.as_deref(), vec![problem]).into());
    }
    let looked_at = match &args.config {
        Some(path) => path.display().to_string(),
        None => "no file was named, and none is looked for: these are the defaults. Name one: locard config check FILE".into(),
    };
    writeln!(io::stdout().lock(), "ok: {looked_at}")?;
    Ok(Outcome::Found)
}

pub(super) fn print(args: &ConfigArgs) -> Result<Outcome, Error> {
    let (mut config, settings) = load(args)?;
    config.data = Some(settings.data);
    if let Some(mut collector) = settings.collector {
        collector.insert("enabled".into(), true.into());
        config.collector = collector;
    }
    let text = yaml_serde::to_string(&config).map_err(|error| Error::Write(io::Error::other(error)))?;
    io::stdout().lock().write_all(text.as_bytes())?;
    Ok(Outcome::Found)
}
