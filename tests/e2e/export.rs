//! `locard export` against a real server, over connections that break in the middle of a line.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use locard_tests::Server;
use locard_tests::process::binary;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const FORMATS: [&str; 5] = ["ndjson", "json", "csv", "raw", "parquet"];

/// Passes connections on, and closes each of the first ones after so many bytes of the answer.
struct Proxy {
    url: String,
    limits: Arc<Mutex<VecDeque<u64>>>,
}

impl Proxy {
    async fn start(server: &Server) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let to = server.url().trim_start_matches("http://").to_owned();
        let limits = Arc::new(Mutex::new(VecDeque::new()));
        let shared = Arc::clone(&limits);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let limit = shared.lock().map_or(None, |mut limits| limits.pop_front());
                tokio::spawn(pass(client, to.clone(), limit.unwrap_or(u64::MAX)));
            }
        });
        Ok(Self { url, limits })
    }

    fn breaks_after(&self, bytes: impl IntoIterator<Item = u64>) {
        self.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(bytes);
    }

    fn broke_all(&self) -> bool {
        self.limits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_empty()
    }
}

async fn pass(client: TcpStream, to: String, limit: u64) -> std::io::Result<()> {
    let server = TcpStream::connect(to).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    tokio::io::copy(&mut from_server.take(limit), &mut to_client).await?;
    to_client.shutdown().await?;
    asking.abort();
    Ok(())
}

async fn export(url: &str, arguments: &[&str], to: &Path) -> anyhow::Result<(Option<i32>, String)> {
    let mut command = Command::new(binary("locard")?);
    command.arg("export").args(arguments).args(["--url", url, "--to"]).arg(to);
    let output = command.output().await?;
    Ok((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

async fn filled() -> anyhow::Result<Server> {
    let server = Server::start().await?;
    let line = |n: u32| {
        let scattered = n.wrapping_mul(2_654_435_761);
        format!(
            "{{\"message\":\"event {n} of {scattered:x}\",\"source.ip\":\"10.0.{}.{}\",\"n\":{n}}}\n",
            n / 256,
            n % 256
        )
    };
    server.client().ingest("", (0..8_000).map(line).collect::<String>()).await?;
    Ok(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_outlives_two_broken_connections_in_every_format() -> anyhow::Result<()> {
    let server = filled().await?;
    let proxy = Proxy::start(&server).await?;
    let directory = tempfile::tempdir()?;
    for format in FORMATS {
        let (whole, broken) = (directory.path().join("whole"), directory.path().join("broken"));
        let ask = ["*", "-o", format];
        let (code, err) = export(server.url(), &ask, &whole).await?;
        assert_eq!(code, Some(0), "{format}: {err}");
        let expected = std::fs::read(&whole)?;
        let third = expected.len() as u64 / 3;
        proxy.breaks_after([third, third + 1_000]);
        let (code, err) = export(&proxy.url, &ask, &broken).await?;
        assert!(code == Some(0) && proxy.broke_all(), "{format}: {err}");
        let found = std::fs::read(&broken)?;
        // The footer of Parquet names the moment, which is another; that the file is what was sent, the SHA-256 told.
        let is_same = if format == "parquet" { found.len() == expected.len() } else { found == expected };
        assert!(is_same, "{format}: {} bytes, {} as a whole", found.len(), expected.len());
        assert!(!directory.path().join("broken.part").exists(), "{format}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_is_a_file_and_is_not_packed_once_more() -> anyhow::Result<()> {
    let server = filled().await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("x.parquet");
    let (code, err) = export(server.url(), &["n<10", "-o", "parquet", "-f", "n"], &path).await?;
    assert_eq!(code, Some(0), "{err}");
    let file = std::fs::read(&path)?;
    assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"));
    let (code, _) = export(server.url(), &["nowhere", "-o", "parquet"], &path).await?;
    assert_eq!(code, Some(1));
    let (code, err) = export(server.url(), &["*", "-o", "parquet", "--compress", "gzip"], &path).await?;
    assert!(code == Some(2) && err.contains("packed already"), "{err}");
    Ok(())
}
