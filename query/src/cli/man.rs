//! `locard man`: manual pages, made from the definition of the commands.

use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::args::{Args, ManArgs};
use super::{Error, Outcome};

pub(super) fn run(args: &ManArgs) -> Result<Outcome, Error> {
    match &args.dir {
        Some(dir) => write_all(dir)?,
        None => io::stdout().lock().write_all(&page(&args.command)?)?,
    }
    Ok(Outcome::Found)
}

/// The page of a command, its name given by words.
fn page(words: &[String]) -> Result<Vec<u8>, Error> {
    let mut command = built();
    for word in words {
        let found = command.find_subcommand(word).cloned();
        command = found.ok_or_else(|| Error::Usage(format!("there is no command `{}`", words.join(" "))))?;
    }
    Ok(render(command)?)
}

/// A page for each command, and one for those within it.
fn write_all(dir: &Path) -> Result<(), Error> {
    let failed = |source| Error::WriteFile { path: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut left = vec![built()];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
        let path = dir.join(format!("{}.1", name(&command)));
        std::fs::write(&path, render(command)?).map_err(|source| Error::WriteFile { path, source })?;
    }
    Ok(())
}

/// The definition, in which every command knows its whole name.
fn built() -> Command {
    let mut command = Args::command();
    command.build();
    command
}

/// `locard-hold-add`.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

fn render(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    // Examples are lines, not a paragraph that may be filled.
    let page = String::from_utf8_lossy(&page);
    let (head, extra) = page.split_once(EXTRA).unwrap_or((&page, ""));
    let (extra, rest) = extra.split_once("\n.SH ").map_or((extra, None), |(extra, rest)| (extra, Some(rest)));
    let lines = if extra.is_empty() { String::new() } else { format!("{EXTRA}.nf\n{extra}\n.fi\n") };
    let rest = rest.map(|rest| format!(".SH {rest}")).unwrap_or_default();
    Ok(format!("{head}{lines}{rest}").into_bytes())
}

/// Where the generator puts what follows the flags in a help text.
const EXTRA: &str = ".SH EXTRA\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_page_under_its_whole_name() {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path()).unwrap();
        for name in ["locard", "locard-search", "locard-hold-add", "locard-lookup-put"] {
            let page = std::fs::read_to_string(dir.path().join(format!("{name}.1"))).unwrap();
            assert!(page.contains(".TH "), "{name}: {page}");
            // What is not ASCII troff shows as something else.
            assert!(page.is_ascii(), "{name}: {page}");
        }
        assert!(!dir.path().join("locard-help.1").exists());
        let search = String::from_utf8(page(&["search".to_owned()]).unwrap()).unwrap();
        assert!(search.contains("context") && search.contains(".SH EXTRA\n.nf\nExamples:"), "{search}");
        assert!(search.contains("Exit codes") && search.contains("\n.fi\n.SH VERSION"), "{search}");
        assert!(page(&["no".to_owned(), "such".to_owned()]).is_err());
    }
}
