//! A `journalctl` that fails or stalls where it hurts.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic, helpers included"
)]

#[path = "../it/indexer.rs"]
mod indexer;
#[path = "../it/node.rs"]
mod node;

use std::os::unix::fs::PermissionsExt as _;

use indexer::{Indexer, Reply};
use node::{Node, eventually};

/// Follows a file of entries from after the cursor it is given. `TROUBLE` comes first.
const SCRIPT: &str = r#"#!/bin/sh
start=1
for argument in "$@"; do
  case "$argument" in
    --after-cursor=*) start=$((${argument#--after-cursor=c} + 1)) ;;
  esac
done
TROUBLE
exec tail -s 0.05 -n +$start -f DIR/entries
"#;

/// Says nothing the first time and three entries the second time.
const FAILS_TWICE: &str = r#"
echo start >> DIR/failing
case $(wc -l < DIR/failing) in
  1) exit 1 ;;
  2) head -n 3 DIR/entries; exit 1 ;;
esac
"#;

fn install(node: &Node, trouble: &str) {
    let root = node.dir.path().to_str().unwrap();
    let script = node.path("journalctl");
    std::fs::write(&script, SCRIPT.replace("TROUBLE", trouble).replace("DIR", root)).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn node(indexer: &Indexer, trouble: &str) -> Node {
    let node = Node::new(indexer, "sources: [{type: journald, command: DIR/journalctl}]");
    install(&node, trouble);
    for number in 1..10 {
        let entry = format!(
            "{{\"__CURSOR\":\"c{number}\",\"__REALTIME_TIMESTAMP\":\"1772362800000000\",\"MESSAGE\":\"entry {number}\"}}\n"
        );
        node.append("entries", entry);
    }
    node
}

fn messages() -> Vec<String> {
    (1..10).map(|number| format!("entry {number}")).collect()
}

#[tokio::test]
async fn a_failed_start_after_a_kill_doubles_nothing() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer, "");
    // Taken, and not known to be: the answers that follow keep it on its way until the kill.
    indexer.reply([Reply::TakeAndHangUp].into_iter().chain(std::iter::repeat_n(Reply::Status(503, &[]), 50)));
    node.start().await;
    eventually("taken", || indexer.requests() > 1).await;
    node.kill().await;
    install(&node, FAILS_TWICE);
    node.start().await;
    eventually("sent again", || node.metrics.batches.get() > 0).await;
    node.check_lines(&indexer, messages()).await;
    node.check_conservation().await;
}

/// More than a pipe holds.
#[tokio::test]
async fn complaints_do_not_stop_journalctl() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer, "head -c 1000000 /dev/zero >&2");
    node.start().await;
    node.check_lines(&indexer, messages()).await;
}

#[tokio::test]
async fn a_batch_that_always_fails_gives_its_place_to_others() {
    let indexer = Indexer::start().await;
    let mut node = node(&indexer, "");
    node.config(|config| {
        let root = node_root(config);
        let both = format!("sources: [{{type: file, paths: ['{root}/app.log']}}, ");
        config.replace("sources: [", &both) + "in_flight: 1\n"
    });
    indexer.stick(Some("entry 5"));
    node.start().await;
    eventually("stuck", || indexer.requests() > 1).await;
    node.append("app.log", "other\n");
    eventually("the other source", || indexer.lines().contains(&"other".to_owned())).await;
    let before = indexer.requests();
    eventually("tried again", || indexer.requests() > before + 2).await;
    assert_eq!(indexer.stuck().len(), 1, "the same batch every time");
    indexer.stick(None);
    node.check_lines(&indexer, [messages(), vec!["other".into()]].concat()).await;
    node.check_conservation().await;
}

fn node_root(config: &str) -> String {
    let state = config.lines().find_map(|line| line.strip_prefix("state: ")).unwrap();
    state.strip_suffix("/state").unwrap().to_owned()
}
