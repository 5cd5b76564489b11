//! Exports as Parquet, read back with the library that wrote them; others read them in tests/clients.

use std::collections::BTreeMap;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use locard_query::api::Limits;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Row;
use serde_json::{Value, json};

use crate::export::{export, filled, hex};
use crate::server::{Server, address, somebody, time};

fn open(file: &[u8]) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::copy_from_slice(file)).unwrap()
}

fn rows(file: &[u8]) -> Vec<Row> {
    open(file).get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

/// All cells as text.
pub fn text(file: &[u8]) -> String {
    rows(file).iter().map(|row| format!("{row}\n")).collect()
}

/// What the footer says.
pub fn said(file: &[u8]) -> BTreeMap<String, String> {
    let reader = open(file);
    let said = reader.metadata().file_metadata().key_value_metadata().unwrap();
    said.iter().map(|said| (said.key.clone(), said.value.clone().unwrap())).collect()
}

/// One column, as text.
fn column(file: &[u8], name: &str) -> Vec<String> {
    let cell = |row: &Row| {
        row.get_column_iter().find(|(own, _)| *own == name).map(|(_, cell)| cell.to_string()).unwrap()
    };
    rows(file).iter().map(cell).map(|cell| cell.trim_matches('"').to_owned()).collect()
}

#[tokio::test]
async fn a_file_has_the_events_of_a_search_and_says_what_it_is() {
    let server = filled(300).await;
    let found =
        export(&server, &somebody(), &[("q", "*"), ("format", "parquet"), ("end", "2100-01-01")]).await;
    assert_eq!(found.header("content-type"), "application/vnd.apache.parquet");
    assert_eq!(found.header("content-disposition"), "attachment; filename=\"locard-export.parquet\"");
    let search = server.search(&[("limit", "1000")]).await;
    let field = |name: &str| -> Vec<String> {
        let events = search["events"].as_array().unwrap();
        events.iter().map(|event| event[name].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(column(&found.body, "_id"), field("_id"));
    assert_eq!(column(&found.body, "message"), field("message"));
    assert_eq!(column(&found.body, "_stream"), field("_stream"));
    let said = said(&found.body);
    let cursor = found.header("locard-cursor");
    for (key, expected) in
        [("q", "*"), ("end", "2100-01-01"), ("count", "300"), ("complete", "true"), ("first_cursor", cursor)]
    {
        assert_eq!(said[&format!("locard.{key}")], expected, "{key}");
    }
    assert_eq!(found.trailers["locard-sha256"], hex(&found.body));
    let manifest = format!("/api/export/{}/manifest", found.header("locard-export"));
    let manifest = server.ask(&somebody(), &manifest, &[]).await;
    assert_eq!(
        (&manifest["sha256"], &manifest["count"], &manifest["bytes"]),
        (&json!(hex(&found.body)), &json!(300), &json!(found.body.len()))
    );
}

#[tokio::test]
async fn what_follows_an_event_is_a_file_of_its_own() {
    let server = filled(300).await;
    let whole = export(&server, &somebody(), &[("format", "parquet")]).await;
    let ids = column(&whole.body, "_id");
    let first = export(&server, &somebody(), &[("format", "parquet"), ("limit", "100")]).await;
    assert_eq!(column(&first.body, "_id"), ids[..100]);
    let said = said(&first.body);
    server.ingest(&somebody(), &[json!({"time": time(500), "message": "later"})]).await;
    server.indexer.seal().await.unwrap();
    let rest = [("format", "parquet"), ("cursor", &*said["locard.cursor"])];
    let rest = export(&server, &somebody(), &rest).await;
    assert_eq!(column(&rest.body, "_id"), ids[100..]);
    let cursor = whole.header("locard-cursor");
    let after = [("format", "parquet"), ("cursor", cursor), ("after", &*ids[200])];
    let after = export(&server, &somebody(), &after).await;
    assert_eq!(column(&after.body, "_id"), ids[201..]);
}

/// What is sealed meanwhile is written to the same bytes.
#[tokio::test]
async fn a_broken_transfer_goes_on_byte_for_byte() {
    let server = Server::start().await;
    let object = |n: i64| {
        json!({
            "time": time(n), "message": format!("event {n}"), "host": "a", "n": n, "tags": ["x", n], "source.ip": "10.0.0.1",
            "source.port": if n % 2 == 0 { json!(n) } else { json!(n.to_string()) }, "none": null, "ratio": n as f64 / 3.0,
        })
    };
    server.ingest(&somebody(), &(0..2_000).map(object).collect::<Vec<_>>()).await;
    let whole = export(&server, &somebody(), &[("format", "parquet")]).await;
    let cursor = whole.header("locard-cursor");
    server.ingest(&somebody(), &[object(77)]).await;
    server.indexer.seal().await.unwrap();
    for have in [0, 4, whole.body.len() / 2, whole.body.len() - 1] {
        let offset = have.to_string();
        let rest = [("format", "parquet"), ("cursor", cursor), ("offset", &*offset)];
        let rest = export(&server, &somebody(), &rest).await;
        assert!(rest.body == whole.body[have..], "{have}");
        assert_eq!(rest.trailers, whole.trailers, "{have}");
    }
}

#[tokio::test]
async fn rows_of_pipes_are_typed_by_what_they_are() {
    let server = filled(90).await;
    let q = "* | stats count() as n, avg(n) as mean by host | sort host";
    let found = export(&server, &somebody(), &[("q", q), ("format", "parquet")]).await;
    let reader = open(&found.body);
    let schema = reader.metadata().file_metadata().schema_descr();
    let types: Vec<String> = schema
        .columns()
        .iter()
        .map(|column| format!("{} {}", column.name(), column.physical_type()))
        .collect();
    assert_eq!(types, ["host BYTE_ARRAY", "n INT64", "mean DOUBLE"]);
    assert_eq!(column(&found.body, "host"), ["h0", "h1", "h2"]);
    assert_eq!(column(&found.body, "n"), ["30", "30", "30"]);
}

/// Asked for by media type, and never packed on its way, whatever the client takes.
#[tokio::test]
async fn it_is_packed_once() {
    let server = filled(30).await;
    let request = Request::get("/api/export")
        .header("accept", "application/vnd.apache.parquet")
        .header("accept-encoding", "gzip, zstd");
    let response = server.respond(&somebody(), request.body(Body::empty()).unwrap()).await;
    let (parts, body) = response.into_parts();
    assert_eq!(parts.headers["content-encoding"], "identity");
    assert_eq!(rows(&body.collect().await.unwrap().to_bytes()).len(), 30);
}

/// Long lines fill groups early; each is sent when it is full, long before the end.
#[tokio::test]
async fn groups_are_sent_as_they_fill() {
    let server = Server::with(Limits::default()).await;
    let noise = |n: u64| -> String {
        let mut state = n + 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 40) as u8 % 26)
        };
        (0..50_000).map(|_| next()).collect()
    };
    for first in (0..360).step_by(60) {
        let objects: Vec<Value> = (first..first + 60)
            .map(|n| json!({"time": time(n as i64), "message": noise(n), "host": "a"}))
            .collect();
        server.ingest(&somebody(), &objects).await;
    }
    let request = Request::get(address("/api/export", &[("format", "parquet")])).body(Body::empty()).unwrap();
    let mut body = server.respond(&somebody(), request).await.into_body();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.unwrap().into_data() {
            pieces.push(data);
        }
    }
    let sizes: Vec<usize> = pieces.iter().map(Bytes::len).collect();
    let largest = sizes.iter().max().unwrap();
    assert!(sizes.len() >= 2 && *largest < 16 << 20, "{sizes:?}");
    let file = pieces.concat();
    let reader = open(&file);
    assert_eq!((reader.num_row_groups(), rows(&file).len()), (2, 360));
}
