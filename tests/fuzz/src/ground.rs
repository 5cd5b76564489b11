//! [`Ground`]: the events, tables and servers that inputs are tried on. Always the same, the clock included.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use locard_event::{Event, EventId, Timestamp};
use locard_indexer::{Delivery, Door, Indexer, Principal, Settings};
use locard_query::api::{Context, Limits, router};
use locard_query::pipe::LookupTable;
use locard_query::search::Metrics;
use locard_wire::Encoding;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// When everything is asked.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const PEOPLE: &str = "name,team,floor\nroot,ops,1\nalice,dev,2\n7,odd,2.5\n";
const NETWORKS: &str = "net,zone,_time\n10.0.0.0/8,inside,1\n203.0.113.0/24,outside,2\n10.0.0.2,printer,\n";

/// The events, tables and servers that inputs are tried on.
#[derive(Debug)]
pub struct Ground {
    /// In the order of their ids.
    pub(crate) events: Vec<Event>,
    pub(crate) tables: Vec<(&'static str, Arc<LookupTable>)>,
    pair: OnceLock<Pair>,
}

impl Ground {
    /// Servers are started when the first input needs them.
    ///
    /// # Errors
    /// The events cannot be read.
    pub fn new() -> anyhow::Result<Self> {
        let (mut events, _) = delivery().read(NOW, &Settings::at("/nowhere"))?;
        for (event, sequence) in events.iter_mut().zip(0..) {
            event.id = Some(EventId::new(0, sequence));
        }
        let table = |text: &str| LookupTable::read(text.as_bytes()).map(Arc::new).map_err(anyhow::Error::msg);
        let tables = vec![("people", table(PEOPLE)?), ("networks", table(NETWORKS)?)];
        Ok(Self { events, tables, pair: OnceLock::new() })
    }

    /// Posts JSON to the server whose events are in memory, and the one whose events are in splits.
    pub(crate) fn ask(&self, path: &str, body: &[u8]) -> Result<[Answer; 2], String> {
        let pair = match self.pair.get() {
            Some(pair) => pair,
            None => {
                let pair = Pair::start().map_err(|error| format!("no server: {error:#}"))?;
                self.pair.get_or_init(|| pair)
            }
        };
        let answer = |side: &Side| {
            let request = Request::post(path).header(CONTENT_TYPE, "application/json");
            let request = request.body(Body::from(body.to_vec())).map_err(|error| error.to_string())?;
            pair.runtime.block_on(side.send(request))
        };
        Ok([answer(&pair.hot)?, answer(&pair.sealed)?])
    }
}

/// An answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

#[derive(Debug)]
struct Pair {
    runtime: Runtime,
    hot: Side,
    sealed: Side,
}

#[derive(Debug)]
struct Side {
    router: Router,
    _indexer: Arc<Indexer>,
    _directory: TempDir,
}

impl Pair {
    fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let hot = runtime.block_on(Side::start(false))?;
        let sealed = runtime.block_on(Side::start(true))?;
        Ok(Self { runtime, hot, sealed })
    }
}

impl Side {
    async fn start(sealed: bool) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let indexer = Indexer::open_at(Settings::at(directory.path()), Arc::new(|| NOW)).await?;
        let context = Context {
            indexer: Arc::clone(&indexer),
            limits: Limits { memory_bytes: 32 << 20, ..Limits::default() },
            metrics: Metrics::default(),
            shutdown: CancellationToken::new(),
        };
        let router = router(context).layer(axum::Extension(Principal::loopback()));
        indexer.ingest(&Principal::loopback(), delivery()).await?;
        if sealed {
            indexer.seal().await?;
        }
        let side = Self { router, _indexer: indexer, _directory: directory };
        for (name, text) in [("people", PEOPLE), ("networks", NETWORKS)] {
            let request = Request::put(format!("/api/lookups/{name}")).body(Body::from(text))?;
            let answer = side.send(request).await.map_err(anyhow::Error::msg)?;
            anyhow::ensure!(answer.status == 200, "{answer:?}");
        }
        Ok(side)
    }

    async fn send(&self, request: Request<Body>) -> Result<Answer, String> {
        let answer = self.router.clone().oneshot(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let body = serde_json::from_slice(&bytes)
            .map_err(|error| format!("an answer of {} is no JSON: {error}", parts.status))?;
        Ok(Answer { status: parts.status, body })
    }
}

/// The events as one delivery.
fn delivery() -> Delivery {
    let body: String = (0..60).map(|n| format!("{}\n", object(n))).collect();
    let door = Door::Ndjson {
        time_fields: vec!["time".into()],
        message_fields: vec!["message".into()],
        stream_fields: vec!["host.name".into(), "app".into()],
        dataset: "test".into(),
        keep_original: false,
    };
    Delivery { door, encoding: Encoding::Identity, batch: None, body: body.into() }
}

/// Event number `n`: some of everything that values can be.
fn object(n: i64) -> Value {
    let message = match n % 6 {
        0 => format!("Failed password for root from 203.0.113.{} port {}", n % 4, 22 + n),
        1 => format!("level=warn took={n}ms path=/api/v{n} user=\"al ice\" req_id=7f3a{n:04x}"),
        2 => json!({"a": n, "b": {"c": [n % 3, "x"]}, "msg": "nested json"}).to_string(),
        3 => format!("CEF:0|Vendor|Product|1.0|{n}|a \\| name|{}|src=10.0.0.{} msg=some text", n % 10, n % 5),
        4 => "Größe ist ΩΣ, İstanbul \u{202e}rtl\u{1b}[31m".to_owned(),
        _ => format!("GET /index.html?id={n} HTTP/1.1 200 {}", n * 17),
    };
    let mut object = json!({
        "time": NOW.plus_nanos((n - 60) * 47_000_000_000).to_string(), "message": message, "n": n,
        "host": {"name": format!("node-{}", n % 3)}, "app": if n % 2 == 0 { "web" } else { "db" },
        "source": {"ip": format!("10.0.{}.{}", n % 2, n % 7)},
    });
    let mut set = |name: &str, value: Value| {
        if let Some(members) = object.as_object_mut() {
            members.insert(name.into(), value);
        }
    };
    match n % 5 {
        0 => set("user", json!({"name": "root"})),
        1 => set("user", json!({"name": ["alice", "root"]})),
        2 => set("user", json!({"name": null})),
        3 => set("user", json!({"name": 7})),
        _ => {}
    }
    match n % 4 {
        0 => set("odd", json!(n % 3)),
        1 => set("odd", json!((n % 3).to_string())),
        2 => set("odd", json!(n as f64 / 2.0)),
        _ => set("odd", json!(n % 8 == 3)),
    }
    if n % 3 == 0 {
        set("took", json!(n as f64 * 0.25));
    }
    if n % 9 == 0 {
        set("when", json!("2026-03-01T12:00:00Z"));
        set("event", json!({"duration": n * 1_000_000_000}));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_accepted() {
        assert_eq!(Ground::new().unwrap().events.len(), 60);
    }
}
