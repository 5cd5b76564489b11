//! The HTTP doors as a client sees them: statuses, media types, answers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::{Extension, Router};
use http::{Request, Response};
use http_body_util::BodyExt;
use locard_event::{Event, Stream, Timestamp};
use locard_indexer::{Indexer, Permission, Principal, Settings, Status, Tenant, router};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Server {
    indexer: Arc<Indexer>,
    router: Router,
    _place: tempfile::TempDir,
}

async fn server_for(principal: Principal) -> Server {
    server_with(principal, |_| {}).await
}

async fn server_with(principal: Principal, change: impl FnOnce(&mut Settings)) -> Server {
    let place = tempfile::tempdir().unwrap();
    let mut limits =
        Settings { max_body_bytes: 10_000, max_decompressed_bytes: 20_000, ..Settings::at(place.path()) };
    change(&mut limits);
    let indexer = Indexer::open(limits).await.unwrap();
    let router = router(Arc::clone(&indexer)).layer(Extension(principal));
    Server { indexer, router, _place: place }
}

async fn server() -> Server {
    server_for(Principal::loopback()).await
}

impl Server {
    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        Answer::read(response).await
    }

    /// Polls until the status is so, or fails.
    async fn until(&self, holds: impl Fn(&Status) -> bool) {
        let held = locard_tests::eventually(Duration::from_secs(20), async || {
            let status = self.indexer.status();
            anyhow::ensure!(holds(&status), "{status:?}");
            Ok(())
        });
        held.await.unwrap();
    }

    fn hot(&self) -> Vec<Event> {
        let view = self.indexer.view(&Tenant::default());
        view.hot.iter().flat_map(|batch| batch.iter().cloned()).collect()
    }
}

struct Answer {
    status: u16,
    content_type: String,
    retry_after: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    async fn read(response: Response<Body>) -> Self {
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (content_type, retry_after) = (header("content-type").unwrap_or_default(), header("retry-after"));
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes().to_vec();
        Self { status, content_type, retry_after, body }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    fn check_problem(&self, status: u16, detail: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!((self.status, self.content_type.as_str()), (status, "application/problem+json"), "{text}");
        assert!(self.json()["detail"].as_str().unwrap().contains(detail), "{text}");
    }
}

#[tokio::test]
async fn good_lines_are_accepted_and_bad_ones_listed() {
    let server = server().await;
    let answer = server.post("/ingest/ndjson", &[], "{\"msg\":\"a\"}\n\n[1]\n{\"msg\":\"b\"}\n").await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
    let reason = "the line is an array, not a JSON object";
    assert_eq!(answer.json(), json!({"accepted": 2, "rejected": [{"line": 3, "reason": reason}]}));
    assert_eq!(server.hot().len(), 2);
    let answer = server.post("/ingest/ndjson", &[], "").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"accepted": 0, "rejected": []})));
}

#[tokio::test]
async fn a_body_without_a_good_line_is_refused_with_the_line() {
    let server = server().await;
    let answer = server.post("/ingest/ndjson", &[], "\nnope\nnope\n").await;
    answer.check_problem(400, "line 2");
    assert_eq!(answer.json()["line"], 2);
    assert_eq!(answer.json()["rejected"].as_array().unwrap().len(), 2);
    assert_eq!(server.hot().len(), 0);
}

#[tokio::test]
async fn parameters_say_what_members_mean() {
    let server = server().await;
    let path = "/ingest/ndjson?time_field=at&message_field=text,body&stream_fields=app,pod&dataset=my.app&keep_original=true";
    let line = r#"{"at": 1764000000, "body":"hello", "app":"a1", "pod":{"name":"p"}, "n":7}"#;
    assert_eq!(server.post(path, &[], line).await.json()["accepted"], 1);
    let event = server.hot().remove(0);
    assert_eq!(event.time, Timestamp::from_seconds(1_764_000_000));
    assert_eq!(event.message, "hello");
    let labels: Vec<_> = event.stream.iter().collect();
    assert_eq!(labels, [("app", "a1"), ("event.dataset", "my.app"), ("pod.name", "p")]);
    assert_eq!(event.get("n").unwrap().text(), "7");
    assert_eq!(event.get("event.original").unwrap().text(), line);
}

#[tokio::test]
async fn a_wrong_parameter_is_named_with_what_was_probably_meant() {
    let server = server().await;
    for (query, detail) in [
        ("stream_field=a", "there is no parameter `stream_field`; did you mean `stream_fields`?"),
        ("datset=x", "did you mean `dataset`?"),
        ("nonsense=x", "it takes time_field, message_field"),
        ("dataset=../x", "`dataset` must be 1 to 255 bytes"),
        ("keep_original=yes", "`keep_original` must be true or false"),
        ("dataset=a&dataset=b", "`dataset` is given twice"),
    ] {
        server.post(&format!("/ingest/ndjson?{query}"), &[], "{}").await.check_problem(400, detail);
    }
    assert_eq!(server.hot().len(), 0);
}

/// More senders than there is room for: who comes too much is told so before its body is read.
#[tokio::test]
async fn room_is_taken_before_a_body_is_read() {
    let server = server_with(Principal::loopback(), |limits| limits.queue_bytes = 15_000).await;
    let (body, _never) = never_ending("{");
    let held = tokio::spawn({
        let router = server.router.clone();
        let request = Request::post("/ingest/ndjson").header("content-length", "10000").body(body).unwrap();
        async move { router.oneshot(request).await.unwrap() }
    });
    server.until(|status| status.queue_bytes == 10_000).await;
    let answer = server.post("/ingest/ndjson", &[("content-length", "9000")], Body::from("{}")).await;
    answer.check_problem(429, "waiting");
    assert_eq!(answer.retry_after.as_deref(), Some("1"));
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("x".repeat(9_000))]);
    server.post("/ingest/ndjson", &[], Body::from_stream(chunks)).await.check_problem(429, "waiting");
    // Expanding takes room too.
    let bomb = locard_wire::compress(&vec![b' '; 19_000]).unwrap();
    server.post("/ingest/ndjson", &[("content-encoding", "zstd")], bomb).await.check_problem(429, "waiting");
    assert_eq!(server.post("/ingest/ndjson", &[], "{\"msg\":\"small\"}").await.status, 200);
    held.abort();
    server.until(|status| status.queue_bytes == 0).await;
    assert_eq!(server.post("/ingest/ndjson", &[("content-length", "9000")], "{}").await.status, 200);
}

/// A body that says `first` and then nothing for as long as the other half is kept.
fn never_ending(first: &'static str) -> (Body, tokio::sync::mpsc::Sender<&'static str>) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<&'static str>(1);
    sender.try_send(first).unwrap();
    let next = move |context: &mut std::task::Context<'_>| {
        receiver.poll_recv(context).map(|chunk| chunk.map(Ok::<_, std::io::Error>))
    };
    (Body::from_stream(futures_util::stream::poll_fn(next)), sender)
}

#[tokio::test]
async fn an_otlp_record_of_a_bad_dataset_is_refused_alone() {
    let server = server().await;
    let event = |dataset: &str, message: &'static str| {
        let stream = Arc::new(Stream::new([("event.dataset", dataset)]));
        Event::new(Timestamp::from_seconds(1_764_000_000), stream, message)
    };
    let mut events = vec![event("app", "good")];
    events.extend((0..150).map(|_| event("../etc", "bad")));
    let headers = [("content-type", "application/x-protobuf")];
    let answer = server.post("/v1/logs", &headers, locard_wire::encode(&events)).await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8_lossy(&answer.body);
    assert!(text.contains("record 2: `event.dataset` is `../etc`"), "{text}");
    // ExportLogsPartialSuccess.rejected_log_records = 150.
    assert!(answer.body.windows(3).any(|three| three == [0x08, 150, 1]), "{:?}", answer.body);
    assert_eq!(server.hot().len(), 1);
}

#[tokio::test]
async fn encodings_are_expanded_and_capped() {
    let server = server().await;
    let plain = b"{\"msg\":\"a\"}".to_vec();
    let zstd = |plain: &[u8]| locard_wire::compress(plain).unwrap();
    let answer = server.post("/ingest/ndjson", &[("content-encoding", "zstd")], zstd(&plain)).await;
    assert_eq!(answer.status, 200);
    let mut gzip = Vec::new();
    // A gzip member with one stored block, made by hand: this crate has no gzip encoder.
    gzip.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1]).unwrap();
    gzip.write_all(&(plain.len() as u16).to_le_bytes()).unwrap();
    gzip.write_all(&(!(plain.len() as u16)).to_le_bytes()).unwrap();
    gzip.write_all(&plain).unwrap();
    gzip.write_all(&crc32(&plain).to_le_bytes()).unwrap();
    gzip.write_all(&(plain.len() as u32).to_le_bytes()).unwrap();
    let answer = server.post("/ingest/ndjson", &[("content-encoding", "gzip")], gzip).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(server.hot().len(), 2);
    let bomb = zstd(&vec![b' '; 20_001]);
    server.post("/ingest/ndjson", &[("content-encoding", "zstd")], bomb).await.check_problem(413, "20000");
    server.post("/ingest/ndjson", &[("content-encoding", "zstd")], plain).await.check_problem(400, "zstd");
    server.post("/ingest/ndjson", &[("content-encoding", "br")], "x").await.check_problem(415, "zstd");
}

/// CRC-32 of ISO 3309, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_with_and_without_a_length() {
    let server = server().await;
    server.post("/ingest/ndjson", &[("content-length", "10001")], "").await.check_problem(413, "10000");
    let large = "x".repeat(10_001);
    let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>(large)]);
    server.post("/ingest/ndjson", &[], Body::from_stream(chunks)).await.check_problem(413, "10000");
}

#[tokio::test]
async fn a_repeated_batch_gets_the_same_answer() {
    let server = server().await;
    let headers = [("x-locard-batch", "file-1/0-20")];
    let first = server.post("/ingest/ndjson", &headers, "{\"msg\":\"a\"}\nx").await;
    let again = server.post("/ingest/ndjson", &headers, "{\"msg\":\"a\"}\nx").await;
    assert_eq!(first.body, again.body);
    assert_eq!(server.hot().len(), 1);
    server
        .post("/ingest/ndjson", &[("x-locard-batch", "nonsense")], "{}")
        .await
        .check_problem(400, "source/first-last");
}

#[tokio::test]
async fn otlp_answers_in_the_encoding_it_was_asked_in() {
    let server = server().await;
    let stream = Arc::new(Stream::new([("host.name", "n1"), ("event.dataset", "app")]));
    let event = Event::new(Timestamp::from_seconds(1_764_000_000), stream, "hello");
    let body = locard_wire::encode(std::slice::from_ref(&event));
    let protobuf = [("content-type", "application/x-protobuf")];
    let answer = server.post("/v1/logs", &protobuf, body).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/x-protobuf"));
    assert_eq!(answer.body, b"");
    let found = server.hot().remove(0);
    assert_eq!((found.time, &found.message, &found.stream), (event.time, &event.message, &event.stream));
    let json = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1764000000000000000","body":{"stringValue":"two"}}]}]}]}"#;
    let answer = server.post("/v1/logs", &[("content-type", "application/json; charset=utf-8")], json).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
    assert_eq!(answer.json(), json!({}));
    assert_eq!(server.hot()[1].message, "two");
    server.post("/v1/logs", &protobuf, "\u{1}nonsense").await.check_problem(400, "protobuf");
    server.post("/v1/logs", &[("content-type", "application/json")], "{\n]").await.check_problem(400, "JSON");
    server.post("/v1/logs", &[("content-type", "text/plain")], "x").await.check_problem(415, "protobuf");
}

#[tokio::test]
async fn a_seal_empties_the_hot_part() {
    let server = server().await;
    server.post("/ingest/ndjson", &[], "{\"msg\":\"a\"}").await;
    assert_eq!(server.post("/api/admin/seal", &[], "").await.status, 204);
    let status = server.indexer.status();
    assert_eq!((status.hot_events, status.splits, status.split_events, status.wal_bytes), (0, 1, 1, 0));
}

#[tokio::test]
async fn every_door_asks_for_its_permission() {
    let reader = Principal { permissions: [Permission::Read].into(), ..Principal::loopback() };
    let server = server_for(reader).await;
    server.post("/ingest/ndjson", &[], "{}").await.check_problem(403, "ingest");
    server.post("/v1/logs", &[("content-type", "application/json")], "{}").await.check_problem(403, "ingest");
    server.post("/api/admin/seal", &[], "").await.check_problem(403, "admin");
    let indexer = Arc::clone(&server.indexer);
    let open = Server { router: router(indexer), ..server };
    open.post("/ingest/ndjson", &[], "{}").await.check_problem(401, "credential");
}

#[tokio::test]
async fn a_closed_indexer_says_when_to_come_back() {
    let server = server().await;
    server.indexer.close().await;
    let answer = server.post("/ingest/ndjson", &[], "{\"msg\":\"a\"}").await;
    answer.check_problem(503, "shutting down");
    assert_eq!(answer.retry_after.as_deref(), Some("5"));
}

#[tokio::test]
async fn what_happens_is_counted() {
    let server = server().await;
    let mut registry = prometheus_client::registry::Registry::with_prefix("locard");
    server.indexer.register_metrics(&mut registry);
    let headers = [("x-locard-batch", "file-1/0-20")];
    for _ in 0..2 {
        server.post("/ingest/ndjson", &headers, "{\"msg\":\"a\"}\nx\ny").await;
    }
    server.post("/ingest/ndjson", &[("content-encoding", "zstd")], "x").await;
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        r#"locard_indexer_accepted_events_total{door="ndjson"} 1"#,
        r#"locard_indexer_rejected_lines_total{door="ndjson"} 2"#,
        r#"locard_indexer_received_bytes_total{door="ndjson"} 15"#,
        r#"locard_indexer_refused_batches_total{reason="malformed"} 1"#,
        "locard_indexer_repeated_batches_total 1",
        "locard_indexer_wal_sync_seconds_count 1",
        "locard_indexer_hot_events 1",
        "locard_indexer_wal_segments 1",
        "locard_indexer_refusing 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

const CHANNEL: (&str, &str) = ("x-splunk-request-channel", "FE0ECFAD-13D5-401B-847D-77833BD77131");

#[tokio::test]
async fn splunks_collector_answers_in_its_own_words() {
    let server = server().await;
    for path in ["/services/collector", "/services/collector/event", "/services/collector/event/1.0"] {
        let answer = server.post(path, &[], r#"{"event":"a"}{"event":{"message":"b"}}"#).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"text": "Success", "code": 0})));
    }
    let answer = server.post("/services/collector/raw/1.0?host=h", &[], "one\ntwo\n").await;
    assert_eq!(answer.status, 200);
    assert_eq!(server.hot().len(), 8);
    for (body, code, text, number) in [
        ("", 5, "No data", None),
        (r#"{"event":"a"}{"event":}"#, 6, "Invalid data format", Some(1)),
        (r#"{"event":"a","index":"A B"}"#, 7, "Incorrect index", Some(0)),
        (r#"{"time":1}"#, 12, "Event field is required", Some(0)),
        (r#"{"event":""}"#, 13, "Event field cannot be blank", Some(0)),
    ] {
        let answer = server.post("/services/collector", &[], body).await;
        let mut expected = json!({"text": text, "code": code});
        if let Some(number) = number {
            expected["invalid-event-number"] = number.into();
        }
        assert_eq!((answer.status, answer.json()), (400, expected), "{body}");
    }
    assert_eq!(server.hot().len(), 8);
    let long = "x".repeat(10_001);
    assert_eq!(server.post("/services/collector/raw", &[], long).await.json()["code"], 27);
}

#[tokio::test]
async fn splunks_acknowledgements_are_about_what_is_durable() {
    let server = server().await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let answer = server.post("/services/collector", &[CHANNEL], r#"{"event":"a"}{"event":"b"}"#).await;
        ids.push(answer.json()["ackId"].as_u64().unwrap());
    }
    assert_eq!(ids, [0, 2]);
    let asked = server.post("/services/collector/ack", &[CHANNEL], r#"{"acks":[0,2,4]}"#).await;
    assert_eq!(asked.json(), json!({"acks": {"0": true, "2": true, "4": false}}));
    assert_eq!(server.post("/services/collector/ack", &[], r#"{"acks":[0]}"#).await.json()["code"], 10);
    let bad = server.post("/services/collector?channel=7", &[], r#"{"event":"a"}"#).await;
    assert_eq!((bad.status, bad.json()["code"].as_u64()), (400, Some(11)));
    let health = Request::get("/services/collector/health").body(Body::empty()).unwrap();
    let health = Answer::read(server.router.clone().oneshot(health).await.unwrap()).await;
    assert_eq!((health.status, health.json()["code"].as_u64()), (200, Some(17)));
}

#[tokio::test]
async fn a_repeat_through_any_door_gets_the_first_answer() {
    let server = server().await;
    for (path, kind, body) in [
        ("/services/collector", "application/json", r#"{"event":"a"}"#),
        ("/ingest/k8s-audit", "application/json", r#"{"items":[{"auditID":"a","stage":"Panic"}]}"#),
        (
            "/loki/api/v1/push",
            "application/json",
            r#"{"streams":[{"stream":{},"values":[["1764000000000000000","x"]]}]}"#,
        ),
    ] {
        let name = format!("{path}/0-9");
        let batch = ("x-locard-batch", name.as_str());
        let before = server.hot().len();
        let first = server.post(path, &[CHANNEL, batch, ("content-type", kind)], body).await;
        let second = server.post(path, &[CHANNEL, batch, ("content-type", kind)], body).await;
        assert_eq!((first.status, &first.body), (second.status, &second.body), "{path}");
        assert!(first.status < 300, "{path}");
        assert_eq!(server.hot().len(), before + 1, "{path}");
    }
}

#[tokio::test]
async fn loki_takes_json_and_snappy_protobuf() {
    let server = server().await;
    let json = r#"{"streams":[{"stream":{"app":"a"},"values":[["1764000000000000000","one"]]}]}"#;
    let kind = ("content-type", "application/json; charset=utf-8");
    let answer = server.post("/loki/api/v1/push", &[kind], json).await;
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    let gzipped = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(json.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let answer = server.post("/loki/api/v1/push", &[kind, ("content-encoding", "gzip")], gzipped).await;
    assert_eq!(answer.status, 204);
    // A stream {app="a"} of one line "two", as prost writes it, and that in snappy's raw format as one literal.
    let line = [&b"\x0a\x06\x08\x80\x82\x92\xc9\x06\x12\x03two"[..]].concat();
    let stream = [&b"\x0a\x09{app=\"a\"}\x12"[..], &[line.len() as u8], &line].concat();
    let push = [&[0x0a, stream.len() as u8][..], &stream].concat();
    let snapped = [&[push.len() as u8, ((push.len() - 1) << 2) as u8][..], &push].concat();
    let protobuf = ("content-type", "application/x-protobuf");
    let answer = server.post("/loki/api/v1/push", &[protobuf], snapped).await;
    assert_eq!(answer.status, 204, "{}", String::from_utf8_lossy(&answer.body));
    let events = server.hot();
    let lines: Vec<_> = events.iter().map(|event| String::from_utf8_lossy(&event.message)).collect();
    assert_eq!(lines, ["one", "one", "two"]);
    assert!(events.iter().all(|event| event.stream.get("app") == Some("a")));
    server.post("/loki/api/v1/push", &[kind], "{}").await.check_problem(400, "push request");
    server
        .post("/loki/api/v1/push", &[("content-type", "text/plain")], "x")
        .await
        .check_problem(415, "application/json");
}

#[tokio::test]
async fn lists_of_audit_events_come_from_api_servers() {
    let server = server().await;
    let list = r#"{"kind":"EventList","items":[{"auditID":"a","stage":"Panic","verb":"get"},{"auditID":"b","stage":"Panic"}]}"#;
    let answer = server.post("/ingest/k8s-audit", &[("content-type", "application/json")], list).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"accepted": 2, "rejected": []})));
    assert_eq!(server.hot()[0].get("kubernetes.audit.verb").unwrap().text(), "get");
    server.post("/ingest/k8s-audit", &[], "nonsense").await.check_problem(400, "audit");
}
