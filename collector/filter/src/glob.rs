//! Wildcard patterns taken apart. Shared by the matcher and by every plan. Knows no text to search.

/// One item of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// `*`: any characters, also none.
    Any,
    /// `?`: one character.
    One,
    /// These characters.
    Literal(String),
}

/// The items of a pattern, in order; adjacent literals and adjacent `*` are one.
pub fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '*' if pieces.last() == Some(&Piece::Any) => {}
            '*' => pieces.push(Piece::Any),
            '?' => pieces.push(Piece::One),
            '\\' => push_literal(&mut pieces, chars.next().unwrap_or('\\')),
            other => push_literal(&mut pieces, other),
        }
    }
    pieces
}

fn push_literal(pieces: &mut Vec<Piece>, char: char) {
    match pieces.last_mut() {
        Some(Piece::Literal(text)) => text.push(char),
        _ => pieces.push(Piece::Literal(char.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: &[Piece]) {
        assert_eq!(pieces(pattern), expected, "{pattern}");
    }

    #[test]
    fn a_pattern_is_literals_and_wildcards() {
        let literal = |text: &str| Piece::Literal(text.into());
        check("", &[]);
        check("node-3*", &[literal("node-3"), Piece::Any]);
        check("**a?b", &[Piece::Any, literal("a"), Piece::One, literal("b")]);
        check(r"a\*b\\\?", &[literal(r"a*b\?")]);
    }
}
