//! The binary: what it says about bad configurations, and that it stops when told.

use std::process::Command;

use crate::indexer::Indexer;
use crate::node::{Node, eventually, numbered};

fn binary() -> Command {
    Command::new(env!("CARGO_BIN_EXE_locard-collector"))
}

#[track_caller]
fn check(config: &str, code: i32, said: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("collector.yaml");
    std::fs::write(&path, config).unwrap();
    for command in ["check", "run"].into_iter().filter(|command| *command == "check" || code != 0) {
        let output = binary().args([command, "--config"]).arg(&path).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{command}: {stderr}");
        assert!(stderr.contains(said), "{command}: {stderr}");
    }
}

#[test]
fn a_bad_configuration_is_refused_by_name() {
    check("indexer: http://h\nsources: [{type: journald}]", 0, "");
    check(
        "indexr: http://h\nsources: [{type: journald}]",
        2,
        "unknown key `indexr`, did you mean `indexer`?",
    );
    check(
        "indexer: http://h\nsources: [{type: file, path: [/x]}]",
        2,
        "unknown key `sources[0].path`, did you mean `paths`?",
    );
    check("sources: []", 2, "2 problems");
    check("indexer: [", 2, "line 2 column 1");
}

#[test]
fn help_names_the_commands() {
    let output = binary().arg("--help").output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && help.contains("run") && help.contains("check"), "{help}");
}

#[tokio::test]
async fn it_collects_until_sigterm() {
    let indexer = Indexer::start().await;
    let node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..5));
    let root = node.dir.path().display();
    let config = format!(
        "indexer: {}\nstate: {root}/state\nsources: [{{type: file, paths: ['{root}/app.log']}}]\n",
        indexer.url()
    );
    std::fs::write(node.path("collector.yaml"), config).unwrap();
    let mut child = binary().args(["run", "--config"]).arg(node.path("collector.yaml")).spawn().unwrap();
    eventually("five lines", || indexer.lines().len() == 5).await;
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
}
