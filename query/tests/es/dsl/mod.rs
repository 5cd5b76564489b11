//! Random queries of the DSL over random documents, hot and in splits, against what Elasticsearch's documentation says of each kind of
//! query, written a second time over the JSON documents ([`query`], [`text`], [`range`]). Shares no code with the server.

mod documents;
mod query;
mod range;
mod simple;
mod text;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use super::queries::{names, search};
use crate::server::{Server, somebody};

#[test]
fn hits_are_those_of_the_documents_read_one_by_one() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(16);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let input =
        (prop::collection::vec(documents::document(), 1..60), prop::collection::vec(query::query(), 24));
    let run = runner.run(&input, |(mut documents, queries)| {
        for (number, document) in documents.iter_mut().enumerate() {
            document["name"] = json!(format!("d{number}"));
        }
        let server = runtime.block_on(Server::start());
        runtime.block_on(server.ingest(&somebody(), &documents));
        for state in ["hot", "sealed"] {
            for query in &queries {
                let body =
                    json!({"query": query.to_json(), "size": 100, "sort": ["_doc"], "_source": ["name"]});
                let answer = runtime.block_on(search(&server, "/es/test/_search", &body));
                let mut found = names(&answer);
                found.sort_unstable();
                let holds = |(id, document): (usize, &serde_json::Value)| query.holds(document, id);
                let expected = documents.iter().enumerate().filter(|document| holds(*document));
                let mut expected: Vec<&str> =
                    expected.map(|(_, document)| document["name"].as_str().unwrap()).collect();
                expected.sort_unstable();
                prop_assert_eq!(found, expected, "{}: {} of {:?}", state, query.to_json(), documents);
            }
            runtime.block_on(server.indexer.seal()).unwrap();
        }
        Ok(())
    });
    run.unwrap();
}
