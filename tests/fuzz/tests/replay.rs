//! The kept inputs of every target, and some thousand made from them with a fixed seed: what `make soak` looks at, without its time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests state data and may panic")]

use locard_fuzz::fuzzer::{Fuzzer, attempt, kept};
use locard_fuzz::{Ground, Target};

/// Tries the kept inputs, then so many others.
#[track_caller]
fn check(target: Target, inputs: usize) {
    let ground = Ground::new().unwrap();
    let kept = kept(target).unwrap();
    assert!(kept.len() >= 10, "only {} inputs are kept for {}", kept.len(), target.name());
    for (name, input) in &kept {
        if let Err(wrong) = attempt(target, &ground, input) {
            panic!("{} {name}: {wrong}\n{}", target.name(), String::from_utf8_lossy(input));
        }
    }
    let mut fuzzer = Fuzzer::new(target, 7).unwrap();
    for _ in 0..kept.len() + inputs {
        let input = fuzzer.next_input();
        if let (_, Some(finding)) = fuzzer.attempt(&ground, &input) {
            let small = fuzzer.shrunk(&ground, finding);
            panic!("{}: {}\n{:?}", target.name(), small.what, String::from_utf8_lossy(&small.input));
        }
    }
    assert!(fuzzer.kinds() > 20, "only {} kinds of inputs", fuzzer.kinds());
}

#[test]
fn language() {
    check(Target::Language, 3_000);
}

#[test]
fn search() {
    check(Target::Search, 400);
}

#[test]
fn elastic() {
    check(Target::Elastic, 400);
}

#[test]
fn decode() {
    check(Target::Decode, 3_000);
}

#[test]
fn lookup() {
    check(Target::Lookup, 500);
}

#[test]
fn doors() {
    check(Target::Doors, 2_000);
}
