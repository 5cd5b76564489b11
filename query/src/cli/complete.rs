//! `locard completions`: what a shell needs to complete commands and flags, made from their definition.

use std::io::{self, Write as _};

use clap::CommandFactory as _;

use super::args::{Args, CompletionsArgs};
use super::{Error, Outcome};

pub(super) fn run(args: &CompletionsArgs) -> Result<Outcome, Error> {
    // Written at once: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "locard", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Outcome::Found)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_shell_is_told_of_every_command() {
        for shell in clap_complete::Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "locard", &mut script);
            let script = String::from_utf8(script).unwrap();
            for word in ["search", "lookup", "context-by", "follow"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
