//! The layers without a socket, and a real server on a port of its own.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use locard_event::Timestamp;
use locard_indexer::{Permission, Principal};
use prometheus_client::registry::Registry;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;

use super::gate::Gate;
use super::metrics::Metrics;
use super::*;
use crate::cli::install_provider;
use crate::config::{Config, HttpLimits, Settings, Token, hash_token};

const SECRET: &str = "lcd_secret";

fn limits() -> HttpLimits {
    HttpLimits { max_body_bytes: 100, ..Settings::resolve(&Config::default()).unwrap().http }
}

fn token() -> Token {
    Token { sha256: hash_token(SECRET), principal: Principal::loopback(), expires: None }
}

/// The layers around a few routes, ready or not.
fn app(authority: &Authority, ready: bool) -> Router {
    app_without(authority, ready, 0)
}

/// As [`app`], where this many splits cannot be read.
fn app_without(authority: &Authority, ready: bool, unreadable: u64) -> Router {
    let gate = Gate::default();
    if ready {
        let routes = Router::new()
            .route("/api/panic", get(|| async { panic!("secret reason") as () }))
            .route("/api/echo", post(|body: axum::body::Bytes| async { body }))
            .route("/api/endless", get(|| async { Body::from_stream(endless()) }))
            .route("/api/long", get(|| async { "x".repeat(5000) }));
        gate.open(app::inner(routes, Registry::with_prefix("locard").into(), authority), move || unreadable);
    }
    app::outer(&gate, authority, &Metrics::default(), &limits())
}

fn endless() -> impl futures_util::Stream<Item = std::io::Result<&'static str>> {
    futures_util::stream::pending()
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn problem(&self) -> Value {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn ask(app: Router, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut builder = Request::builder().method(method).uri(path).header("host", "localhost:7514");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let mut request = builder.body(Body::from(body.to_owned())).unwrap();
    request.extensions_mut().insert(Peer("127.0.0.1:9".parse().unwrap()));
    let response = app.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

async fn open(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    ask(app(&Authority::new(Vec::new()), true), method, path, headers, body).await
}

#[tokio::test]
async fn every_refusal_is_a_problem() {
    for (method, path, body, status, detail) in [
        ("GET", "/api/none", "", 404, "there is nothing at /api/none"),
        ("POST", "/nowhere", "", 404, "there is nothing at /nowhere"),
        ("GET", "/assets/none.js", "", 404, "there is nothing at /assets/none.js"),
        ("DELETE", "/api/echo", "", 405, "/api/echo does not take DELETE"),
        ("POST", "/api/echo", &"x".repeat(101), 413, "the body is larger than 100 bytes"),
        ("GET", "/api/panic", "", 500, "this is a defect in the server; its log says more"),
    ] {
        let answer = open(method, path, &[], body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let problem = answer.problem();
        assert_eq!((&problem["detail"], &problem["status"]), (&detail.into(), &status.into()));
    }
    assert_eq!(open("DELETE", "/api/echo", &[], "").await.headers[header::ALLOW], "POST");
    assert_eq!(open("POST", "/api/echo", &[], &"x".repeat(100)).await.body.len(), 100);
}

#[tokio::test]
async fn every_answer_is_locked_down() {
    for path in ["/", "/api/none", "/health/live", "/api/panic"] {
        let headers = open("GET", path, &[], "").await.headers;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(headers[header::REFERRER_POLICY], "no-referrer");
        assert!(headers.contains_key(header::CACHE_CONTROL), "{path}");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN), "{path}");
    }
}

#[tokio::test]
async fn while_the_log_is_replayed_only_life_is_shown() {
    let closed = || app(&Authority::new(Vec::new()), false);
    for (path, status) in [("/health/live", 200), ("/health/ready", 503), ("/api/long", 503), ("/", 503)] {
        let answer = ask(closed(), "GET", path, &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        if status == 503 {
            assert_eq!(answer.headers[header::RETRY_AFTER], "1");
            answer.problem();
        }
    }
    assert_eq!(open("GET", "/health/ready", &[], "").await.status, 200);
}

#[tokio::test]
async fn a_server_that_cannot_read_everything_is_not_ready() {
    let lacking = app_without(&Authority::new(Vec::new()), true, 3);
    let answer = ask(lacking.clone(), "GET", "/health/ready", &[], "").await;
    assert_eq!(answer.status, 503);
    let problem = answer.problem();
    assert_eq!(problem["unreadable_splits"], 3);
    assert!(problem["detail"].as_str().unwrap().contains("3 splits cannot be read"), "{problem}");
    for path in ["/health/live", "/api/long"] {
        assert_eq!(ask(lacking.clone(), "GET", path, &[], "").await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn with_tokens_everything_but_health_and_the_console_needs_one() {
    let app = || app(&Authority::new(vec![token()]), true);
    for (path, status) in [
        ("/api/long", 401),
        ("/metrics", 401),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/", 200),
        ("/status", 200),
        ("/healthz", 404),
        ("/-/ready", 404),
    ] {
        let answer = ask(app(), "GET", path, &[], "").await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        if status == 401 {
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
            answer.problem();
        }
    }
    let bearer = format!("Bearer {SECRET}");
    for (value, status) in [(bearer.as_str(), 200), ("Bearer lcd_guess", 401), ("Basic !!", 401)] {
        assert_eq!(
            ask(app(), "GET", "/api/long", &[("authorization", value)], "").await.status.as_u16(),
            status
        );
    }
}

#[tokio::test]
async fn the_numbers_of_all_tenants_are_for_admins() {
    for (permission, status) in [(Permission::Read, 403), (Permission::Ingest, 403), (Permission::Admin, 200)]
    {
        let principal = Principal { permissions: [permission].into(), ..Principal::loopback() };
        let authority = Authority::new(vec![Token { principal, ..token() }]);
        let bearer = format!("Bearer {SECRET}");
        let answer = ask(app(&authority, true), "GET", "/metrics", &[("authorization", &bearer)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{permission:?}");
    }
    assert_eq!(open("GET", "/metrics", &[], "").await.status, 200);
}

#[tokio::test]
async fn an_answer_does_not_outlive_its_token() {
    let expires = Timestamp::from_nanos(crate::now().nanos() + 2_000_000_000);
    let app = app(&Authority::new(vec![Token { expires: Some(expires), ..token() }]), true);
    let mut request =
        Request::builder().uri("/api/endless").header("authorization", format!("Bearer {SECRET}"));
    request = request.header("host", "localhost");
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = tokio::time::timeout(Duration::from_secs(20), response.into_body().collect()).await;
    assert!(body.expect("the answer went on").is_err(), "a part must not look like the whole");
    assert!(crate::now() >= expires);
}

#[tokio::test]
async fn strange_pages_are_refused() {
    for headers in [&[("host", "attacker.example")], &[("origin", "https://attacker.example")]] {
        let mut builder = Request::builder().method("POST").uri("/api/echo");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let mut request = builder.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer("127.0.0.1:9".parse().unwrap()));
        let response = app(&Authority::new(Vec::new()), true).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 403, "{headers:?}");
    }
}

#[tokio::test]
async fn the_console_is_asked_for_once() {
    let first = open("GET", "/", &[], "").await;
    let etag = first.headers[header::ETAG].to_str().unwrap().to_owned();
    let again = open("GET", "/", &[("if-none-match", &etag)], "").await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(open("GET", "/", &[("if-none-match", "\"other\"")], "").await.status, 200);
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_takes_it() {
    let answer = open("GET", "/api/long", &[("accept-encoding", "gzip")], "").await;
    assert_eq!(answer.headers[header::CONTENT_ENCODING], "gzip");
    assert!(answer.body.len() < 500);
    assert_eq!(open("GET", "/api/long", &[], "").await.body.len(), 5000);
}

/// A real server on a port of its own.
async fn start(edit: impl FnOnce(&mut Settings)) -> (Running, String, tempfile::TempDir) {
    install_provider();
    let directory = tempfile::tempdir().unwrap();
    let config = Config {
        data: Some(directory.path().join("data")),
        listen: "127.0.0.1:0".into(),
        ..Config::default()
    };
    let mut settings = Settings::resolve(&config).unwrap();
    edit(&mut settings);
    let server = Server::bind(settings).await.unwrap();
    let url = server.url();
    (server.start(|_| {}).await.unwrap(), url, directory)
}

fn address(url: &str) -> &str {
    url.split("://").nth(1).unwrap()
}

#[tokio::test]
async fn who_does_not_finish_a_request_head_is_cut_off() {
    let (running, url, _directory) =
        start(|settings| settings.http.header_timeout = Duration::from_millis(100)).await;
    for head in ["", "P", "GET / HTTP/1.1\r\nhost: localhost\r\nx-slow:"] {
        let mut stream = tokio::net::TcpStream::connect(address(&url)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
        assert!(read.is_ok(), "{head:?} kept the connection");
    }
    running.stop().await;
}

#[tokio::test]
async fn who_takes_nothing_of_the_answers_is_cut_off() {
    let edit = |settings: &mut Settings| {
        settings.http.write_timeout = Duration::from_millis(100);
        settings.http.header_timeout = Duration::from_secs(600);
    };
    let (running, url, _directory) = start(edit).await;
    let mut stream = tokio::net::TcpStream::connect(address(&url)).await.unwrap();
    // Asks on and reads nothing, until the answers fill all buffers and then the questions do.
    let asking =
        async { while stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.is_ok() {} };
    assert!(tokio::time::timeout(Duration::from_secs(30), asking).await.is_ok(), "the connection was kept");
    running.stop().await;
}

#[tokio::test]
async fn the_routers_answer_and_metrics_of_every_part_are_shown() {
    let (running, url, _directory) = start(|_| {}).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let status = client.get(format!("{url}/api/status")).send().await.unwrap();
    assert_eq!(status.status(), 200);
    let metrics = client.get(format!("{url}/metrics")).send().await.unwrap().text().await.unwrap();
    for name in ["locard_http_requests_total{status=\"200\"} 1", "locard_query_running", "# EOF"] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_stop_ends_live_tails_and_returns() {
    let (running, url, _directory) =
        start(|settings| settings.http.shutdown_timeout = Duration::from_secs(60)).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let tail = client.get(format!("{url}/api/tail?q=*")).send().await.unwrap();
    assert_eq!(tail.status(), 200);
    let (stopped, rest) =
        tokio::join!(tokio::time::timeout(Duration::from_secs(20), running.stop()), tail.bytes());
    assert!(stopped.is_ok());
    rest.unwrap();
    assert!(client.get(format!("{url}/health/live")).send().await.is_err());
}

/// The private address is for one token; the public one does not know it.
#[tokio::test]
async fn a_private_address_is_for_its_token_alone() {
    install_provider();
    let directory = tempfile::tempdir().unwrap();
    let config =
        Config { data: Some(directory.path().into()), listen: "127.0.0.1:0".into(), ..Config::default() };
    let mut settings = Settings::resolve(&config).unwrap();
    settings.tokens = vec![Token { sha256: hash_token("lcd_public"), ..token() }];
    let mut server = Server::bind(settings).await.unwrap();
    let (public, private) = (server.url(), server.open_private(token()).await.unwrap());
    let running = server.start(|_| {}).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for (url, secret, status) in [
        (&public, "lcd_public", 200),
        (&public, SECRET, 401),
        (&private, SECRET, 200),
        (&private, "lcd_public", 401),
    ] {
        let answer = client.get(format!("{url}/api/status")).bearer_auth(secret).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{secret} at {url}");
    }
    running.stop().await;
}

mod certificates {
    use std::path::Path;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    use super::*;
    use crate::config::TlsFiles;
    use crate::serve::tls::Tls;

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// Certificate and key, in PEM.
    fn leaf(authority: &Authority, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    fn write(directory: &Path, authority: &Authority) -> TlsFiles {
        let files = TlsFiles {
            cert: directory.join("cert.pem"),
            key: directory.join("key.pem"),
            client_ca: Some(directory.join("ca.pem")),
        };
        let (certificate, key) = leaf(authority, "127.0.0.1");
        std::fs::write(&files.cert, certificate).unwrap();
        std::fs::write(&files.key, key).unwrap();
        std::fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
        files
    }

    fn client(authority: &Authority, identity: bool) -> reqwest::Client {
        let ca = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([ca]);
        let (certificate, key) = leaf(authority, "worker-1");
        let pem = [certificate, key].concat();
        let own = || reqwest::Identity::from_pem(pem.as_bytes()).unwrap();
        if identity { builder.identity(own()) } else { builder }.build().unwrap()
    }

    #[tokio::test]
    async fn a_client_certificate_is_required_where_authorities_are_named() {
        install_provider();
        let authority = authority();
        let directory = tempfile::tempdir().unwrap();
        let files = write(directory.path(), &authority);
        let (running, url, _data) = start(|settings| settings.tls = Some(files)).await;
        assert!(url.starts_with("https://"), "{url}");
        let live = format!("{url}/health/live");
        assert_eq!(client(&authority, true).get(&live).send().await.unwrap().status(), 200);
        assert!(client(&authority, false).get(&live).send().await.is_err());
        running.stop().await;
    }

    #[test]
    fn changed_files_are_taken_and_broken_ones_are_not() {
        install_provider();
        let directory = tempfile::tempdir().unwrap();
        let files = write(directory.path(), &authority());
        let tls = Tls::load(&files).unwrap();
        let config = |tls: &Tls| std::sync::Arc::as_ptr(tls.acceptor().config());
        let first = config(&tls);
        std::fs::write(&files.key, "broken").unwrap();
        assert!(!tls.reload());
        assert_eq!(config(&tls), first);
        write(directory.path(), &authority());
        assert!(tls.reload());
        assert_ne!(config(&tls), first);
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        install_provider();
        let directory = tempfile::tempdir().unwrap();
        let mut files = write(directory.path(), &authority());
        files.cert = directory.path().join("none.pem");
        let error = Tls::load(&files).unwrap_err().to_string();
        assert!(error.contains("none.pem"), "{error}");
        files.cert = directory.path().join("key.pem");
        let error = Tls::load(&files).unwrap_err().to_string();
        assert!(error.contains("there is no certificate in it"), "{error}");
    }
}
