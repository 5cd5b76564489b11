//! What splits are asked to group for themselves gives the same rows as the events one by one: on random queries over random events.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::server::{Server, somebody, time};

const FILTERS: [&str; 8] = [
    "*",
    "n>3",
    "user:root",
    "NOT user:*",
    "failed",
    "ip:10.0.0.0/30 OR odd:1",
    "host:h1 -failed",
    "took>=2 n<15",
];
/// What is done to events before they are grouped.
const STEPS: [&str; 12] = [
    "where n>2",
    "where user:* OR odd=2",
    "eval n=n%5",
    "eval kind=if(took>2, \"slow\", user), both=concat(host, \"/\", user)",
    "eval user=null",
    "rename user as who, host as user",
    "rename ip as user",
    "rex field=ip \"(?P<last>\\d+)$\"",
    "rex field=user \"^(?P<user>.)\"",
    "fields -user",
    "fields user, n, ip, took",
    "lookup people name as user output team, floor as odd",
];
const GROUPINGS: [&str; 16] = [
    "stats count()",
    "stats count(), dc(user), min(n), max(took) by host",
    "stats sum(took), avg(n), median(took) by user, odd",
    "stats count() by kind, last, team",
    "stats count(), dc(ip) by ip/30",
    "stats p90(n), count(odd) by who",
    "stats count() by both",
    "stats sum(n) by missing",
    "top 3 user, host",
    "top 20 odd",
    "rare 4 ip",
    "rare team, last",
    "timechart span=1m count() by user limit=2",
    "timechart span=5m sum(n), dc(ip)",
    "timechart span=2m count() by kind",
    "stats max(n) as n by host | sort -n | where n>5",
];

fn object() -> impl Strategy<Value = Value> {
    let user = prop_oneof![
        Just(json!(null)),
        prop::sample::select(&["root", "alice", "bob"][..]).prop_map(Value::from),
        Just(json!(["root", "bob"])),
        Just(json!(7)),
    ];
    let odd =
        prop_oneof![Just(json!(1)), Just(json!("1")), Just(json!(2.5)), Just(json!(true)), Just(json!(null))];
    let parts = (0i64..20, user, odd, 0u8..6, prop::option::of(0i32..50), 0u8..3, any::<bool>());
    parts.prop_map(|(n, user, odd, ip, took, host, failed)| {
        let message = if failed { "login failed for someone" } else { "all is well" };
        let mut object = json!({
            "time": time(n * 31), "message": message, "host": format!("h{host}"), "n": n, "user": user, "odd": odd,
            "ip": format!("10.0.0.{ip}"),
        });
        if let Some(took) = took {
            object["took"] = json!(f64::from(took) / 10.0);
        }
        object
    })
}

fn query() -> impl Strategy<Value = (String, String)> {
    let steps = prop::collection::vec(prop::sample::select(&STEPS[..]), 0..4);
    (prop::sample::select(&FILTERS[..]), steps, prop::sample::select(&GROUPINGS[..])).prop_map(
        |(filter, steps, grouping)| {
            let pipes: Vec<&str> = steps.into_iter().chain([grouping]).collect();
            (filter.to_owned(), pipes.join(" | "))
        },
    )
}

#[test]
fn groups_of_splits_and_events_one_by_one_make_the_same_rows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 16, failure_persistence: None, ..Config::default() });
    let cases = (prop::collection::vec(object(), 1..80), prop::collection::vec(query(), 12));
    runner
        .run(&cases, |(objects, queries)| {
            let (hot, sealed) = runtime.block_on(servers(&objects));
            for (filter, pipes) in queries {
                let pushed = format!("{filter} | {pipes}");
                // Nothing is pushed down behind `dedup`, and no two events have one id.
                let one_by_one = format!("{filter} | dedup _id | {pipes}");
                let expected = runtime.block_on(rows(&hot, &one_by_one));
                for (server, q) in [(&hot, &pushed), (&sealed, &pushed), (&sealed, &one_by_one)] {
                    prop_assert_eq!(&runtime.block_on(rows(server, q)), &expected, "{}", q);
                }
            }
            Ok(())
        })
        .unwrap();
}

async fn servers(objects: &[Value]) -> (Server, Server) {
    let (hot, sealed) = (Server::start().await, Server::start().await);
    for server in [&hot, &sealed] {
        let csv = "name,team,floor\nroot,ops,1\nbob,dev,2\n7,odd,2.5\n";
        let request = http::Request::put("/api/lookups/people").body(axum::body::Body::from(csv)).unwrap();
        assert_eq!(server.send(&somebody(), request).await.status, 200);
        server.ingest(&somebody(), objects).await;
    }
    sealed.indexer.seal().await.unwrap();
    (hot, sealed)
}

/// The rows. What the filter matched may differ: a `where` that comes first is joined to it.
async fn rows(server: &Server, q: &str) -> Value {
    let answer = server.search(&[("q", q)]).await;
    assert_eq!(answer["complete"], json!(true), "{q}: {answer}");
    answer["table"].clone()
}
