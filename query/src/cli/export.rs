//! `locard export`: everything that a query finds into a file or a pipe, as the server writes it. A lost connection is taken up again
//! behind the bytes there are, and what came is held against the server's count and SHA-256.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::args::{ExportArgs, ExportFormat, Order};
use super::client::Client;
use super::output::neutralise;
use super::{Error, Outcome};
use crate::export::{Packer, Packing};

/// Pauses between two tries to go on, and how many in a row may bring nothing.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const MAX_TRIES: u32 = 20;

pub(super) async fn run(args: &ExportArgs) -> Result<Outcome, Error> {
    if args.to.is_none() && io::stdout().is_terminal() {
        let hint =
            "an export does not go to a terminal: name a file with --to, pipe it, or use `locard search`";
        return Err(Error::Usage(hint.into()));
    }
    if args.output == ExportFormat::Parquet && args.compress.is_some_and(|packing| packing != Packing::None) {
        let hint = "parquet is packed already, and its readers do not unpack it: leave --compress out";
        return Err(Error::Usage(hint.into()));
    }
    let client = Client::new(&args.connect)?;
    let query = args.query.join(" ");
    let mut part = Part::open(args)?;
    let mut fetched = Fetched::new(args.output == ExportFormat::Ndjson);
    let id = fetch(&client, args, &query, &mut fetched, &mut part).await?;
    part.finish()?;
    let verdict = match fetched.summary() {
        Some(summary) => summary,
        None => client.json(client.request(Method::GET, &format!("/api/export/{id}/manifest"))).await?,
    };
    fetched.check(&client, &verdict)?;
    part.keep()?;
    for (what, member) in [("incomplete", "incomplete_because"), ("inexact", "inexact_because")] {
        if let Some(because) = verdict.get(member).and_then(Value::as_str) {
            writeln!(io::stderr().lock(), "locard: {what}: {}", neutralise(because)).unwrap_or_default();
        }
    }
    let found = verdict.get("count").and_then(Value::as_u64).unwrap_or_default() > 0;
    Ok(if found { Outcome::Found } else { Outcome::Nothing })
}

/// Gets all of it, however often that breaks off, and gives the id of the last try.
async fn fetch(
    client: &Client,
    args: &ExportArgs,
    query: &str,
    fetched: &mut Fetched,
    into: &mut Part,
) -> Result<String, Error> {
    let (mut cursor, mut pause, mut tries) = (None, FIRST_PAUSE, 0);
    loop {
        let before = fetched.bytes;
        match open(client, args, query, cursor.as_deref(), fetched.bytes).await {
            Ok(response) => {
                let header = |name: &str| {
                    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
                };
                let id = header("locard-export").unwrap_or_default();
                cursor = cursor.or(header("locard-cursor"));
                match read(response, fetched, into).await? {
                    None => return Ok(id),
                    Some(source) if cursor.is_none() => return Err(client.unreachable(source)),
                    Some(source) => tracing::debug!(error = %source, bytes = fetched.bytes, "going on"),
                }
            }
            // What never was there is a mistake in the command line.
            Err(error) if cursor.is_none() || !is_passing(&error) => return Err(error),
            Err(error) if tries >= MAX_TRIES => return Err(error),
            Err(error) => tracing::debug!(%error, "waiting for the server"),
        }
        (tries, pause) = if fetched.bytes > before { (0, FIRST_PAUSE) } else { (tries + 1, pause) };
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn open(
    client: &Client,
    args: &ExportArgs,
    query: &str,
    cursor: Option<&str>,
    offset: u64,
) -> Result<Response, Error> {
    let order = match args.order {
        Order::Desc => "desc",
        Order::Asc => "asc",
    };
    let mut body = Map::new();
    let mut say = |name: &str, value: Value| body.insert(name.to_owned(), value);
    say("q", json!(query));
    say("order", json!(order));
    say("format", json!(args.output.name()));
    say("compress", json!("none"));
    say("fields", json!(args.columns.join(",")));
    say("limit", json!(args.limit));
    say("start", json!(args.start));
    say("end", json!(args.end));
    if let Some(cursor) = cursor {
        say("cursor", json!(cursor));
        say("offset", json!(offset));
    }
    let request = client.request(Method::POST, "/api/export").header("content-type", "application/json");
    match client.send(request.body(Value::Object(body).to_string())).await {
        Err(Error::Refused(refusal)) => Err(Error::Refused(Box::new(refusal.of(query)))),
        other => other,
    }
}

/// Takes what comes; why it broke off, if it did.
async fn read(
    mut response: Response,
    fetched: &mut Fetched,
    into: &mut Part,
) -> Result<Option<reqwest::Error>, Error> {
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                into.put(&chunk)?;
                fetched.take_in(&chunk);
            }
            Ok(None) => return Ok(None),
            Err(source) => return Ok(Some(source)),
        }
    }
}

fn is_passing(error: &Error) -> bool {
    match error {
        Error::Connect { .. } => true,
        Error::Refused(refusal) => matches!(refusal.status, 429 | 502 | 503 | 504),
        _ => false,
    }
}

/// What came so far.
struct Fetched {
    bytes: u64,
    digest: Sha256,
    /// The last line of NDJSON is about those before it, and is held back from the digest; nothing for other formats.
    last: Option<Vec<u8>>,
}

impl Fetched {
    fn new(is_ndjson: bool) -> Self {
        Self { bytes: 0, digest: Sha256::new(), last: is_ndjson.then(Vec::new) }
    }

    fn take_in(&mut self, chunk: &[u8]) {
        self.bytes += chunk.len() as u64;
        let Some(last) = &mut self.last else { return self.digest.update(chunk) };
        last.extend_from_slice(chunk);
        let whole = last.trim_ascii_end();
        if let Some(end) = memchr::memrchr(b'\n', whole) {
            let (lines, _) = last.split_at(end + 1);
            self.digest.update(lines);
            last.drain(..=end);
        }
    }

    /// What the last line says.
    fn summary(&self) -> Option<Value> {
        let line: Value = serde_json::from_slice(self.last.as_deref()?).ok()?;
        line.get("_summary").cloned()
    }

    fn check(&self, client: &Client, verdict: &Value) -> Result<(), Error> {
        let hex: String = self.digest.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if verdict.get("sha256").and_then(Value::as_str) == Some(&hex) {
            return Ok(());
        }
        let reason =
            "what came is not what was sent: the SHA-256 differs; events may be gone by retention meanwhile";
        Err(Error::Answer { url: client.url().to_owned(), reason: reason.into() })
    }
}

/// Where it goes: standard output, or a file that gets its name when it is whole.
struct Part {
    out: Option<Box<dyn Write + Send>>,
    packer: Option<Packer>,
    paths: Option<(PathBuf, PathBuf)>,
}

impl Part {
    fn open(args: &ExportArgs) -> Result<Self, Error> {
        let packing = args.compress.unwrap_or(Packing::None);
        let packer = Some(Packer::new(packing)?);
        let Some(path) = &args.to else {
            return Ok(Self { out: Some(Box::new(BufWriter::new(io::stdout()))), packer, paths: None });
        };
        let mut partial = path.clone().into_os_string();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        let file =
            File::create(&partial).map_err(|source| Error::WriteFile { path: partial.clone(), source })?;
        Ok(Self { out: Some(Box::new(BufWriter::new(file))), packer, paths: Some((partial, path.clone())) })
    }

    fn put(&mut self, chunk: &bytes::Bytes) -> io::Result<()> {
        let Self { out: Some(out), packer: Some(packer), .. } = self else { return Ok(()) };
        packer.pack(vec![chunk.clone()])?.iter().try_for_each(|piece| out.write_all(piece))
    }

    fn finish(&mut self) -> io::Result<()> {
        let (Some(mut out), Some(packer)) = (self.out.take(), self.packer.take()) else { return Ok(()) };
        out.write_all(&packer.finish()?)?;
        out.flush()
    }

    /// Gives the file its name.
    fn keep(&self) -> Result<(), Error> {
        let Some((partial, path)) = &self.paths else { return Ok(()) };
        std::fs::rename(partial, path).map_err(|source| Error::WriteFile { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::super::args::Command;
    use super::*;

    const WHOLE: &str = "a\r\n1\r\n2\r\n";

    /// Reads one request to the end of its body.
    async fn request(stream: &mut tokio::net::TcpStream) -> String {
        let mut text = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let read = stream.read(&mut piece).await.unwrap();
            text.extend_from_slice(&piece[..read]);
            let text = String::from_utf8_lossy(&text);
            if read == 0 || text.ends_with('}') || (text.starts_with("GET") && text.ends_with("\r\n\r\n")) {
                return text.into_owned();
            }
        }
    }

    /// Breaks off in the middle, then goes on, then says what it was.
    async fn breaking(listener: TcpListener, sha256: String) -> Vec<String> {
        let mut asked = Vec::new();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\nlocard-export: x\r\nlocard-cursor: e1.d.0.9\r\n";
        let (first, second) = WHOLE.split_at(4);
        let manifest = json!({"count": 2, "sha256": sha256}).to_string();
        for body in [
            format!("transfer-encoding: chunked\r\n\r\n4\r\n{first}\r\n"),
            format!("content-length: {}\r\n\r\n{second}", second.len()),
            format!("content-length: {}\r\n\r\n{manifest}", manifest.len()),
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            asked.push(request(&mut stream).await);
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        }
        asked
    }

    async fn export(sha256: &str) -> (Result<Outcome, Error>, Vec<String>, Option<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(breaking(listener, sha256.to_owned()));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("x.csv");
        let typed = ["locard", "export", "a", "-o", "csv", "--url", &url, "--to", file.to_str().unwrap()];
        let args = super::super::Args::try_parse_from(typed).unwrap();
        let Command::Export(args) = args.command else { panic!("not an export") };
        let done = run(&args).await;
        (done, server.await.unwrap(), std::fs::read_to_string(file).ok())
    }

    #[tokio::test]
    async fn a_lost_connection_is_taken_up_behind_what_came() {
        let digest: String = Sha256::digest(WHOLE).iter().map(|byte| format!("{byte:02x}")).collect();
        let (done, asked, file) = export(&digest).await;
        assert_eq!((done.unwrap(), file.as_deref()), (Outcome::Found, Some(WHOLE)));
        assert!(!asked[0].contains("offset"), "{}", asked[0]);
        assert!(
            asked[1].contains("\"offset\":4") && asked[1].contains("\"cursor\":\"e1.d.0.9\""),
            "{}",
            asked[1]
        );
        assert!(asked[2].starts_with("GET /api/export/x/manifest"), "{}", asked[2]);
        let (done, _, file) = export("another").await;
        assert!(matches!(done, Err(Error::Answer { .. })) && file.is_none());
    }

    #[test]
    fn the_last_line_is_about_those_before_it() {
        let text = b"{\"a\":1}\n{\"a\":2}\n{\"_summary\":{\"count\":2}}\n";
        for size in [1, 7, 100] {
            let mut fetched = Fetched::new(true);
            text.chunks(size).for_each(|chunk| fetched.take_in(chunk));
            assert_eq!(fetched.summary(), Some(json!({"count": 2})));
            assert_eq!(fetched.digest.finalize(), Sha256::digest(b"{\"a\":1}\n{\"a\":2}\n"), "{size}");
        }
    }
}
