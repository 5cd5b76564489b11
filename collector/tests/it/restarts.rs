//! Kills at random moments among writes and rotations at random: every line arrives once.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError};

use crate::indexer::Indexer;
use crate::node::{Node, lines, numbered};

#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    /// Bytes of the next lines, cut anywhere.
    Torn(usize, usize),
    Rename,
    Gzip,
    Kill,
    Stop,
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..40).prop_map(Step::Append),
        3 => (1usize..20, 0usize..400).prop_map(|(count, cut)| Step::Torn(count, cut)),
        1 => Just(Step::Rename),
        1 => Just(Step::Gzip),
        2 => Just(Step::Kill),
        1 => Just(Step::Stop),
        3 => (0u64..40).prop_map(Step::Pause),
    ]
}

/// Whether what is written now arrives once however it is interrupted. Renames keep all files, as kubelet keeps some: a file that
/// nobody can read any more cannot be shipped.
async fn play(steps: Vec<Step>) {
    let indexer = Indexer::start().await;
    indexer.trouble_every(5);
    let mut node = Node::new(&indexer, "batch_bytes: 2KiB\nsources: [{type: file, paths: ['DIR/app.log*']}]");
    let (mut written, mut rotations) = (0, 0);
    node.append("app.log", "");
    node.start().await;
    for step in steps {
        match step {
            Step::Append(count) => {
                node.append("app.log", numbered(written..written + count));
                written += count;
            }
            Step::Torn(count, cut) => {
                let text = numbered(written..written + count);
                let (head, tail) = text.split_at(cut.min(text.len()));
                node.append("app.log", head);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                node.append("app.log", tail);
                written += count;
            }
            Step::Rename => {
                node.rename("app.log", &format!("app.log.2026030{rotations:05}"));
                node.append("app.log", "");
                rotations += 1;
            }
            Step::Gzip if rotations > 0 => {
                let name = format!("app.log.2026030{:05}", rotations - 1);
                if node.path(&name).exists() {
                    node.gzip(&name);
                }
            }
            Step::Gzip => {}
            Step::Kill => {
                node.kill().await;
                node.start().await;
            }
            Step::Stop => {
                node.stop().await;
                node.start().await;
            }
            Step::Pause(millis) => tokio::time::sleep(std::time::Duration::from_millis(millis)).await,
        }
    }
    indexer.trouble_every(0);
    node.check_lines(&indexer, lines(&numbered(0..written))).await;
    node.check_conservation().await;
}

/// Each case runs real files and restarts, so there are few; `PROPTEST_CASES` asks for more.
#[test]
fn every_line_arrives_once_whatever_happens() {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let mut runner =
        proptest::test_runner::TestRunner::new(Config { cases, max_shrink_iters: 0, ..Config::default() });
    let steps = proptest::collection::vec(step(), 5..40);
    runner
        .run(&steps, |steps| {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let said = format!("{steps:?}");
            let played =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(play(steps))));
            played.map_err(|panic| {
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                TestCaseError::fail(format!("{why}\n{said}"))
            })
        })
        .unwrap();
}

#[tokio::test]
async fn a_torn_or_empty_state_falls_back() {
    let indexer = Indexer::start().await;
    let mut node = Node::on_app_log(&indexer);
    node.append("app.log", numbered(0..10));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..10))).await;
    node.stop().await;
    // Once more, so that the previous file knows these lines too.
    node.start().await;
    node.stop().await;
    std::fs::write(node.path("state/checkpoints"), "").unwrap();
    node.append("app.log", numbered(10..11));
    node.start().await;
    node.check_lines(&indexer, lines(&numbered(0..11))).await;
}
