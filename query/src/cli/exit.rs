//! How a command ends.

use std::error::Error as _;
use std::io::{self, Write};
use std::process::ExitCode;

use super::Error;

/// How a command ended, when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something was found, or what was asked for is done.
    Found,
    /// Nothing was found.
    Nothing,
    /// Nothing was found, but not everything was looked at.
    Unknown,
}

impl Outcome {
    /// 0, 1, or 2 where it cannot be told.
    pub fn code(self) -> ExitCode {
        match self {
            Self::Found => ExitCode::SUCCESS,
            Self::Nothing => ExitCode::from(1),
            Self::Unknown => ExitCode::from(2),
        }
    }
}

/// Says why on standard error, and gives 2. Whoever reads our output may close it when they have enough; that is no failure.
pub fn failed(error: &Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let mut text = format!("locard: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    // Nobody is left to tell when standard error is closed.
    writeln!(io::stderr().lock(), "{text}").unwrap_or_default();
    ExitCode::from(2)
}

fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Write(source) if source.kind() == io::ErrorKind::BrokenPipe)
}
