//! [`Process`]: a `journalctl` that follows, line by line.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::config::JournaldConfig;

const PROGRAM: &str = "journalctl";
/// JSON escapes and an entry's other fields make its line longer than its message.
const ENTRY_FACTOR: usize = 8;
const MIN_ENTRY_BYTES: usize = 1 << 20;
/// Bytes of its last words that are logged.
const STDERR_BYTES: usize = 1000;
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// A running `journalctl`. Killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Reads what it says on standard error all the time: a full pipe would stop it.
    stderr: JoinHandle<Vec<u8>>,
    max_bytes: usize,
    /// Kept across calls, so that giving up waiting loses nothing.
    line: Vec<u8>,
    too_long: bool,
}

/// One line without its end.
#[derive(Debug)]
pub(super) struct Line {
    pub bytes: Vec<u8>,
    /// The rest was left out.
    pub too_long: bool,
}

/// What a source reads: under this name the state knows it.
pub(super) fn source(config: &JournaldConfig) -> String {
    let directory =
        config.directory.as_deref().map_or_else(|| "default".into(), |path| path.to_string_lossy());
    format!("journald {directory} {}", config.units.join(","))
}

fn arguments(config: &JournaldConfig, cursor: Option<&str>, cursor_lost: bool) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["--output=json", "--all", "--follow", "--no-tail", "--no-pager"].map(Into::into).into();
    match cursor {
        Some(cursor) if cursor_lost => {
            arguments.extend(realtime_seconds(cursor).map(|at| format!("--since=@{at}")))
        }
        Some(cursor) => arguments.push(format!("--after-cursor={cursor}")),
        None => {}
    }
    arguments.extend(config.directory.iter().map(|path| format!("--directory={}", path.display())));
    arguments.extend(config.units.iter().map(|unit| format!("--unit={unit}")));
    arguments
}

/// The time in a cursor (`…;t=<hexadecimal microseconds>;…`), in whole seconds.
fn realtime_seconds(cursor: &str) -> Option<u64> {
    let hex = cursor.split(';').find_map(|part| part.strip_prefix("t="))?;
    Some(u64::from_str_radix(hex, 16).ok()? / 1_000_000)
}

impl Process {
    pub(super) fn start(
        config: &JournaldConfig,
        cursor: Option<&str>,
        cursor_lost: bool,
        max_line_bytes: usize,
    ) -> std::io::Result<Self> {
        let program = config.command.clone().unwrap_or_else(|| PROGRAM.into());
        let mut child = Command::new(program)
            .args(arguments(config, cursor, cursor_lost))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| std::io::Error::other("journalctl has no output"))?;
        let stderr = child.stderr.take().ok_or_else(|| std::io::Error::other("journalctl has no errors"))?;
        let max_bytes = max_line_bytes.saturating_mul(ENTRY_FACTOR).max(MIN_ENTRY_BYTES);
        Ok(Self {
            child,
            stdout: BufReader::with_capacity(64 << 10, stdout),
            stderr: tokio::spawn(last_words(stderr)),
            max_bytes,
            line: Vec::new(),
            too_long: false,
        })
    }

    /// The next line; `None` at the end. Cancel safe.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let chunk = self.stdout.fill_buf().await?;
            if chunk.is_empty() {
                // A line without an end was cut by the death of the process: it is read again from the cursor before it.
                return Ok(None);
            }
            let end = memchr::memchr(b'\n', chunk);
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
            if self.line.len() + part.len() > self.max_bytes {
                self.too_long = true;
            } else {
                self.line.extend_from_slice(part);
            }
            let consumed = end.map_or(chunk.len(), |end| end + 1);
            self.stdout.consume(consumed);
            if end.is_some() {
                return Ok(Some(Line {
                    bytes: std::mem::take(&mut self.line),
                    too_long: std::mem::take(&mut self.too_long),
                }));
            }
        }
    }

    /// Logs how it ended.
    pub(super) async fn report(&mut self) {
        let said = tokio::time::timeout(EXIT_TIMEOUT, &mut self.stderr).await;
        let said = said.ok().and_then(Result::ok).unwrap_or_default();
        let status = tokio::time::timeout(EXIT_TIMEOUT, self.child.wait()).await;
        let status = status.ok().and_then(Result::ok).map(|status| status.to_string());
        let said = String::from_utf8_lossy(&said);
        tracing::warn!(status, said = said.trim(), "journalctl ended, starting it again");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A child of its own may keep the pipe open.
        self.stderr.abort();
    }
}

/// Reads to the end, keeps the last bytes.
async fn last_words(mut from: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut chunk).await {
        kept.extend_from_slice(chunk.get(..length).unwrap_or_default());
        kept.drain(..kept.len().saturating_sub(STDERR_BYTES));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cursor: Option<&str>, lost: bool, expected: &[&str]) {
        let config = JournaldConfig { units: vec!["sshd.service".into()], ..JournaldConfig::default() };
        let arguments = arguments(&config, cursor, lost);
        assert_eq!(arguments[5..], *expected);
    }

    #[test]
    fn it_goes_on_after_the_cursor_or_by_its_time() {
        let cursor = "s=0639;i=4ece7;b=6c7c;m=4fc7;t=52ea5b1a9c5d0;x=7d2";
        check(None, false, &["--unit=sshd.service"]);
        check(Some(cursor), false, &[&format!("--after-cursor={cursor}"), "--unit=sshd.service"]);
        check(Some(cursor), true, &["--since=@1458664068", "--unit=sshd.service"]);
    }
}
