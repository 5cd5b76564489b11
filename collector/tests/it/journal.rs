//! The journal, through a script that behaves as `journalctl` does.

use std::os::unix::fs::PermissionsExt;

use locard_event::name;

use crate::indexer::Indexer;
use crate::node::{Node, eventually};

/// Follows a file of entries from after the cursor it is given.
const SCRIPT: &str = r#"#!/bin/sh
start=1
for argument in "$@"; do
  case "$argument" in
    --after-cursor=*) start=$((${argument#--after-cursor=c} + 1)) ;;
  esac
done
echo "$@" >> DIR/started
exec tail -s 0.05 -n +$start -f DIR/entries
"#;

fn entry(number: usize) -> String {
    format!(
        "{{\"__CURSOR\":\"c{number}\",\"__REALTIME_TIMESTAMP\":\"1772362800000000\",\"_HOSTNAME\":\"h1\",\"MESSAGE\":\"entry {number}\",\
         \"PRIORITY\":\"6\",\"SYSLOG_IDENTIFIER\":\"sshd\"}}\n"
    )
}

fn entries(range: std::ops::Range<usize>) -> String {
    range.map(entry).collect()
}

fn messages(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("entry {number}")).collect()
}

fn node(indexer: &Indexer) -> Node {
    let node = Node::new(indexer, "sources: [{type: journald, command: DIR/journalctl}]");
    let script = node.path("journalctl");
    std::fs::write(&script, SCRIPT.replace("DIR", node.dir.path().to_str().unwrap())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    node
}

#[tokio::test]
async fn entries_arrive_once_across_kills_and_lost_acks() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    indexer.trouble_every(3);
    node.append("entries", entries(1..50));
    node.start().await;
    for round in 1..6 {
        let requests = indexer.requests();
        node.append("entries", entries(round * 50..round * 50 + 50));
        eventually("some progress", || indexer.requests() > requests).await;
        node.kill().await;
        node.start().await;
    }
    node.check_lines(&indexer, messages(1..300)).await;
    node.check_conservation().await;
    let event = &indexer.events()[0];
    assert_eq!(
        (event.stream.get(name::DATASET), event.stream.get(name::HOST)),
        (Some("journald"), Some("h1"))
    );
}

#[tokio::test]
async fn journalctl_is_started_again_from_the_cursor() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer);
    let script = std::fs::read_to_string(node.path("journalctl")).unwrap();
    // Ends by itself, as it does when the journal is rotated under it.
    std::fs::write(
        node.path("journalctl"),
        script.replace("exec tail -s 0.05", "exec timeout 0.2 tail -s 0.05"),
    )
    .unwrap();
    node.append("entries", entries(1..10));
    node.start().await;
    eventually("started twice", || {
        std::fs::read_to_string(node.path("started")).unwrap_or_default().lines().count() >= 2
    })
    .await;
    node.append("entries", entries(10..20));
    node.check_lines(&indexer, messages(1..20)).await;
    let started = std::fs::read_to_string(node.path("started")).unwrap();
    assert!(started.lines().nth(1).unwrap().contains("--after-cursor=c9"), "{started}");
}
