//! Framing, tried from outside: every envelope, mixed and damaged.

use super::*;

const MAX: usize = 8;

/// Frames `bytes` in batches of at most `step` raw bytes, each resumed from the frontier of the one before, as after a restart.
fn frame(bytes: &[u8], shape: Shape, step: usize) -> Vec<Line> {
    let (mut offset, mut frontier, mut lines) = (0u64, Frontier::default(), Vec::new());
    loop {
        let mut read = |at: u64, buffer: &mut [u8]| {
            let rest = bytes.get(at as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        };
        let json = serde_json::to_string(&frontier).unwrap();
        frontier = serde_json::from_str(&json).unwrap();
        let mut framer = Framer::resume(shape, offset, &frontier, &mut read).unwrap();
        let window = &bytes[offset as usize..];
        framer.feed(window, End::Open, step, usize::MAX);
        if framer.position() == offset {
            framer.feed(window, End::Flush, usize::MAX, usize::MAX);
            framer.finish(false);
            lines.extend(framer.take_lines());
            return lines;
        }
        let range = &window[..(framer.position() - offset) as usize];
        let mut again = Framer::resume(shape, offset, &frontier, &mut read).unwrap();
        again.feed(range, End::Piece, usize::MAX, usize::MAX);
        assert_eq!(again.frontier(), framer.frontier(), "a range read again must end the same");
        let made = framer.take_lines();
        assert_eq!(again.take_lines(), made, "a range read again must give the same lines");
        lines.extend(made);
        (offset, frontier) = (framer.position(), framer.frontier());
    }
}

fn show(lines: &[Line]) -> Vec<String> {
    let flag = |set: bool, name| if set { name } else { "" };
    lines
        .iter()
        .map(|line| {
            format!(
                "{}{}{}{}{}{}",
                line.iostream.map_or(String::new(), |iostream| format!("{}:", iostream.name())),
                String::from_utf8_lossy(&line.content),
                flag(line.truncated, "+"),
                flag(line.continuation, "<"),
                flag(line.unfinished, "~"),
                flag(line.unframed, "!"),
            )
        })
        .collect()
}

#[track_caller]
fn check(text: &str, enveloped: bool, expected: &[&str]) {
    let shape = Shape { enveloped, max_line_bytes: MAX };
    for step in [1, 7, 60, 1000] {
        assert_eq!(show(&frame(text.as_bytes(), shape, step)), expected, "step {step}");
    }
}

#[test]
fn plain_lines_are_split_and_long_ones_cut_without_loss() {
    check("a\n\nb\r\nc", false, &["a", "", "b\r", "c"]);
    check("12345678\n", false, &["12345678"]);
    check("123456789\nx\n", false, &["12345678+", "9<", "x"]);
    check("1234567890123456", false, &["12345678+", "90123456<"]);
    check("1234567é\n", false, &["1234567+", "é<"]);
}

#[test]
fn parts_are_joined_per_stream() {
    let text = "2026-03-01T12:00:00.1Z stdout P ab\n2026-03-01T12:00:00.2Z stderr P xy\n\
                2026-03-01T12:00:00.3Z stdout F cd\n2026-03-01T12:00:00.4Z stderr F z\n";
    check(text, true, &["stdout:abcd", "stderr:xyz"]);
}

#[test]
fn a_joined_line_is_cut_at_the_limit_and_nothing_is_lost() {
    let text = "2026-03-01T12:00:00.1Z stdout P 123456\n2026-03-01T12:00:00.2Z stderr F ok\n\
                2026-03-01T12:00:00.3Z stdout P 789\n2026-03-01T12:00:00.4Z stdout F 0123456789ABCDEFGHI\n";
    check(
        text,
        true,
        &[
            "stderr:ok",
            "stdout:123456+",
            "stdout:789+<",
            "stdout:01234567+<",
            "stdout:89ABCDEF+<",
            "stdout:GHI<",
        ],
    );
}

#[test]
fn a_line_without_envelope_is_kept_and_marked() {
    check("what\n", true, &["what!"]);
}

#[test]
fn what_the_file_leaves_unfinished_comes_out_at_its_end() {
    check("2026-03-01T12:00:00.1Z stdout P ab\n", true, &["stdout:ab~"]);
}

/// What comes out of `bytes`, each followed by a long silence; every batch made once more from what the state keeps of it.
fn with_silences(bytes: &[&str], enveloped: bool) -> Vec<String> {
    let shape = Shape { enveloped, max_line_bytes: MAX };
    let (mut whole, mut offset, mut frontier, mut lines) =
        (Vec::new(), 0u64, Frontier::default(), Vec::new());
    for written in bytes {
        whole.extend_from_slice(written.as_bytes());
        let mut read = |at: u64, buffer: &mut [u8]| {
            let rest = whole.get(at as usize..).unwrap_or_default();
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        };
        let json = serde_json::to_string(&frontier).unwrap();
        let made = [(); 2].map(|()| {
            let frontier: Frontier = serde_json::from_str(&json).unwrap();
            let mut framer = Framer::resume(shape, offset, &frontier, &mut read).unwrap();
            framer.feed(&whole[offset as usize..], End::Piece, usize::MAX, usize::MAX);
            framer.emit_unfinished();
            (framer.position(), framer.frontier(), framer.take_lines())
        });
        let [first, again] = made;
        assert_eq!(first, again);
        assert!(!first.1.has_parts());
        (offset, frontier) = (first.0, first.1);
        lines.extend(first.2);
    }
    let mut framer = Framer::resume(shape, offset, &frontier, &mut |_, _| Ok(0)).unwrap();
    framer.finish(false);
    assert_eq!(framer.take_lines(), [], "all came out already");
    assert!(framer.frontier().is_clean());
    show(&lines)
}

#[test]
fn a_line_that_nobody_ends_comes_out_and_its_rest_continues_it() {
    let expected = ["a", "una~", "wend<~", "ed<", "b"];
    assert_eq!(with_silences(&["a\nuna", "wend", "ed\nb\n"], false), expected);
    assert_eq!(with_silences(&["una", "\nb\n"], false), ["una~", "b"]);
    assert_eq!(with_silences(&["12345678901", "2\n"], false), ["12345678+", "901<~", "2<"]);
    let (out, err) = ("2026-03-01T12:00:00.1Z stdout", "2026-03-01T12:00:00.1Z stderr");
    let parts = [format!("{out} P ab\n{err} P x\n"), format!("{err} F y\n{out} F c\n{out} F d\n")];
    let expected = ["stdout:ab~", "stderr:x~", "stderr:y<", "stdout:c<", "stdout:d"];
    assert_eq!(with_silences(&[&parts[0], &parts[1]], true), expected);
}

proptest::proptest! {
    /// Whatever the bytes and the sizes of the batches, plain content comes out whole and in order.
    #[test]
    fn no_byte_is_lost(bytes in proptest::collection::vec(proptest::sample::select(b"ab\n\xc3\xa9".to_vec()), 0..80), step in 1usize..40) {
        let shape = Shape { enveloped: false, max_line_bytes: MAX };
        let lines = frame(&bytes, shape, step);
        let mut whole = Vec::new();
        for line in &lines {
            whole.extend_from_slice(&line.content);
            if !line.truncated { whole.push(b'\n') }
        }
        if bytes.last().is_some_and(|last| *last != b'\n') { whole.pop(); }
        proptest::prop_assert_eq!(whole, bytes);
    }
}
