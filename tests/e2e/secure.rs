use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use locard_event::Timestamp;
use locard_tests::{Client, Collector, Server, ServerOptions, eventually};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const SHIPPER: &str = "lcd_shipper-token-for-the-test-0123456789";
const READER: &str = "lcd_reader-token-for-the-test-0123456789";
const STRANGER: &str = "lcd_other-tenant-token-for-the-test-01234";
const NARROW: &str = "lcd_row-filtered-token-for-the-test-01234";

/// A certificate authority with a server and a client certificate, as PEM files.
struct Certificates {
    ca: PathBuf,
    server: (PathBuf, PathBuf),
    client: (PathBuf, PathBuf),
}

impl Certificates {
    fn create(directory: &Path) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let write = |name: &str, text: String| -> anyhow::Result<PathBuf> {
            let path = directory.join(name);
            std::fs::write(&path, text)?;
            Ok(path)
        };
        let leaf = |name: &str, host: &str| -> anyhow::Result<(PathBuf, PathBuf)> {
            let key = KeyPair::generate()?;
            let certificate = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &ca)?;
            Ok((
                write(&format!("{name}.pem"), certificate.pem())?,
                write(&format!("{name}.key"), key.serialize_pem())?,
            ))
        };
        Ok(Self {
            server: leaf("server", "127.0.0.1")?,
            client: leaf("client", "worker-1")?,
            ca: write("ca.pem", ca.pem())?,
        })
    }

    fn client(&self, identity: bool) -> anyhow::Result<Client> {
        let _already_installed = rustls::crypto::ring::default_provider().install_default();
        let ca = reqwest::Certificate::from_pem(&std::fs::read(&self.ca)?)?;
        let mut builder = reqwest::Client::builder().tls_certs_only([ca]);
        if identity {
            let pem = [std::fs::read(&self.client.0)?, std::fs::read(&self.client.1)?].concat();
            builder = builder.identity(reqwest::Identity::from_pem(&pem)?);
        }
        Ok(Client::with(builder))
    }
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn auth() -> String {
    let row = |name: &str, token: &str, rest: &str| {
        format!("    - {{name: {name}, sha256: {}, {rest}}}\n", hash(token))
    };
    [
        "auth:\n  tokens:\n".to_owned(),
        row("shipper", SHIPPER, "tenant: acme, permissions: [ingest]"),
        row("reader", READER, "tenant: acme, permissions: [read]"),
        row("narrow", NARROW, "tenant: acme, permissions: [read], filter: 'kubernetes.namespace=payments'"),
        row("stranger", STRANGER, "tenant: globex, permissions: [ingest, read, admin]"),
    ]
    .concat()
}

/// The collector over TLS with a client certificate and a token; without any of the three nothing gets in.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_ships_over_mutual_tls_with_a_token() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let certificates = Certificates::create(directory.path())?;
    let tls = format!(
        "tls:\n  cert: {}\n  key: {}\n  client_ca: {}\n",
        certificates.server.0.display(),
        certificates.server.1.display(),
        certificates.ca.display()
    );
    let options = ServerOptions {
        config: Some(auth() + &tls),
        client: certificates.client(true)?,
        ..ServerOptions::default()
    };
    let server = Server::start_with(options).await?;
    assert!(server.url().starts_with("https://"), "{}", server.url());
    assert!(
        certificates.client(false)?.at(server.url()).get("/health/live").await.is_err(),
        "no client certificate"
    );
    assert_eq!(server.client().get_status("/api/search?q=*").await?, 401);

    let log = directory.path().join("auth.log");
    std::fs::write(
        &log,
        "Nov 24 08:00:00 node-1 sshd[1]: Failed password for root from 203.0.113.77 port 4 ssh2\n",
    )?;
    let token = directory.path().join("token");
    std::fs::write(&token, format!("{SHIPPER}\n"))?;
    let config = format!(
        "indexer: {{urls: [\"https://127.0.0.1:1\", \"{}\"], token_file: {}, ca_file: {}, cert_file: {}, key_file: {}}}\n\
         state: {}\nmetrics_listen: \"127.0.0.1:0\"\nsources:\n  - {{type: file, paths: [\"{}\"]}}\n",
        server.url(),
        token.display(),
        certificates.ca.display(),
        certificates.client.0.display(),
        certificates.client.1.display(),
        directory.path().join("state").display(),
        log.display(),
    );
    let mut collector = Collector::start(directory.path(), &config)?;
    let reader = server.client().token(READER);
    eventually(Duration::from_secs(30), async || {
        collector.process().check_alive()?;
        let found = reader.count("source.ip=203.0.113.77 event.outcome:failure").await?;
        anyhow::ensure!(found == 1, "{found} found:\n{}", collector.process().output());
        Ok(())
    })
    .await?;
    collector.check_conservation().await?;
    assert!(!collector.process().output().contains(SHIPPER), "the token is in the collector's log");
    Ok(())
}

/// Permissions, tenants and row filters hold on every face.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_what_is_not_theirs() -> anyhow::Result<()> {
    let options = ServerOptions { config: Some(auth()), ..ServerOptions::default() };
    let mut server = Server::start_with(options).await?;
    let with = |token: &str| server.client().token(token);
    let body = "{\"message\":\"shown\",\"kubernetes\":{\"namespace\":\"payments\"}}\n\
                {\"message\":\"hidden\",\"kubernetes\":{\"namespace\":\"secret-ns\"}}\n";
    with(SHIPPER).ingest("", body).await?;
    let (shipper, reader, narrow, stranger) = (with(SHIPPER), with(READER), with(NARROW), with(STRANGER));
    assert_eq!(shipper.get_status("/api/search?q=*").await?, 403);
    assert_eq!(reader.post("/ingest/ndjson", &[], "{}").await?.status, 403);
    assert_eq!(reader.post("/api/admin/seal", &[], "").await?.status, 403);
    assert_eq!(with("lcd_wrong").get_status("/api/search?q=*").await?, 401);

    for sealed in [false, true] {
        if sealed {
            assert!(stranger.post("/api/admin/seal", &[], "").await?.status < 300);
        }
        assert_eq!(reader.count("*").await?, 2);
        assert_eq!(narrow.count("*").await?, 1);
        assert_eq!(narrow.count("hidden OR *").await?, 1);
        assert_eq!(stranger.count("*").await?, 0);
        let hidden =
            reader.search(json!({"q": "hidden"})).await?["events"][0]["_id"].as_str().unwrap().to_owned();
        for blind in [&narrow, &stranger] {
            for path in [
                format!("/api/events/{hidden}"),
                format!("/api/events/{hidden}/context"),
                "/api/fields/kubernetes.namespace/values".to_owned(),
                "/api/fields".to_owned(),
                "/api/search?q=*%20%7C%20stats%20count()%20by%20kubernetes.namespace".to_owned(),
            ] {
                let answer = blind.get(&path).await?;
                assert!(!answer.text.contains("secret-ns"), "{path}: {}", answer.text);
            }
        }
    }
    let output = server.process().output();
    for token in [SHIPPER, READER, STRANGER, NARROW] {
        assert!(!output.contains(token), "a token is in the log");
    }
    Ok(())
}

/// What is open when a token expires ends then, and says why: the tail of a client, and the command line with exit code 2.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_tail_ends_when_its_token_expires() -> anyhow::Result<()> {
    const LIFE: Duration = Duration::from_secs(10);
    let now = || -> anyhow::Result<Timestamp> {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos();
        Ok(Timestamp::from_nanos(i64::try_from(nanos)?))
    };
    let expires = now()?.plus_nanos(i64::try_from(LIFE.as_nanos())?);
    let row = |name, token, rest: &str| format!("    - {{name: {name}, sha256: {}, {rest}}}\n", hash(token));
    let config = [
        "auth:\n  tokens:\n".to_owned(),
        row("reader", READER, &format!("permissions: [read], expires: {expires}")),
        row("shipper", SHIPPER, "permissions: [ingest]"),
    ]
    .concat();
    let server =
        Server::start_with(ServerOptions { config: Some(config), ..ServerOptions::default() }).await?;
    server.client().token(SHIPPER).ingest("", "{\"message\":\"x\"}").await?;
    let tail = server.client().token(READER);
    let tail = tokio::spawn(async move { tail.get("/api/tail").await });
    let mut command = tokio::process::Command::new(locard_tests::process::binary("locard")?);
    command.args(["tail", "--url", server.url()]).env("LOCARD_TOKEN", READER);
    let command = tokio::time::timeout(4 * LIFE, command.output()).await??;
    let said = String::from_utf8_lossy(&command.stderr);
    assert_eq!(command.status.code(), Some(2), "{said}");
    assert!(said.contains("the tail ended: the token has expired"), "{said}");
    let tail = tokio::time::timeout(4 * LIFE, tail).await???;
    assert_eq!(tail.status, 200);
    assert!(
        tail.text.ends_with("event: end\ndata: {\"because\":\"the token has expired\"}\n\n"),
        "{}",
        tail.text
    );
    assert!(now()? >= expires, "it ended before its time");
    assert_eq!(server.client().token(READER).get_status("/api/search").await?, 401);
    Ok(())
}

/// Replaced certificate files are taken by a running server; half of a pair is not, and the log says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_certificate_is_taken_once_it_is_whole() -> anyhow::Result<()> {
    let (old, new) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (served, renewed) = (Certificates::create(old.path())?, Certificates::create(new.path())?);
    let (cert, key) = &served.server;
    let tls = format!("tls: {{cert: {}, key: {}}}\n", cert.display(), key.display());
    let (before, after) = (served.client(false)?, renewed.client(false)?);
    let config = Some(tls);
    let mut server =
        Server::start_with(ServerOptions { config, client: before, ..ServerOptions::default() }).await?;
    let url = server.url().to_owned();
    // A client anew each time, for a connection that is new.
    let trusts = async |certificates: &Certificates| -> anyhow::Result<bool> {
        Ok(certificates.client(false)?.at(&url).get("/health/live").await.is_ok())
    };
    assert!(trusts(&served).await? && !trusts(&renewed).await?);

    std::fs::copy(&renewed.server.0, cert)?;
    eventually(Duration::from_secs(30), async || {
        let output = server.process().output();
        anyhow::ensure!(
            output.contains("the changed certificate cannot be used; the old one stays"),
            "{output}"
        );
        Ok(())
    })
    .await?;
    assert!(trusts(&served).await? && !trusts(&renewed).await?, "half a pair must not be taken");

    std::fs::copy(&renewed.server.1, key)?;
    eventually(Duration::from_secs(30), async || {
        anyhow::ensure!(trusts(&renewed).await?, "the new certificate is not served yet");
        Ok(())
    })
    .await?;
    assert!(!trusts(&served).await?, "the old certificate is served still");
    assert_eq!(after.at(&url).get_status("/health/ready").await?, 200);
    assert!(server.process().output().contains("the certificate was read again"));
    Ok(())
}
