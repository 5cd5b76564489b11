//! [`Cell`]: a text without power over the terminal, some of it marked, that knows how wide it is.

use std::borrow::Cow;
use std::ops::Range;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::neutral::{neutralise, neutralise_lines};
use super::style::{Style, Tone};

/// A text to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    marked: bool,
}

impl Cell {
    /// A text on one line, its line ends shown as symbols.
    pub(super) fn new(text: &str, marks: &[Range<usize>]) -> Self {
        Self::of(text, marks, neutralise)
    }

    /// A text that may have lines.
    pub(super) fn lines(text: &str, marks: &[Range<usize>]) -> Self {
        Self::of(text, marks, neutralise_lines)
    }

    /// Marks are in order and apart from each other; one that does not fit the text marks nothing.
    fn of(text: &str, marks: &[Range<usize>], clean: fn(&str) -> Cow<'_, str>) -> Self {
        let mut pieces = Vec::new();
        let mut add = |part: &str, marked: bool| {
            if !part.is_empty() {
                pieces.push(Piece { text: clean(part).into_owned(), marked });
            }
        };
        let mut at = 0;
        for mark in marks {
            let (Some(before), Some(marked)) = (text.get(at..mark.start), text.get(mark.clone())) else {
                continue;
            };
            add(before, false);
            add(marked, true);
            at = mark.end;
        }
        add(text.get(at..).unwrap_or_default(), false);
        Self { pieces }
    }

    /// In columns of a terminal.
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// The same where a tab would put columns out of line.
    pub(super) fn without_tabs(mut self) -> Self {
        for piece in &mut self.pieces {
            if piece.text.contains('\t') {
                piece.text = piece.text.replace('\t', "\u{2409}");
            }
        }
        self
    }

    /// The text as it is shown without colours.
    pub(super) fn plain(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// The text in its colours.
    pub(super) fn painted(&self, style: Style, tone: Tone) -> String {
        let paint = |piece: &Piece| {
            if piece.marked { style.mark(&piece.text) } else { style.tone(&piece.text, tone) }
        };
        self.pieces.iter().map(paint).collect()
    }

    /// In exactly so many columns: an ellipsis shows that it had more.
    pub(super) fn fitted(&self, width: usize, right: bool, style: Style, tone: Tone) -> String {
        if self.width() > width {
            return self.cut(width).fitted(width, right, style, tone);
        }
        let (text, pad) = (self.painted(style, tone), " ".repeat(width - self.width()));
        if right { pad + &text } else { text + &pad }
    }

    fn cut(&self, width: usize) -> Self {
        let mut left = width.saturating_sub(1);
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            let text = prefix(&piece.text, left);
            left -= text.width();
            let whole = text.len() == piece.text.len();
            pieces.push(Piece { text: text.to_owned(), marked: piece.marked });
            if !whole {
                break;
            }
        }
        if width > 0 {
            pieces.push(Piece { text: "…".to_owned(), marked: false });
        }
        Self { pieces }
    }
}

/// As much of a text as has room.
fn prefix(text: &str, room: usize) -> &str {
    let mut used = 0;
    let over = |(at, char): (usize, char)| {
        used += char.width().unwrap_or_default();
        (used > room).then_some(at)
    };
    let end = text.char_indices().find_map(over).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, width: usize, expected: &str) {
        assert_eq!(Cell::new(text, &[]).fitted(width, false, Style::default(), Tone::Plain), expected);
    }

    #[test]
    fn texts_are_measured_as_a_terminal_shows_them() {
        check("abc", 5, "abc  ");
        check("abcdef", 4, "abc…");
        check("漢字漢字", 8, "漢字漢字");
        check("漢字漢字", 6, "漢字… ");
        check("e\u{301}e\u{301}", 3, "e\u{301}e\u{301} ");
        check("a\u{1b}[2J", 5, "a␛[2J");
        check("abc", 0, "");
        assert_eq!(Cell::new("42", &[]).fitted(4, true, Style::default(), Tone::Plain), "  42");
    }

    #[test]
    fn marks_are_painted_and_nothing_in_them_escapes() {
        let mark = 2..10;
        let cell = Cell::new("a \u{1b}[31mred\u{1b}[0m", std::slice::from_ref(&mark));
        assert_eq!(
            cell.painted(Style::of(true), Tone::Plain),
            format!("a {}␛[0m", Style::of(true).mark("␛[31mred"))
        );
        assert_eq!(cell.plain(), "a ␛[31mred␛[0m");
        let half = 1..2;
        assert_eq!(Cell::new("é", std::slice::from_ref(&half)).plain(), "é", "a mark that cuts a character");
    }
}
