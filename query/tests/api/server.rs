//! A server under test: an indexer, the router, and principals to ask as.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use locard_event::Timestamp;
use locard_indexer::{
    Delivery, Door, Indexer, Keep, Permission, Principal, Retention, Rule, Settings, Tenant,
};
use locard_query::api::{Context, Limits, router};
use locard_query::search::Metrics;
use locard_wire::Encoding;
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub struct Server {
    pub directory: TempDir,
    pub indexer: Arc<Indexer>,
    pub shutdown: CancellationToken,
    router: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::open(tempfile::tempdir().unwrap(), limits).await
    }

    pub async fn open(directory: TempDir, limits: Limits) -> Self {
        let settings = Settings::at(directory.path());
        Self::open_with(directory, settings, limits).await
    }

    /// Where these rules of retention tell events apart.
    pub async fn ruled(rules: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let rules = rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect();
        let common = Keep { rules, ..Keep::default() };
        let retention = Retention { common, ..Retention::default() };
        let settings = Settings { retention, ..Settings::at(directory.path()) };
        Self::open_with(directory, settings, Limits::default()).await
    }

    async fn open_with(directory: TempDir, settings: Settings, limits: Limits) -> Self {
        let indexer = Indexer::open(settings).await.unwrap();
        let shutdown = CancellationToken::new();
        let context = Context {
            indexer: Arc::clone(&indexer),
            limits,
            metrics: Metrics::default(),
            shutdown: shutdown.clone(),
        };
        Self { directory, indexer, shutdown, router: router(context) }
    }

    /// Shuts down and lets go of the directory.
    pub async fn stop(self) -> TempDir {
        self.indexer.close().await;
        self.directory
    }

    /// Accepts objects, one a line, labelled by `host` and `app`.
    pub async fn ingest(&self, principal: &Principal, objects: &[Value]) {
        let body: String = objects.iter().map(|object| format!("{object}\n")).collect();
        let door = Door::Ndjson {
            time_fields: vec!["time".into()],
            message_fields: vec!["message".into()],
            stream_fields: vec!["host".into(), "app".into()],
            dataset: "test".into(),
            keep_original: false,
        };
        let delivery = Delivery { door, encoding: Encoding::Identity, batch: None, body: body.into() };
        let ack = self.indexer.ingest(principal, delivery).await.unwrap();
        assert_eq!(ack.accepted, objects.len() as u64, "{ack:?}");
    }

    pub async fn respond(&self, principal: &Principal, request: Request<Body>) -> http::Response<Body> {
        let router = self.router.clone().layer(axum::Extension(principal.clone()));
        router.oneshot(request).await.unwrap()
    }

    pub async fn send(&self, principal: &Principal, request: Request<Body>) -> Answer {
        let (parts, body) = self.respond(principal, request).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        // A packed answer is no text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub async fn get(&self, principal: &Principal, path: &str) -> Answer {
        self.send(principal, Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A GET that must succeed, with parameters to be encoded.
    pub async fn ask(&self, principal: &Principal, path: &str, parameters: &[(&str, &str)]) -> Value {
        let answer = self.get(principal, &address(path, parameters)).await;
        assert_eq!(answer.status, 200, "{path} {parameters:?}: {}", answer.text);
        answer.json()
    }

    pub async fn search(&self, parameters: &[(&str, &str)]) -> Value {
        self.ask(&somebody(), "/api/search", parameters).await
    }
}

pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value)));
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

pub fn somebody() -> Principal {
    Principal::loopback()
}

/// Somebody of a tenant, who may see what matches `filter`.
pub fn of(tenant: &str, filter: Option<&str>) -> Principal {
    Principal {
        name: tenant.into(),
        tenant: Tenant::parse(tenant).unwrap(),
        permissions: [Permission::Ingest, Permission::Read].into(),
        filter: filter.map(|filter| Arc::new(locard_filter::parse(filter).unwrap())),
    }
}

pub fn time(seconds: i64) -> String {
    Timestamp::from_seconds(1_790_000_000 + seconds).to_string()
}

#[track_caller]
pub fn messages(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap_or_else(|| panic!("no events: {answer}"));
    events.iter().map(|event| event["message"].as_str().unwrap()).collect()
}

/// Every file that is neither the log, nor the catalog, nor a lock.
fn objects(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                directories.push(path);
            } else if name.ends_with(".split") {
                found.push(path);
            }
        }
    }
    found
}

/// Makes every split unreadable.
pub fn damage(directory: &Path) {
    let splits = objects(directory);
    assert!(!splits.is_empty(), "no split object in {directory:?}");
    for split in splits {
        std::fs::write(split, b"not a split").unwrap();
    }
}
