//! What the plan costs, in events looked at one by one.

use super::*;

/// What the plan costs, in events looked at one by one.
#[track_caller]
fn check_cost(split: &Split, text: &str, matched: u64, scanned: u64) {
    let control = Control::default();
    let filter = locard_filter::parse(text).unwrap();
    let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
    let top = split.top(&request, Order::Descending, None, 2, usize::MAX, &control).unwrap();
    assert_eq!((top.matched, control.events_scanned()), (matched, scanned), "{text}");
}

#[test]
fn only_what_the_index_leaves_open_is_read() {
    let mut folder = Folder::new();
    let split = folder.of_events(&many_events(600));
    check_cost(&split, "*", 600, 2);
    check_cost(&split, "\"failed password\"", 600, 2);
    check_cost(&split, "NOT \"failed password\"", 0, 0);
    check_cost(&split, "n=5", 1, 1);
    check_cost(&split, "n>=590", 10, 2);
    check_cost(&split, "host.name:node", 600, 2);
    check_cost(&split, "host.name:nobody", 0, 0);
    check_cost(&split, "pass*", 600, 2);
    check_cost(&split, "\"failed  password\"", 0, 0);
    check_cost(&split, "\"password failed\"", 0, 0);
}

/// At most the chunks whose filters cannot say no are looked at.
#[track_caller]
fn check_cost_at_most(split: &Split, text: &str, matched: u64, scanned: u64) {
    let control = Control::default();
    let request =
        Request { filter: locard_filter::parse(text).unwrap(), filed: Timestamp::MIN..Timestamp::MAX };
    let top = split.top(&request, Order::Descending, None, 2, usize::MAX, &control).unwrap();
    assert_eq!(top.matched, matched, "{text}");
    assert!(control.events_scanned() <= scanned, "{text}: {}", control.events_scanned());
}

#[test]
fn a_needle_is_looked_for_in_few_chunks() {
    let mut folder = Folder::new();
    let split = folder.of_events(&many_events(600));
    check_cost_at_most(&split, "10.0.0.7", 1, 30);
    check_cost_at_most(&split, "/10.0.0.7$/ AND n=7", 1, 2);
    let trace = format!("{:x}", 7u64.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17));
    check_cost_at_most(&split, &trace, 1, 30);
    check_cost_at_most(&split, &format!("trace.id={trace}"), 1, 30);
    check_cost_at_most(&split, "trace.id=nothing", 0, 30);
}
