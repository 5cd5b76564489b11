//! `locard config check|print`, and reading the configuration for every other command.

use std::io::{self, Write};
use std::path::Path;

use super::args::{CheckArgs, ConfigArgs};
use super::{Error, Outcome};
use crate::config::{self, Config, Invalid, Settings};

/// Reads the file, if one is named, and lets flags win over it.
pub(super) fn load(args: &ConfigArgs) -> Result<(Config, Settings), Error> {
    let path = args.config.as_deref();
    let mut config = match path {
        Some(path) => config::read(&text(path)?).map_err(|problems| Invalid::new(Some(path), problems))?,
        None => Config::default(),
    };
    if let Some(data) = &args.data {
        config.data = Some(data.clone());
    }
    if let Some(listen) = &args.listen {
        config.listen.clone_from(listen);
    }
    let settings = Settings::resolve(&config).map_err(|problems| Invalid::new(path, problems))?;
    Ok((config, settings))
}

fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

pub(super) fn check(args: &CheckArgs) -> Result<Outcome, Error> {
    let config = args.file.clone().or_else(|| args.config.config.clone());
    load(&ConfigArgs { config, ..args.config.clone() })?;
    writeln!(io::stdout().lock(), "ok")?;
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
