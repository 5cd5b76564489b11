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

use std::io::{self, BufRead, Write};
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
#[derive(Clone, Debug, Default)]
struct Count {
    events: u64,
    batches: u64,
    /// Of the events, those that an earlier import brought.
    known: u64,
    /// Those that the server did not take; they are not among the events.
    refused: u64,
    /// Why, in its words, the first of them.
    because: String,
}

impl Count {
    fn add(&mut self, events: u64, sent: Sent) {
        let refused = sent.refused.rejected.min(events);
        if self.refused == 0 && refused > 0 {
            self.because = sent.refused.message;
        }
        let taken = events - refused;
        self.refused += refused;
        self.events += taken;
        self.known += if sent.known { taken } else { 0 };
        self.batches += 1;
    }

    fn say(&self, path: &Path) -> String {
        let &Self { events, batches, known, .. } = self;
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
    let mut total = 0;
    for path in &args.files {
        let progress = bar(args.quiet);
        let mut count = Count::default();
        let done = import(&client, args, path, &progress, &mut count).await;
        progress.finish_and_clear();
        if done.is_ok() || count.batches > 0 {
            report(&count.say(path));
        }
        done?;
        if count.refused > 0 {
            let Count { refused: events, because, .. } = count;
            return Err(Error::Rejected { path: path.clone(), events, because });
        }
        total += count.events;
    }
    Ok(if total > 0 { Outcome::Found } else { Outcome::Nothing })
}

/// Counts what was sent, also where it fails in the end.
async fn import(
    client: &Client,
    args: &IngestArgs,
    path: &Path,
    progress: &ProgressBar,
    count: &mut Count,
) -> Result<(), Error> {
    let input = Input::open(path, progress)?;
    let origin = Origin::new(args, path);
    let (sender, mut receiver) = mpsc::channel::<Batch>(AHEAD);
    let reading = tokio::task::spawn_blocking(move || read_all(input, &origin, Batcher::new(sender)));
    while let Some(batch) = receiver.recv().await {
        count.add(batch.events, send::send(client, &batch).await?);
        progress.set_message(format!("{} events", count.events));
    }
    let read = reading.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    read.map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// What could be read is handed over whole before a failure is told: a torn archive is evidence too.
fn read_all(input: impl BufRead, origin: &Origin, mut batcher: Batcher) -> io::Result<()> {
    let done = read::read(input, origin, &mut batcher);
    batcher.finish();
    done
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
