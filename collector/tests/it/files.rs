//! Plain files: rotation of every kind.

use locard_collector::metrics::value;
use locard_event::{Event, name};

use crate::indexer::{Indexer, Reply};
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
async fn a_line_that_nobody_ends_is_sent_after_a_while_and_its_rest_continues_it() {
    let indexer = Indexer::start().await;
    let mut node =
        Node::new(&indexer, "partial_after: 200ms\nsources: [{type: file, paths: ['DIR/app.log']}]");
    node.append("app.log", "done\nuna");
    node.start().await;
    eventually("the whole line", || indexer.events().len() == 1).await;
    // Taken, but the collector is not told, and does not live to hear it when it asks again.
    indexer.reply([Reply::TakeAndHangUp]);
    eventually("the part", || indexer.events().len() == 2).await;
    node.kill().await;
    node.append("app.log", "wended\nnext\nlast");
    node.start().await;
    eventually("what follows", || indexer.events().len() == 5).await;
    let requests = indexer.requests();
    node.append("app.log", "\n");
    node.append("app.log", "end\n");
    eventually("the end", || indexer.events().len() == 6).await;
    let flags =
        |event: &Event| event.fields.get(name::FLAGS).map(|flags| flags.to_string()).unwrap_or_default();
    let shown: Vec<_> = indexer
        .events()
        .iter()
        .map(|event| {
            let offset = event.get(name::OFFSET).unwrap().as_f64().unwrap();
            format!("{offset} {} {}", String::from_utf8_lossy(&event.message), flags(event))
        })
        .collect();
    let expected =
        ["0 done ", "5 una partial", "8 wended continuation", "15 next ", "20 last partial", "25 end "];
    assert_eq!(shown, expected);
    assert!(indexer.requests() <= requests + 2, "nothing is sent while nothing is written");
    node.check_conservation().await;
    // Its end is known, so it can be closed and forgotten.
    node.append("app.log", "x");
    eventually("the seventh", || indexer.events().len() == 7).await;
    node.remove("app.log");
    eventually("forgotten", || node.metrics.files.get() == 0).await;
}

#[tokio::test]
async fn a_batch_of_short_lines_is_full_before_its_events_fill_the_memory() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(
        &indexer,
        "batch_bytes: 64KiB\nflush_after: 1h\nsources: [{type: file, paths: ['DIR/app.log']}]",
    );
    node.config(|config| config.replacen("flush_after: 10ms\n", "", 1));
    indexer.max_events(64 * 1024 / 128);
    node.append("app.log", "\n".repeat(64 * 1024));
    node.start().await;
    // Those that follow a full batch are not waited for.
    eventually("all lines", || indexer.events().len() == 64 * 1024).await;
    assert_eq!(indexer.requests() as usize, indexer.batches(), "none was refused as too large");
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

/// A generation that was written and renamed while no collector ran, to a name that the glob does not match.
#[tokio::test]
async fn a_generation_missed_while_down_is_read_though_no_glob_matches_it() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    // Rotated before the log was first followed: nobody asked for it, nor does anybody later.
    node.append("app.log.1", "long ago\n");
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.rename("app.log.1", "app.log.4");
    node.append("app.log", numbered(10..20));
    node.rename("app.log", "app.log.3");
    node.append("app.log.2", numbered(20..30));
    node.gzip("app.log.2");
    node.append("app.log.1", numbered(30..40));
    node.append("app.log.bak", "no rotation\n");
    node.append("app.log", numbered(40..50));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..50))).await;
    node.kill().await;
    node.start().await;
    node.append("app.log", numbered(50..51));
    node.check_lines(&indexer, lines(&numbered(0..51))).await;
}

#[tokio::test]
async fn what_is_excluded_is_not_read_however_it_was_rotated() {
    let indexer = Indexer::start().await;
    let mut node =
        Node::new(&indexer, "sources: [{type: file, paths: ['DIR/app.log'], exclude: ['DIR/*.1']}]");
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.rename("app.log", "app.log.2");
    node.append("app.log.1", "excluded\n");
    node.append("app.log", numbered(10..20));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..20))).await;
}

/// Read to its end and renamed while no collector ran, to a name that the glob takes for another log's.
#[tokio::test]
async fn a_file_renamed_to_an_unrelated_name_while_down_is_not_read_again() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/*.log']}]");
    node.append("app.log", numbered(0..10));
    node.start().await;
    eventually("ten lines", || indexer.lines().len() == 10).await;
    node.kill().await;
    node.append("app.log", numbered(10..12));
    node.rename("app.log", "yesterday.log");
    node.append("app.log", numbered(20..30));
    node.start().await;
    let expected = [numbered(0..12), numbered(20..30)].concat();
    node.check_lines(&indexer, lines(&expected)).await;
    node.append("yesterday.log", numbered(12..13));
    node.check_lines(&indexer, lines(&(expected + &numbered(12..13)))).await;
}

/// Not even one that is short and begins as another file does.
#[tokio::test]
async fn a_file_that_only_begins_as_a_finished_one_is_read() {
    let indexer = Indexer::start().await;
    let mut node = Node::new(&indexer, "sources: [{type: file, paths: ['DIR/app.log*']}]");
    let banner = "starting version 1\n";
    node.append("app.log", banner);
    node.start().await;
    eventually("the banner", || indexer.lines().len() == 1).await;
    node.rename("app.log", "app.log.1");
    let second = [banner, &numbered(0..5)].concat();
    node.append("app.log", &second);
    let state = node.path("state/checkpoints");
    let finished = || std::fs::read_to_string(&state).unwrap().contains("\"finished\":true");
    eventually("the first is finished", finished).await;
    eventually("the second is read", || indexer.lines().len() == 7).await;
    node.remove("app.log.1");
    // One goes on after the banner; one is what the live log begins with.
    let third = [banner, &numbered(10..15)].concat();
    node.append("app.log.2", &third);
    let fourth = [banner, &numbered(0..2)].concat();
    node.append("app.log.7", &fourth);
    let expected = [banner, &second, &third, &fourth].concat();
    node.check_lines(&indexer, lines(&expected)).await;
    node.check_conservation().await;
}

/// They take room on the disk: only so much of it, and what is given up is counted.
#[tokio::test]
async fn deleted_files_are_held_open_up_to_a_size() {
    let indexer = Indexer::start().await;
    let mut node =
        Node::new(&indexer, "hold_deleted_bytes: 1KiB\nsources: [{type: file, paths: ['DIR/*.log']}]");
    indexer.set_down(true);
    node.append("large.log", numbered(0..100));
    node.append("small.log", numbered(100..110));
    node.start().await;
    eventually("both are read", || node.metrics.read_events.get() == 110).await;
    node.remove("large.log");
    node.remove("small.log");
    eventually("given up", || value(&node.metrics.gaps, "deleted") == 1).await;
    assert_eq!(value(&node.metrics.gap_bytes, "deleted"), numbered(0..100).len() as u64);
    indexer.set_down(false);
    node.check_lines(&indexer, lines(&numbered(100..110))).await;
    node.check_conservation().await;
    assert_eq!(value(&node.metrics.dropped_events, "changed"), 100);
    eventually("nothing is held", || node.metrics.held_deleted_bytes.get() == 0).await;
}
