//! What damage does: an answer of a damaged split is what it was, or that it is corrupt.

use super::*;

/// All that a damaged split may answer: what it would answer whole, or that it is corrupt.
fn answers(split: &Split, last: u64) -> Result<String, Error> {
    let control = Control::default();
    let mut said = String::new();
    for text in
        ["failed", "password 0", "10.0.0.7", "n=5", "trace.id:*", "n>10", "/fail.*7/", "NOT host.name:node"]
    {
        let filter = locard_filter::parse(text).unwrap();
        let request = Request { filter, filed: Timestamp::MIN..Timestamp::MAX };
        let top = split.top(&request, Order::Descending, None, 3, usize::MAX, &control)?;
        said += &format!("{text} {} {:?};", top.matched, ids(&top.events));
        split.times(&request, &control, &mut |time| said += &format!("{} ", time.nanos()))?;
    }
    said += &format!("{:?}", split.get(last)?.map(|event| event.message));
    Ok(said)
}

#[test]
fn no_flipped_bit_changes_an_answer() {
    let mut folder = Folder::new();
    let events = many_events(600);
    let (meta, path) = folder.make(events);
    let good = std::fs::read(&path).unwrap();
    let truth = answers(&open(&meta, path.clone()).unwrap(), 599).unwrap();
    let mut corrupt = 0;
    let mut seed = 7u64;
    let random = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % good.len()
    });
    for at in random.take(500).chain(good.len() - 40..good.len()) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bad).unwrap();
        let opened = open(&meta, path.clone());
        match opened.and_then(|split| answers(&split, 599)) {
            Ok(said) => assert_eq!(said, truth, "byte {at}"),
            Err(Error::Corrupt { split, .. }) => {
                assert_eq!(split, meta.id);
                corrupt += 1;
            }
            Err(other) => panic!("byte {at}: {other:?}"),
        }
    }
    assert!(corrupt > 400, "only {corrupt} flips were seen");
}

#[test]
fn a_cut_split_is_corrupt_before_and_after_it_is_opened() {
    let mut folder = Folder::new();
    let (meta, path) = folder.make(many_events(600));
    let good = std::fs::read(&path).unwrap();
    let truth = answers(&open(&meta, path.clone()).unwrap(), 599).unwrap();
    for length in (0..good.len()).step_by(good.len() / 50) {
        std::fs::write(&path, &good).unwrap();
        let whole = open(&meta, path.clone()).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length as u64).unwrap();
        // What was read on opening is not needed again.
        let said = answers(&whole, 599);
        assert!(matches!(&said, Err(Error::Corrupt { .. })) || said.unwrap() == truth, "{length}");
        let reopened = open(&meta, path.clone());
        assert!(matches!(reopened, Err(Error::Corrupt { .. })), "{length}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(open(&meta, path), Err(Error::NotFound)));
}

#[test]
fn an_object_under_another_name_is_not_that_split() {
    let mut folder = Folder::new();
    let (one, _) = folder.make(many_events(3));
    let (_, other) = folder.make(many_events(3));
    assert!(matches!(open(&one, other), Err(Error::Corrupt { .. })));
}
