//! `locard ingest`: post-mortem import of log files into a running server.
//!
//! Files are read on a thread of their own and sent from here, two batches ahead at most. A batch is named by its content, so that
//! running the same import again within a day adds nothing.

mod batch;
mod dataset;
mod input;
mod line;
mod origin;
mod read;
mod send;

use std::io::{self, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::mpsc;

use super::args::IngestArgs;
use super::client::Client;
use super::{Error, Outcome};
use batch::{Batch, Batcher};
use input::Input;
use origin::Origin;
use send::Sent;

/// Batches read ahead of the one being sent.
const AHEAD: usize = 2;

/// What became of one file.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    events: u64,
    batches: u64,
    /// Of the events, those that an earlier import brought.
    known: u64,
}

impl Count {
    fn say(self, path: &Path) -> String {
        let Self { events, batches, known } = self;
        let counts =
            format!("{}, {}", plural(events, "event", "events"), plural(batches, "batch", "batches"));
        let again = match known {
            0 => String::new(),
            _ if known == events => "; all of them were known already, nothing was added".to_owned(),
            _ => format!("; {known} of them were known already"),
        };
        format!("{}: {counts}{again}", path.display())
    }
}

pub(super) async fn run(args: &IngestArgs) -> Result<Outcome, Error> {
    let client = Client::new(&args.connect)?;
    let mut total = Count::default();
    for path in &args.files {
        let progress = bar(args.quiet);
        let count = import(&client, args, path, &progress).await;
        progress.finish_and_clear();
        let count = count?;
        report(&count.say(path));
        total.events += count.events;
    }
    Ok(if total.events > 0 { Outcome::Found } else { Outcome::Nothing })
}

async fn import(
    client: &Client,
    args: &IngestArgs,
    path: &Path,
    progress: &ProgressBar,
) -> Result<Count, Error> {
    let input = Input::open(path, progress)?;
    let origin = Origin::new(args, path);
    let (sender, mut receiver) = mpsc::channel::<Batch>(AHEAD);
    let reading = tokio::task::spawn_blocking(move || {
        let mut batcher = Batcher::new(sender);
        read::read(input, &origin, &mut batcher)?;
        batcher.finish();
        io::Result::Ok(())
    });
    let mut count = Count::default();
    while let Some(batch) = receiver.recv().await {
        let events = batch.events.len() as u64;
        if send::send(client, &batch).await? == Sent::Known {
            count.known += events;
        }
        count.events += events;
        count.batches += 1;
        progress.set_message(format!("{} events", count.events));
    }
    let read = reading.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(count)
}

/// Drawn on a terminal only.
fn bar(quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    let template = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn report(text: &str) {
    // Whether anybody reads it changes nothing about what was imported.
    writeln!(io::stderr().lock(), "{text}").unwrap_or_default();
}
