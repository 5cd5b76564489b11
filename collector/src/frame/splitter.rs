//! Where the next piece of raw bytes ends: at a line end, or at the longest length that is held whole.

/// What the end of the window means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// More may follow: an unended line waits.
    Open,
    /// The end of the file: an unended line is a line.
    Flush,
    /// The end of a range that was cut before and must come out the same: what is left is a piece of a longer line.
    Piece,
}

/// One piece at the start of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    /// Bytes without the line end.
    pub(crate) content: usize,
    /// Bytes with it.
    pub(crate) consumed: usize,
    /// The line ends with this piece.
    pub(crate) ends_line: bool,
}

pub(super) fn split(window: &[u8], max: usize, end: End) -> Option<Cut> {
    let visible = window.get(..=max).unwrap_or(window);
    if let Some(content) = memchr::memchr(b'\n', visible) {
        return Some(Cut { content, consumed: content + 1, ends_line: true });
    }
    if window.len() > max {
        let content = cut_at(window, max);
        return Some(Cut { content, consumed: content, ends_line: false });
    }
    if window.is_empty() || end == End::Open {
        return None;
    }
    Some(Cut { content: window.len(), consumed: window.len(), ends_line: end == End::Flush })
}

/// The longest head of at most `max` bytes that does not split a UTF-8 character; `max` where the bytes are no UTF-8 anyway.
pub(crate) fn cut_at(bytes: &[u8], max: usize) -> usize {
    let is_inner = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (max.saturating_sub(3)..=max).rev().find(|at| *at > 0 && !is_inner(*at)).unwrap_or(max)
}
