//! Plans on templates and keys against the matcher on the messages.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use locard_event::{Event, Stream, Timestamp};
use locard_filter::{Filter, Matcher, Predicate, Test, word};
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// A message taken apart.
pub(super) struct Scanned {
    pub(super) template: Option<Vec<u8>>,
    pub(super) slots: Vec<ByteMask>,
    pub(super) found: Found,
}

/// What a text is found by.
#[derive(Default)]
pub(super) struct Found {
    pub(super) keys: HashSet<u64>,
    pub(super) words: HashSet<Vec<u8>>,
}

pub(super) fn scan(message: &[u8]) -> Scanned {
    let mut scanner = Scanner::new();
    // Nothing of a message before may show.
    scanner.scan(b"before \x00 10.0.0.9 caf\xc3\xa9");
    scanner.scan(message);
    Scanned {
        template: scanner.template().map(<[u8]>::to_vec),
        slots: scanner.slots().to_vec(),
        found: Found {
            keys: scanner.keys().iter().copied().collect(),
            words: scanner.words().map(<[u8]>::to_vec).collect(),
        },
    }
}

/// The matcher's word on a test on the message.
fn matches(message: &[u8], test: &Test) -> bool {
    let predicate = Predicate { field: Some("message".into()), test: test.clone() };
    let event =
        Event::new(Timestamp::from_nanos(0), Arc::new(Stream::new::<&str, &str>([])), message.to_vec());
    Matcher::new(&Filter::Is(predicate)).unwrap().matches(&event)
}

pub(super) fn has_all(found: &Found, plan: &TextPlan, bits: u64) -> bool {
    let asks = plan.asks();
    assert!(asks.len() <= 64);
    assert!(asks.len() == 64 || bits >> asks.len() == 0);
    let is_true = |ask: &Ask| match ask {
        Ask::Key(key, _) => found.keys.contains(key),
        Ask::Word(word) => found.words.contains(&**word),
        Ask::Prefix(prefix, key) => {
            found.keys.contains(key) || found.words.iter().any(|word| word.starts_with(prefix))
        }
    };
    asks.iter().enumerate().all(|(index, ask)| bits >> index & 1 == 0 || is_true(ask))
}

/// What the plan says of a template, which is the same alone and among others.
pub(super) fn verdict(plan: &TextPlan, template: &[u8], masks: &[ByteMask]) -> Verdict {
    let others: [&[u8]; 2] = [b"Failed password for \0", b"un"];
    let table = Masks::new([masks, &[ByteMask::ALL]].concat());
    let places: Vec<u32> = (0..masks.len() as u32).collect();
    let slots = [table.slots(&places[..0]), table.slots(&places), table.slots(&[])];
    let folded = Folded::of([others[0], template, others[1]].into_iter().zip(slots));
    let view = folded.view(1, template, table.slots(&places)).unwrap();
    let verdict = plan.against(&view, None);
    assert_eq!(plan.against(&view, Some(&plan.held(&folded))), verdict);
    verdict
}

#[track_caller]
fn agree(message: &[u8], other: &[u8], test: &Test) {
    let Some(plan) = TextPlan::of(test) else { return };
    let matches = matches(message, test);
    let scanned = scan(message);
    let show = || format!("{test:?} on {:?}", message.escape_ascii().to_string());
    assert!(!matches || has_all(&scanned.found, &plan, plan.always()), "whatever the template: {}", show());
    if let Some(template) = &scanned.template {
        // As in a split, the masks cover other messages of the template too.
        let mut masks = scanned.slots.clone();
        for (mask, more) in masks.iter_mut().zip(scan(other).slots) {
            mask.add(&more);
        }
        for masks in [scanned.slots, masks] {
            let verdict = verdict(&plan, template, &masks);
            match verdict {
                Verdict::Never => assert!(!matches, "never: {}", show()),
                Verdict::Always => assert!(matches, "always: {}", show()),
                Verdict::Perhaps { missing } => {
                    assert!(!matches || has_all(&scanned.found, &plan, missing), "missing: {}", show());
                }
            }
        }
    }
    let (mut keys, mut scanner) = (Vec::new(), Scanner::new());
    scanner.keys_of(message, &mut keys);
    let words = scanner.words().map(<[u8]>::to_vec).collect();
    let found = Found { keys: keys.into_iter().collect(), words };
    assert!(!matches || has_all(&found, &plan, plan.untemplated()), "untemplated: {}", show());
}

const PIECES: &[&str] = &[
    "failed",
    "Failed",
    "password",
    "for",
    "root",
    "root23",
    "_x",
    "node-1",
    "203.0.113.77",
    "10.0.0.9",
    "7",
    "ab",
    "AB",
    "c1",
    "fe80::1:ab",
    "0a:58:0a:80:02:01",
    "de:ad:be:ef:ab:cd",
    "de-ad-be-ef-ab-cd",
    "8c45334d-f920-437e-9450-78aca66c8dd7",
    "deadbeefdeadbeefde",
    "/usr/bin/curl",
    "/a",
    "http://x.example/a?b=c",
    "bob@mail.example",
    "kinsing",
    "x-bcdfg-vwxzq",
    "ärger",
    "ÄRGER",
    "\u{212A}ELVIN",
    "kelvin",
    "\u{212A}1",
    "İstanbul",
    "İ2",
    "東京",
    "٣",
    "½",
    "foo½",
    "ß",
    "é",
    "Ⱥ1",
    "e\u{301}",
    " ",
    " ",
    " ",
    " ",
    "  ",
    ".",
    "-",
    ":",
    "=",
    "/",
    ",",
    "@",
    "\"",
    "\n",
    "\u{0}",
    "\u{1}",
    "\u{fffd}",
    "*",
    "?",
];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::collection::vec(prop::sample::select(PIECES), 0..8).prop_map(|pieces| pieces.concat()),
        1 => ".{0,8}",
    ]
}

const ODD: &[&[u8]] = &[b"\xff", b"\xc3", b"\xe2\x84", b"\xaa", b"\x00", b"\x00\x00", b"\xf0\x9f"];

fn messages() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(ODD);
    prop_oneof![
        4 => texts().prop_map(String::into_bytes),
        2 => (texts(), odd, texts()).prop_map(|(before, odd, after)| [before.as_bytes(), odd, after.as_bytes()].concat()),
        1 => (texts(), 1..80usize).prop_map(|(text, count)| text.repeat(count).into_bytes()),
    ]
}

/// A piece of the message, mostly from one end of a word to another, or of another text.
fn part(message: &[u8], from: Index, to: Index, at_words: bool) -> String {
    let text = String::from_utf8_lossy(message);
    let mut ends: Vec<usize> = match at_words {
        true => {
            word::words(text.as_bytes()).flat_map(|word| [word.range().start, word.range().end]).collect()
        }
        false => text.char_indices().map(|(at, _)| at).collect(),
    };
    ends.push(text.len());
    let (from, to) = (*from.get(&ends), *to.get(&ends));
    text[from.min(to)..from.max(to)].to_owned()
}

fn twisted(part: String, twist: u8) -> String {
    match twist {
        0 => part.to_uppercase(),
        1 => part.to_lowercase(),
        2 => part.replacen(['.', ' ', ':'], "-", 1),
        3 => part + " ",
        4 => part + "x",
        _ => part,
    }
}

fn wildcard(part: &str, at: Index, twist: u8) -> String {
    let mut escaped: Vec<String> = part
        .chars()
        .map(|char| match char {
            '*' | '?' | '\\' => format!("\\{char}"),
            other => other.into(),
        })
        .collect();
    let index = at.index(escaped.len() + 1);
    match twist % 5 {
        0 => escaped.push("*".into()),
        1 => escaped.insert(0, "*".into()),
        2 if index < escaped.len() => escaped[index] = "?".into(),
        3 if index < escaped.len() => escaped[index] = "*".into(),
        _ => escaped.insert(index, "*".into()),
    }
    escaped.concat()
}

fn regex(part: &str, other: &str, twist: u8) -> String {
    let part = regex_syntax::escape(part);
    let other = regex_syntax::escape(other);
    match twist {
        0 => format!("^{part}"),
        1 => format!("{part}$"),
        2 => format!(r"\b{part}\b"),
        3 => format!(r"{part}\d*"),
        4 => format!(r"[a-z]+{part}\W"),
        5 => format!("{part}|{other}"),
        6 => format!("{part}.*{other}"),
        7 => format!("(?:{part})+{other}"),
        8 => format!(r"(?m)^{part}$"),
        9 => format!("(?i){part}"),
        10 => format!(r"(?-u){part}\xFF"),
        11 => format!(r"\A{part}\z"),
        12 => format!(r"\w{part} ?{other}"),
        _ => part,
    }
}

fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(128)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 3000, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_is_never_too_narrow_and_always_sure(
        message in messages(),
        other in messages(),
        aims in prop::collection::vec((any::<(Index, Index, Index, bool)>(), 0..16u8, texts()), 8),
    ) {
        for ((from, to, at, at_words), twist, text) in aims {
            let piece = twisted(part(&message, from, to, at_words), twist);
            agree(&message, &other, &Test::Contains(piece.as_str().into()));
            agree(&message, &other, &Test::Contains(text.as_str().into()));
            agree(&message, &other, &Test::Equals(piece.as_str().into()));
            agree(&message, &other, &Test::Wildcard(wildcard(&piece, at, twist).into()));
            agree(&message, &other, &Test::Wildcard(wildcard(&text, at, twist).into()));
            let pattern = regex(&piece, &text, twist).into();
            agree(&message, &other, &Test::Regex { pattern, ignore_case: at_words });
        }
        agree(&message, &other, &Test::Equals(String::from_utf8_lossy(&message).into()));
    }

    #[test]
    fn a_template_is_the_message_with_its_slots_left_out(message in messages()) {
        let mut scanner = Scanner::new();
        scanner.scan(&message);
        let Some(template) = scanner.template() else { return Ok(()) };
        prop_assert_eq!(template.iter().filter(|byte| **byte == SLOT).count(), scanner.slots().len());
        let runs: Vec<&[u8]> = template.split(|byte| *byte == SLOT).collect();
        prop_assert!(message.starts_with(runs[0]));
        prop_assert!(divides(&message, &runs, scanner.slots()));
    }
}

/// Whether the message is some texts of the masks, each before one of the runs but the first.
fn divides(message: &[u8], runs: &[&[u8]], masks: &[ByteMask]) -> bool {
    let mut ends = BTreeSet::from([runs[0].len()]);
    for (mask, run) in masks.iter().zip(&runs[1..]) {
        let slots = ends.into_iter().flat_map(|from| {
            let length = message[from..].iter().take_while(|byte| mask.has(**byte)).count();
            from + 1..from + length + 1
        });
        ends = slots.filter(|at| message[*at..].starts_with(run)).map(|at| at + run.len()).collect();
    }
    ends.contains(&message.len())
}
