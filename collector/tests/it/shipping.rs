//! Trouble on the way to the indexer.

use std::time::{Duration, Instant};

use locard_collector::metrics::value;

use crate::indexer::{Indexer, Reply};
use crate::node::{Node, eventually, lines, numbered};

#[tokio::test]
async fn a_batch_whose_ack_was_lost_is_sent_again_as_the_same_batch() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.reply([
        Reply::TakeAndHangUp,
        Reply::Status(503, &[]),
        Reply::Status(500, &[]),
        Reply::TakeAndHangUp,
    ]);
    node.append("app.log", numbered(0..10));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..10))).await;
    node.check_conservation().await;
    assert_eq!((indexer.requests(), indexer.batches()), (5, 1));
    assert_eq!(value(&node.metrics.retries, "connect"), 2);
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.reply([Reply::Status(429, &[("retry-after", "1")])]);
    node.append("app.log", numbered(0..1));
    let started = Instant::now();
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..1))).await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(value(&node.metrics.retries, "busy"), 1);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_split() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.max_events(3);
    node.append("app.log", numbered(0..20));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..20))).await;
    node.check_conservation().await;
    assert_eq!(node.metrics.read_events.get(), 20);
}

#[tokio::test]
async fn an_event_that_is_refused_by_itself_is_put_into_quarantine() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.poison("line 7 ");
    node.append("app.log", numbered(0..20));
    node.start().await;
    let expected = lines(&numbered(0..20)).into_iter().filter(|line| !line.starts_with("line 7 ")).collect();
    node.check_lines(&indexer, expected).await;
    node.check_conservation().await;
    assert_eq!(value(&node.metrics.dropped_events, "refused"), 1);
    assert_eq!(std::fs::read_dir(node.path("state/quarantine")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_is_no_refusal_of_an_indexer_drops_nothing() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.reply([
        Reply::Status(400, &[]),
        Reply::Status(404, &[]),
        Reply::Status(401, &[]),
        Reply::Status(302, &[]),
    ]);
    node.append("app.log", numbered(0..2));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..2))).await;
    assert_eq!(value(&node.metrics.retries, "auth"), 1);
}

#[tokio::test]
async fn the_next_url_takes_over() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    // A port that was free a moment ago: nobody listens.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    node.config(|config| config.replace("urls: [", &format!("urls: ['http://{closed}', ")));
    node.append("app.log", numbered(0..2));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..2))).await;
}

#[tokio::test]
async fn the_token_is_read_again_when_its_file_changes() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    let token = node.path("token");
    node.config(|config| config.replace("urls: [", &format!("token_file: {}, urls: [", token.display())));
    std::fs::write(&token, "first\n").unwrap();
    node.append("app.log", numbered(0..1));
    node.start().await;
    eventually("the first line", || indexer.lines().len() == 1).await;
    let newer = std::fs::metadata(&token).unwrap().modified().unwrap() + Duration::from_secs(1);
    std::fs::write(&token, "second").unwrap();
    std::fs::File::open(&token).unwrap().set_modified(newer).unwrap();
    node.append("app.log", numbered(1..2));
    node.check_lines(&indexer, lines(&numbered(0..2))).await;
    assert_eq!(indexer.authorizations(), ["Bearer first", "Bearer second"]);
}
