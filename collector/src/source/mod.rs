//! What can be read: which logs a source finds, and what their events are labelled with.

pub(crate) mod containers;
pub(crate) mod file;
pub(crate) mod journald;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobSet;
use locard_event::{Event, Stream, Timestamp, name};
use locard_parse::frame::Iostream;

use crate::frame::Line;
use crate::settings::now;
use crate::tail::content::Stat;
use crate::tail::open::Fence;

/// Field: how often the container was restarted before it wrote this file.
const RESTART_COUNT: &str = "kubernetes.container.restart_count";
/// Label: the node a pod ran on.
const NODE_NAME: &str = "kubernetes.node.name";

/// The generations of one log that a scan found.
#[derive(Debug)]
pub(crate) struct FoundLog {
    /// Directory and name of the log: what rotated siblings share. Also the value of `log.file.path`.
    pub(crate) log: PathBuf,
    /// What its events are labelled with.
    pub(crate) origin: Arc<Origin>,
    /// Its files, in no order.
    pub(crate) files: Vec<FoundFile>,
}

/// A file that a scan found.
#[derive(Debug)]
pub(crate) struct FoundFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Size and identity when it was found.
    pub(crate) stat: Stat,
    /// Opened at once when it was not known before: it may be deleted before its turn comes.
    pub(crate) file: Option<File>,
}

/// Where events of one log come from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Lines carry a CRI or docker envelope.
    pub(crate) enveloped: bool,
    /// What may be opened.
    pub(crate) fence: Arc<Fence>,
    exclude: Option<Arc<GlobSet>>,
    restart_count: Option<i64>,
    streams: [Arc<Stream>; 3],
}

impl Origin {
    /// An origin with these labels; each standard stream gets its own stream.
    pub(crate) fn new(
        labels: &[(&str, &str)],
        enveloped: bool,
        restart_count: Option<i64>,
        fence: Arc<Fence>,
    ) -> Self {
        let stream = |iostream: Option<Iostream>| {
            let extra = iostream.map(|iostream| (name::IOSTREAM, iostream.name()));
            Arc::new(Stream::new(labels.iter().copied().chain(extra)))
        };
        let streams = [stream(None), stream(Some(Iostream::Stdout)), stream(Some(Iostream::Stderr))];
        Self { enveloped, fence, exclude: None, restart_count, streams }
    }

    /// One that leaves files out.
    pub(crate) fn excluding(self, exclude: &Arc<GlobSet>) -> Self {
        Self { exclude: Some(Arc::clone(exclude)), ..self }
    }

    /// Whether files of this name shall not be read.
    pub(crate) fn excludes(&self, path: &Path) -> bool {
        self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(path))
    }

    /// The event of a line. A line whose time is not known gets the time it is read at, marked as such by `event.created`: the
    /// indexer prefers what the line says.
    pub(crate) fn event(&self, line: Line) -> Event {
        let [plain, stdout, stderr] = &self.streams;
        let stream = match line.iostream {
            None => plain,
            Some(Iostream::Stdout) => stdout,
            Some(Iostream::Stderr) => stderr,
        };
        // Whole milliseconds: lines read together share one value, which an index holds once.
        let read_at = || Timestamp::from_millis(now().nanos() / 1_000_000);
        let mut event = Event::new(line.time.unwrap_or_else(read_at), Arc::clone(stream), line.content);
        if line.time.is_none() {
            event.fields.set(name::CREATED, event.time);
        }
        event.fields.set(name::OFFSET, i64::try_from(line.start).unwrap_or(i64::MAX));
        if let Some(count) = self.restart_count {
            event.fields.set(RESTART_COUNT, count);
        }
        let flags = [
            (line.truncated, "truncated"),
            (line.continuation, "continuation"),
            (line.unfinished, "partial"),
        ];
        for (_, flag) in flags.iter().filter(|(set, _)| *set) {
            event.fields.append(name::FLAGS, *flag);
        }
        if line.unframed {
            event.fields.set(name::ERROR_MESSAGE, "neither a CRI nor a docker json-file line");
        }
        event
    }
}
