//! What the plan costs, in events looked at one by one.

use locard_event::Fields;

use super::super::compile::Compiler;
use super::super::node::Node;
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

/// The chunks that hold this event's `user`, and how many of all there are.
fn chunks_of_user(split: &Split, user: &str) -> (Vec<u32>, usize) {
    let (reader, control) = (split.reader(), Control::default());
    let filter = locard_filter::parse(&format!("user={user}")).unwrap();
    let node = Compiler { reader, control: &control }.compile(&filter).unwrap();
    let Node::Field(field) = node else { panic!("{node:?}") };
    (field.only.map(|only| only.iter().collect()).unwrap_or_default(), reader.chunks().len())
}

/// Users that come back after the others, so that one is in two chunks; each split has chunks of seven events.
fn users(first: u64) -> Vec<Event> {
    let mut events = many_events(200);
    for (number, event) in events.iter_mut().enumerate() {
        event.fields = Fields::new();
        let user = if number == 150 { 3 } else { number / 2 };
        event.fields.set("user", Value::str(format!("u{user}")));
        let id = event.id.unwrap();
        event.id = Some(EventId::new(id.partition, id.sequence + first));
    }
    events
}

#[test]
fn a_rare_value_leads_to_its_chunks_in_a_split_and_in_what_it_is_merged_into() {
    let mut folder = Folder::new();
    let (one, two) = (folder.of_events(&users(0)), folder.of_events(&users(1000)));
    let mut events = users(0);
    events.sort_by_key(position);
    let has = |chunk: &[Event]| chunk.iter().any(|event| event.get("user").unwrap().text() == "u3");
    let chunks = (0u32..).zip(events.chunks(7)).filter(|(_, chunk)| has(chunk));
    let expected: Vec<u32> = chunks.map(|(number, _)| number).collect();
    assert_eq!((expected.len(), chunks_of_user(&one, "u3")), (2, (expected.clone(), 29)));
    assert_eq!(chunks_of_user(&one, "nobody").0, [0; 0]);
    let both: Vec<u32> = expected.iter().copied().chain(expected.iter().map(|chunk| 29 + chunk)).collect();
    assert_eq!(chunks_of_user(&folder.merge(&[one, two]), "u3"), (both, 58));
}

#[test]
fn only_templates_that_may_hold_an_address_are_judged() {
    let mut folder = Folder::new();
    let mut events = many_events(70);
    for (number, event) in events.iter_mut().enumerate() {
        let name = ["alpha", "beta", "gamma", "delta", "eta", "iota", "kappa"][number / 10];
        event.message = ::bytes::Bytes::from(format!("{name} from 10.1.2.{number} said"));
    }
    let split = folder.of_events(&events);
    let (reader, control) = (split.reader(), Control::default());
    let judged = |text: &str| {
        let filter = locard_filter::parse(text).unwrap();
        let Node::Text(node) = (Compiler { reader, control: &control }).compile(&filter).unwrap() else {
            panic!("{text}")
        };
        let before = node.judged();
        let node = Node::Text(node);
        for chunk in 0..reader.chunks().len() {
            node.judge(reader, chunk, &reader.all_of(chunk).unwrap()).unwrap();
        }
        let Node::Text(node) = node else { panic!("{text}") };
        (before, node.judged())
    };
    let all = reader.templates().unwrap().len();
    let (before, after) = judged("message:10.1.2.33");
    assert!(before == 0 && (1..all / 2).contains(&after), "{before} and {after} of {all}");
    assert_eq!(judged("message:alpha"), (all, all));
}
