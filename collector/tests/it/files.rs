//! Plain files: rotation of every kind.

use locard_collector::metrics::value;
use locard_event::name;

use crate::indexer::Indexer;
use crate::node::{Node, eventually, lines, numbered};

#[tokio::test]
async fn lines_arrive_in_order_with_labels_and_offsets() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", b"one\n\ntwo \xff\r\nunended");
    node.start().await;
    eventually("three lines", || indexer.events().len() == 3).await;
    let events = indexer.events();
    assert_eq!(
        events.iter().map(|event| &event.message[..]).collect::<Vec<_>>(),
        [&b"one"[..], b"", b"two \xff\r"]
    );
    let label = |name: &str| events[0].stream.get(name).unwrap().to_owned();
    assert_eq!((label(name::HOST), label(name::DATASET)), ("n1".into(), "file".into()));
    assert_eq!(label(name::FILE_PATH), node.path("app.log").canonicalize().unwrap().to_str().unwrap());
    let offsets: Vec<_> =
        events.iter().map(|event| event.get(name::OFFSET).unwrap().as_f64().unwrap()).collect();
    assert_eq!(offsets, [0.0, 4.0, 5.0]);
    node.append("app.log", " now\n");
    eventually("the fourth", || indexer.lines().last().unwrap() == "unended now").await;
    node.check_conservation().await;
}

#[tokio::test]
async fn a_renamed_file_is_read_to_its_end_and_the_new_one_too() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    for round in 1..5 {
        node.append("app.log", numbered(round * 10..round * 10 + 5));
        node.rename("app.log", &format!("app.log.{round}"));
        // The daemon still writes to the file it has open.
        node.append(&format!("app.log.{round}"), numbered(round * 10 + 5..round * 10 + 9));
        node.append("app.log", numbered(round * 10 + 9..round * 10 + 10));
        let expected = (round + 1) * 10;
        eventually("all lines of the round", || indexer.lines().len() == expected).await;
    }
    node.check_lines(&indexer, lines(&numbered(0..50))).await;
    node.check_conservation().await;
}

#[tokio::test]
async fn a_deleted_file_is_read_to_its_unended_end_and_a_new_one_from_its_start() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    indexer.set_down(true);
    node.append("app.log", numbered(10..20));
    node.append("app.log", "unended");
    let before = indexer.requests();
    eventually("tried", || indexer.requests() > before).await;
    node.remove("app.log");
    node.append("app.log", numbered(20..30));
    indexer.set_down(false);
    let mut expected = lines(&numbered(0..30));
    expected.push("unended".into());
    node.check_lines(&indexer, expected).await;
    node.check_conservation().await;
}

#[tokio::test]
async fn what_was_unread_when_a_file_was_truncated_is_found_in_its_copy() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    indexer.set_down(true);
    let before = indexer.requests();
    node.append("app.log", numbered(10..20));
    eventually("tried", || indexer.requests() > before).await;
    node.append("app.log", numbered(20..30));
    node.copy_truncate("app.log", "app.log.1");
    node.append("app.log", numbered(30..33));
    indexer.set_down(false);
    node.check_lines(&indexer, lines(&numbered(0..33))).await;
    assert_eq!(value(&node.metrics.rotations, "truncate"), 1);
    assert_eq!(value(&node.metrics.gaps, "truncated"), 0);
}

/// The glob also matches the copies: they must not be read as new files.
#[tokio::test]
async fn copies_that_the_glob_matches_are_not_read_again() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/app.log*']}]");
    node.append("app.log", numbered(0..10));
    node.start().await;
    for round in 1..4 {
        eventually("all lines", || indexer.lines().len() == round * 10).await;
        node.copy_truncate("app.log", &format!("app.log.{round}"));
        node.append("app.log", numbered(round * 10..(round + 1) * 10));
        let rounds = round as u64;
        eventually("the copy is recognised", || value(&node.metrics.rotations, "copy") == rounds).await;
    }
    node.stop().await;
    node.start().await;
    node.append("app.log", numbered(40..41));
    node.check_lines(&indexer, lines(&numbered(0..41))).await;
}

#[tokio::test]
async fn a_file_truncated_and_written_past_the_old_offset_is_read_from_its_start() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..3));
    node.start().await;
    eventually("three lines", || indexer.lines().len() == 3).await;
    std::fs::write(node.path("app.log"), numbered(10..20)).unwrap();
    let expected = [lines(&numbered(0..3)), lines(&numbered(10..20))].concat();
    node.check_lines(&indexer, expected).await;
    node.check_conservation().await;
}

#[tokio::test]
async fn rotations_missed_while_down_are_caught_up() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/app.log*']}]");
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.append("app.log", numbered(10..20));
    node.rename("app.log", "app.log.1");
    node.append("app.log", numbered(20..30));
    node.gzip("app.log.1");
    node.rename("app.log.1.gz", "app.log.2.gz");
    node.rename("app.log", "app.log.1");
    node.append("app.log", numbered(30..40));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..40))).await;
    node.kill().await;
    node.start().await;
    node.append("app.log", numbered(40..41));
    node.check_lines(&indexer, lines(&numbered(0..41))).await;
}

/// The glob names only the live file, yet what was unread when it was renamed and compressed is found.
#[tokio::test]
async fn a_file_renamed_out_of_the_glob_while_down_is_found_again() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.append("app.log", numbered(10..20));
    node.rename("app.log", "app.log.1");
    node.gzip("app.log.1");
    node.append("app.log", numbered(20..30));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..30))).await;
}

#[tokio::test]
async fn long_lines_are_cut_with_a_mark_and_nothing_is_lost() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "max_line_bytes: 1000\nsources: [{type: file, paths: ['DIR/*.log']}]");
    let long = "x".repeat(2500);
    node.append("app.log", format!("short\n{long}\nafter\n"));
    node.start().await;
    eventually("five pieces", || indexer.lines().len() == 5).await;
    let flags = |index: usize| indexer.events()[index].get(name::FLAGS).map(|flags| flags.to_string());
    assert_eq!(indexer.lines().concat(), format!("short{long}after"));
    let expected = [
        None,
        Some("truncated".into()),
        Some("[truncated, continuation]".into()),
        Some("continuation".into()),
        None,
    ];
    assert_eq!([flags(0), flags(1), flags(2), flags(3), flags(4)], expected);
    assert_eq!(node.metrics.cut_lines.get(), 2);
}

#[tokio::test]
async fn twins_are_two_files_and_a_link_is_none() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/*.log']}]");
    node.append("a.log", numbered(0..3));
    node.append("b.log", numbered(0..3));
    std::os::unix::fs::symlink(node.path("a.log"), node.path("c.log")).unwrap();
    node.start().await;
    node.check_lines(
        &indexer,
        [lines(&numbered(0..3)), lines(&numbered(0..3))].concat().into_iter().collect(),
    )
    .await;
}

#[tokio::test]
async fn lines_that_a_rule_matches_are_dropped_and_counted() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "drop: ['secret']\nsources: [{type: file, paths: ['DIR/*.log']}]");
    node.append("app.log", "keep\nsecret one\nkeep too\n");
    node.start().await;
    eventually("two lines", || indexer.lines().len() == 2).await;
    assert_eq!(indexer.lines(), ["keep", "keep too"]);
    node.check_conservation().await;
    assert_eq!(value(&node.metrics.dropped_events, "rule"), 1);
}
