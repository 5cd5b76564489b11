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

/// Four are on their way at once; none of them may take a place for ever.
#[tokio::test]
async fn batches_that_always_fail_do_not_stop_the_others() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/*.log']}]");
    indexer.stick(Some("bad"));
    for name in ["a", "b", "c", "d"] {
        node.append(&format!("{name}.log"), format!("bad {name}\n"));
    }
    node.start().await;
    eventually("four are stuck", || indexer.stuck().len() == 4).await;
    node.append("other.log", numbered(0..10));
    eventually("the other log", || indexer.lines().len() == 10).await;
    // What comes later in their files does not change what they are.
    for name in ["a", "b", "c", "d"] {
        node.append(&format!("{name}.log"), format!("later {name}\n"));
    }
    let before = indexer.requests();
    eventually("tried again", || indexer.requests() > before + 8).await;
    assert_eq!(indexer.stuck().len(), 4, "the same batches every time");
    indexer.stick(None);
    let both = ["a", "b", "c", "d"].map(|name| format!("bad {name}\nlater {name}\n")).concat();
    node.check_lines(&indexer, lines(&(both + &numbered(0..10)))).await;
    node.check_conservation().await;
}

/// Nor does a batch that is given up while the collector runs become another one by a restart.
#[tokio::test]
async fn a_stuck_batch_is_the_same_one_after_a_kill() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.stick(Some("line 3 "));
    node.append("app.log", numbered(0..5));
    node.start().await;
    eventually("stuck", || indexer.requests() > 3).await;
    node.kill().await;
    node.append("app.log", numbered(5..8));
    node.start().await;
    let before = indexer.requests();
    eventually("tried again", || indexer.requests() > before + 3).await;
    assert_eq!(indexer.stuck().len(), 1);
    indexer.stick(None);
    node.check_lines(&indexer, lines(&numbered(0..8))).await;
    node.check_conservation().await;
}

#[tokio::test]
async fn what_an_answer_rejects_was_not_shipped() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    indexer.reject(2);
    node.append("app.log", numbered(0..5));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..5))).await;
    node.check_conservation().await;
    assert_eq!((node.metrics.shipped_events.get(), value(&node.metrics.dropped_events, "rejected")), (3, 2));
}

/// Half of a split batch was taken when the file changed: the other half is not in flight for ever.
#[tokio::test]
async fn a_split_batch_cut_short_by_a_truncation_is_not_in_flight() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    // Twenty refused, ten taken, and then nothing works.
    indexer.max_events(10);
    indexer.stick(Some("line 10 "));
    node.append("app.log", numbered(0..20));
    node.start().await;
    eventually("half of it", || indexer.lines().len() == 10 && !indexer.stuck().is_empty()).await;
    std::fs::write(node.path("app.log"), numbered(30..31)).unwrap();
    let expected = [lines(&numbered(0..10)), lines(&numbered(30..31))].concat();
    node.check_lines(&indexer, expected).await;
    node.check_conservation().await;
    assert_eq!(value(&node.metrics.dropped_events, "changed"), 10);
}
