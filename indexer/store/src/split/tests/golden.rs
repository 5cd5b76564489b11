//! The bytes of the format, kept in files.

use super::literals::near_values;
use super::*;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

/// Events that need every part of the format.
fn golden_events() -> Vec<Event> {
    let mut events = many_events(40);
    for (event, value) in events.iter_mut().zip(near_values()) {
        event.fields.set("a", value);
    }
    for event in events.iter_mut().skip(30) {
        event.time = Timestamp::from_nanos(5);
        event.message = ::bytes::Bytes::from_static(b"caf\xe9 failed password /tmp/kinsing");
    }
    events
}

/// What a split of this version says, and those that are cut or changed. `UPDATE=1` writes the files anew: after a change of the format.
#[test]
fn the_format_is_what_it_was() {
    let whole = PathBuf::from(GOLDEN).join("whole.split");
    if std::env::var_os("UPDATE").is_some() {
        let mut folder = Folder::new();
        let (_, path) = folder.make(golden_events());
        let good = std::fs::read(path).unwrap();
        let mut flipped = good.clone();
        flipped[good.len() / 3] ^= 16;
        std::fs::create_dir_all(GOLDEN).unwrap();
        std::fs::write(&whole, &good).unwrap();
        std::fs::write(PathBuf::from(GOLDEN).join("cut.split"), &good[..good.len() / 2]).unwrap();
        std::fs::write(PathBuf::from(GOLDEN).join("flipped.split"), flipped).unwrap();
    }
    let meta = golden_meta(&whole);
    let split = open(&meta, whole).unwrap();
    let mut found = Vec::new();
    split.everything(&mut |event| found.push(event)).unwrap();
    found.sort_by_key(|event| event.id);
    assert!(found == golden_events(), "an event differs");
    assert!(matches!(open(&meta, PathBuf::from(GOLDEN).join("cut.split")), Err(Error::Corrupt { .. })));
    let flipped = open(&meta, PathBuf::from(GOLDEN).join("flipped.split"));
    let read = flipped.and_then(|split| split.everything(&mut |_| {}));
    assert!(matches!(read, Err(Error::Corrupt { .. })), "{read:?}");
}

/// What the catalog would say of an object: what it says of itself.
fn golden_meta(path: &std::path::Path) -> SplitMeta {
    let header = Object::open(path).unwrap().header().clone();
    SplitMeta {
        id: header.id,
        partition: header.partition,
        sequences: header.sequences,
        events: header.events,
        filed: header.filed,
        bytes: path.metadata().unwrap().len(),
        created: Timestamp::from_nanos(START),
        level: 0,
        class: Class::default(),
    }
}
