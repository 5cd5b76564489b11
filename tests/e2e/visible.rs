use locard_tests::Server;
use serde_json::json;

/// Promise 1: acked = durable = searchable. No wait between the 2xx and the search.
#[tokio::test(flavor = "multi_thread")]
async fn an_acked_event_is_found_at_once() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    for round in 0..200 {
        let name = format!("needle{round}x");
        let line = json!({"message": format!("the {name} is in here"), "round": round}).to_string();
        let ack = client.ingest("", line).await?;
        assert_eq!(ack["accepted"], 1, "{ack}");
        let answer = client.search(json!({"q": name})).await?;
        assert_eq!(answer["matched"], json!({"value": 1, "exact": true}), "round {round}: {answer}");
        assert_eq!(answer["complete"], true);
        assert_eq!(answer["events"][0]["round"], round);
        if round % 50 == 49 {
            let sealed = client.post("/api/admin/seal", &[], "").await?;
            assert!(sealed.status < 300, "{} {}", sealed.status, sealed.text);
        }
    }
    assert_eq!(client.count("needle*").await?, 200);
    Ok(())
}

/// The same through the OTLP door, in JSON as a client without protobuf sends it.
#[tokio::test(flavor = "multi_thread")]
async fn an_acked_otlp_record_is_found_at_once() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let body = json!({"resourceLogs": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]},
        "scopeLogs": [{"scope": {}, "logRecords": [{
            "timeUnixNano": "1764000000123456789",
            "severityText": "ERROR",
            "traceId": "5b8efff798038103d269b633813fc60c",
            "body": {"stringValue": "payment refused"},
            "attributes": [
                {"key": "http.response.status_code", "value": {"intValue": "502"}},
                {"key": "retries", "value": {"arrayValue": {"values": [{"intValue": 1}, {"intValue": 2}]}}},
            ],
        }]}],
    }]});
    let answer = client.post("/v1/logs", &[("content-type", "application/json")], body.to_string()).await?;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let query = "service.name=checkout http.response.status_code>=500 retries:2 log.level:error";
    let found = client.search(json!({"q": query})).await?;
    assert_eq!(found["matched"]["value"], 1, "{found}");
    let event = &found["events"][0];
    assert_eq!(event["message"], "payment refused");
    assert_eq!(event["@timestamp"], "2025-11-24T16:00:00.123456789Z");
    assert_eq!(event["trace.id"], "5b8efff798038103d269b633813fc60c");
    assert_eq!(event["retries"], json!([1, 2]));
    Ok(())
}

/// A named batch that comes again gets the first answer and adds nothing, across a restart too.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_batch_gets_the_first_answer() -> anyhow::Result<()> {
    let mut server = Server::start().await?;
    let client = server.client();
    let headers = [("x-locard-batch", "shipper-1/0-99")];
    let body = "{\"message\":\"once\"}\nnot json\n{\"message\":\"only\"}\n";
    let first = client.post("/ingest/ndjson", &headers, body).await?;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(first.json()?["accepted"], 2);
    assert_eq!(first.json()?["rejected"][0]["line"], 2);
    assert!(!first.headers.contains_key("x-locard-repeated"));
    for sealed in [false, true, false] {
        if sealed {
            assert!(client.post("/api/admin/seal", &[], "").await?.status < 300);
        }
        server.kill().await?;
        server.restart().await?;
        let again = client.post("/ingest/ndjson", &headers, body).await?;
        assert_eq!((again.status, again.json()?), (first.status, first.json()?));
        assert_eq!(again.headers["x-locard-repeated"], "true");
        assert_eq!(client.count("*").await?, 2);
    }
    Ok(())
}

/// A body of which nothing was accepted leaves its name free: the sender corrects it and sends it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_batch_may_be_corrected() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let client = server.client();
    let headers = [("x-locard-batch", "shipper-2/0-0")];
    assert_eq!(client.post("/ingest/ndjson", &headers, "broken").await?.status, 400);
    let corrected = client.post("/ingest/ndjson", &headers, "{\"message\":\"mended\"}").await?;
    assert_eq!(corrected.status, 200, "{}", corrected.text);
    assert_eq!(client.count("mended").await?, 1);
    Ok(())
}
