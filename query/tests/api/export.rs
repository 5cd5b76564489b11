//! Exports: everything, of one moment, in several formats, and what is said of it.

use std::io::Read as _;

use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use locard_event::Timestamp;
use locard_indexer::Principal;
use locard_query::api::Limits;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::parquet;
use crate::server::{Server, address, damage, of, somebody, time};

/// All that there are.
pub const FORMATS: [&str; 5] = ["ndjson", "json", "csv", "raw", "parquet"];

pub struct Export {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: HeaderMap,
}

impl Export {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// All but the summary, and that.
    fn lines(&self) -> (Vec<Value>, Value) {
        let mut lines: Vec<Value> =
            self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let summary = lines.pop().unwrap()["_summary"].take();
        assert!(summary.is_object(), "no summary: {}", self.text());
        (lines, summary)
    }
}

pub async fn export(server: &Server, who: &Principal, parameters: &[(&str, &str)]) -> Export {
    export_until(server, who, parameters, usize::MAX).await
}

/// As a client whose connection breaks once it has so many bytes.
pub async fn export_until(
    server: &Server,
    who: &Principal,
    parameters: &[(&str, &str)],
    most: usize,
) -> Export {
    let request = Request::get(address("/api/export", parameters)).body(Body::empty()).unwrap();
    let (parts, mut body) = server.respond(who, request).await.into_parts();
    let (mut bytes, mut trailers) = (Vec::new(), HeaderMap::new());
    while bytes.len() < most
        && let Some(frame) = body.frame().await
    {
        match frame.unwrap().into_data() {
            Ok(data) => bytes.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().unwrap(),
        }
    }
    bytes.truncate(most);
    Export { status: parts.status, headers: parts.headers, body: bytes, trailers }
}

pub fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn object(n: i64) -> Value {
    json!({"time": time(n % 977), "message": format!("event {n} from 10.0.{}.{}", n / 256 % 256, n % 256), "host": format!("h{}", n % 3), "n": n})
}

/// Sealed events, hot ones, and some that are filed among them.
pub async fn filled(events: i64) -> Server {
    let server = Server::start().await;
    let objects: Vec<Value> = (0..events).map(object).collect();
    let (sealed, hot) = objects.split_at(objects.len() * 2 / 3);
    server.ingest(&somebody(), sealed).await;
    server.indexer.seal().await.unwrap();
    server.ingest(&somebody(), hot).await;
    server
}

#[tokio::test]
async fn an_export_is_all_of_one_moment_and_says_what_it_was() {
    let server = filled(300).await;
    let found = export(&server, &somebody(), &[("q", "*")]).await;
    let (events, summary) = found.lines();
    assert_eq!((events.len(), &summary["count"]), (300, &json!(300)));
    assert_eq!((&summary["complete"], &summary["cursor"]), (&json!(true), &Value::Null));
    let before = &found.body[..found.text().trim_end().rfind('\n').unwrap() + 1];
    assert_eq!(summary["sha256"], json!(hex(before)));
    assert_eq!(found.trailers["locard-sha256"], hex(before));
    assert_eq!(
        (&found.trailers["locard-count"], &found.trailers["locard-complete"]),
        (&"300".parse().unwrap(), &"true".parse().unwrap())
    );
    assert_eq!(found.header("content-disposition"), "attachment; filename=\"locard-export.ndjson\"");
    // It is what a search finds.
    let search = Request::get("/api/search?limit=1000").header("accept", "application/x-ndjson");
    let search = server.send(&somebody(), search.body(Body::empty()).unwrap()).await;
    assert_eq!(search.text.as_bytes(), before);
    let manifest = format!("/api/export/{}/manifest", found.header("locard-export"));
    let said = server.ask(&somebody(), &manifest, &[]).await;
    assert_eq!(
        (&said["state"], &said["count"], &said["sha256"]),
        (&json!("done"), &json!(300), &json!(hex(before)))
    );
    assert_eq!(server.get(&of("other", None), &manifest).await.status, 404);
}

/// Twice interrupted, with more arriving and being sealed meanwhile, it is byte for byte the same.
#[tokio::test]
async fn an_export_goes_on_where_it_was_interrupted() {
    const EVENTS: i64 = 30_000;
    let server = filled(EVENTS).await;
    for (q, order) in [("*", "desc"), ("*", "asc"), ("NOT n:7 | eval m=n*2", "desc")] {
        let ask = [("q", q), ("order", order)];
        let whole = export(&server, &somebody(), &ask).await;
        let cursor = whole.header("locard-cursor").to_owned();
        let mut parts = Vec::new();
        for (part, most) in [700_000, 1_900_000, usize::MAX].into_iter().enumerate() {
            let last = parts.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            parts.truncate(last);
            let line = parts.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let after = serde_json::from_slice::<Value>(line).ok();
            let after = after.as_ref().map_or("", |event| event["_id"].as_str().unwrap());
            let ask = [("q", q), ("cursor", &cursor), ("after", after)];
            parts.extend(export_until(&server, &somebody(), &ask, most).await.body);
            // Between all others in time.
            server.ingest(&somebody(), &(0..200).map(object).collect::<Vec<_>>()).await;
            if part == 0 {
                server.indexer.seal().await.unwrap();
            }
        }
        let events = |body: &[u8]| {
            body[..body.trim_ascii_end().iter().rposition(|byte| *byte == b'\n').unwrap()].to_vec()
        };
        assert!(events(&parts) == events(&whole.body), "{q} {order}: not the same");
    }
}

#[tokio::test]
async fn every_format_goes_on_behind_the_bytes_there_are() {
    let server = filled(3_000).await;
    for q in ["*", "* | fields host, n", "* | sort n | fields n", "* | stats count(), sum(n) by host"] {
        for format in FORMATS {
            let whole = export(&server, &somebody(), &[("q", q), ("format", format)]).await;
            assert_eq!(whole.status, 200, "{q} {format}");
            let cursor = whole.header("locard-cursor").to_owned();
            server.ingest(&somebody(), &[object(1)]).await;
            for have in [0, 1, whole.body.len() / 2, whole.body.len()] {
                let offset = have.to_string();
                let ask = [("q", q), ("format", format), ("cursor", &cursor), ("offset", &offset)];
                let rest = export(&server, &somebody(), &ask).await;
                assert!(rest.body == whole.body[have..], "{q} {format} {have}");
                assert_eq!(rest.trailers, whole.trailers, "{q} {format} {have}");
            }
        }
    }
}

#[tokio::test]
async fn formats_say_the_same() {
    let server = Server::start().await;
    let objects = [
        json!({"time": time(0), "message": "=one", "host": "a", "n": 1, "tags": ["x", "y"]}),
        json!({"time": time(1), "message": "two, \"2\"", "host": "b", "n": -2.5}),
    ];
    server.ingest(&somebody(), &objects).await;
    server.indexer.seal().await.unwrap();
    let text = async |parameters: &[(&str, &str)]| {
        let found = export(&server, &somebody(), parameters).await;
        assert_eq!(found.status, 200, "{}", found.text());
        found.text().to_owned()
    };
    let fields = ("fields", "message,n,tags,none");
    assert_eq!(
        text(&[("format", "csv"), fields]).await,
        "message,n,tags,none\r\n\"two, \"\"2\"\"\",-2.5,,\r\n'=one,1,\"[\"\"x\"\",\"\"y\"\"]\",\r\n"
    );
    let header = text(&[("format", "csv")]).await.lines().next().unwrap().to_owned();
    assert_eq!(header, "_id,@timestamp,message,_stream,event.dataset,event.ingested,host,n,tags");
    assert_eq!(text(&[("format", "raw"), ("order", "asc")]).await, "=one\ntwo, \"2\"\n");
    let array: Value = serde_json::from_str(&text(&[("format", "json")]).await).unwrap();
    let search = server.search(&[]).await;
    assert_eq!(array, search["events"]);
    assert_eq!(text(&[("format", "json"), ("q", "nothing")]).await, "[]\n");
    let rows = [("q", "* | stats count() as n by host"), ("format", "csv")];
    assert_eq!(text(&rows).await, "host,n\r\na,1\r\nb,1\r\n");
    let narrow: Value = serde_json::from_str(&text(&[("format", "json"), ("fields", "n")]).await).unwrap();
    assert_eq!(narrow[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["@timestamp", "_id", "n"]);
    let (_, summary) = export(&server, &somebody(), &[("limit", "1")]).await.lines();
    let (events, _) =
        export(&server, &somebody(), &[("cursor", summary["cursor"].as_str().unwrap())]).await.lines();
    assert_eq!(events[0]["message"], json!("=one"));
}

#[tokio::test]
async fn a_packed_export_is_the_same_export() {
    let server = filled(500).await;
    let plain = export(&server, &somebody(), &[("format", "raw")]).await;
    let packed = async |parameters: &[(&str, &str)], coding: &str| {
        let request = Request::get(address("/api/export", parameters)).header("accept-encoding", coding);
        let response = server.respond(&somebody(), request.body(Body::empty()).unwrap()).await;
        let (parts, body) = response.into_parts();
        (parts.headers, body.collect().await.unwrap().to_bytes())
    };
    let zstd = |bytes: &[u8]| zstd::stream::decode_all(bytes).unwrap();
    let (headers, bytes) = packed(&[("format", "raw"), ("compress", "zstd")], "gzip").await;
    assert_eq!(
        (&headers["content-type"], &headers["content-encoding"]),
        (&"application/zstd".parse().unwrap(), &"identity".parse().unwrap())
    );
    assert_eq!(headers["content-disposition"], "attachment; filename=\"locard-export.log.zst\"");
    assert_eq!(zstd(&bytes), plain.body);
    let (headers, bytes) = packed(&[("format", "raw")], "gzip, zstd").await;
    assert_eq!(
        (&headers["content-type"], &headers["content-encoding"]),
        (&"text/plain".parse().unwrap(), &"zstd".parse().unwrap())
    );
    assert_eq!(zstd(&bytes), plain.body);
    let (_, bytes) = packed(&[("format", "raw"), ("compress", "gzip")], "").await;
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
}

#[tokio::test]
async fn what_may_not_be_seen_is_not_exported() {
    let server = filled(90).await;
    let narrow = of("default", Some("host:h1"));
    for format in FORMATS {
        let found = export(&server, &narrow, &[("q", "* OR host:h2"), ("format", format)]).await;
        assert_eq!(found.trailers["locard-count"], "30", "{format}");
        let text = if format == "parquet" { parquet::text(&found.body) } else { found.text().to_owned() };
        assert!(text.contains("event 1 ") && !text.contains("event 2 "), "{format}");
    }
    let other = export(&server, &somebody(), &[("order", "asc"), ("limit", "1")]).await;
    let hidden = other.lines().0[0]["_id"].as_str().unwrap().to_owned();
    assert_eq!(export(&server, &narrow, &[("after", &hidden)]).await.status, 404);
    let nobody = Principal { permissions: [].into(), ..somebody() };
    assert_eq!(export(&server, &nobody, &[]).await.status, 403);
}

#[tokio::test]
async fn a_split_that_cannot_be_read_is_said_everywhere() {
    let server = filled(90).await;
    let directory = server.stop().await;
    damage(directory.path());
    let server = Server::open(directory, Limits::default()).await;
    server
        .ingest(
            &somebody(),
            &[json!({"time": Timestamp::from_seconds(1_790_000_500).to_string(), "message": "new"})],
        )
        .await;
    for format in FORMATS {
        let found = export(&server, &somebody(), &[("format", format)]).await;
        assert_eq!(found.trailers["locard-complete"], "false", "{format}");
        let because = found.trailers["locard-incomplete-because"].to_str().unwrap();
        assert!(because.contains("could not be read"), "{because}");
        let manifest = format!("/api/export/{}/manifest", found.header("locard-export"));
        assert_eq!(server.ask(&somebody(), &manifest, &[]).await["incomplete_because"], json!(because));
        if format == "parquet" {
            let said = parquet::said(&found.body);
            assert_eq!((&*said["locard.complete"], &*said["locard.incomplete_because"]), ("false", because));
        }
        if format == "ndjson" {
            let (events, summary) = found.lines();
            assert!(events.iter().any(|event| event["message"] == "new"));
            assert_eq!(
                (&summary["complete"], &summary["incomplete_because"]),
                (&json!(false), &json!(because))
            );
        }
    }
}

#[tokio::test]
async fn an_export_out_of_time_says_so_in_every_format() {
    let server = filled(90).await;
    for format in FORMATS {
        let found = export(&server, &somebody(), &[("format", format), ("timeout", "0s")]).await;
        assert_eq!(found.trailers["locard-complete"], "false", "{format}");
        let because = found.trailers["locard-incomplete-because"].to_str().unwrap();
        assert!(because.contains("deadline"), "{format}: {because}");
        let whole = export(&server, &somebody(), &[("format", format), ("timeout", "60s")]).await;
        assert_eq!(whole.trailers["locard-count"], "90", "{format}");
        assert_eq!(whole.trailers["locard-complete"], "true", "{format}");
        assert!(!whole.trailers.contains_key("locard-incomplete-because"), "{format}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let server = filled(3).await;
    let cursor = export(&server, &somebody(), &[]).await.header("locard-cursor").to_owned();
    for (parameters, parameter) in [
        (vec![("q", "(")], "q"),
        (vec![("format", "xml")], "format"),
        (vec![("compress", "lzma")], "compress"),
        (vec![("compress", "gzip"), ("format", "parquet")], "compress"),
        (vec![("fields", &*",a".repeat(1_001)), ("format", "parquet")], "fields"),
        (vec![("cursor", "1.d.0.0.0-0")], "cursor"),
        (vec![("cursor", &*cursor), ("order", "asc")], "cursor"),
        (vec![("offset", "5")], "offset"),
        (vec![("cursor", &*cursor), ("offset", "5"), ("after", "0-1")], "offset"),
        (vec![("after", "0-1"), ("format", "raw")], "after"),
        (vec![("after", "0-1"), ("q", "* | sort n")], "cursor"),
    ] {
        let found = export(&server, &somebody(), &parameters).await;
        let problem: Value = serde_json::from_slice(&found.body).unwrap();
        assert_eq!(
            (found.status.as_u16(), &problem["parameter"]),
            (400, &json!(parameter)),
            "{parameters:?}"
        );
    }
}
