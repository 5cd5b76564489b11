//! The checks, one file a target.

pub(super) mod decode;
pub(super) mod doors;
pub(super) mod elastic;
pub(super) mod language;
pub(super) mod lookup;
mod piped;
pub(super) mod search;

/// What a message says, without the numbers, names and quotes that differ from input to input.
fn kind(message: &str) -> String {
    let mut kind = String::new();
    let mut quoted = None;
    for char in message.chars().take(200) {
        match quoted {
            Some(end) if char == end => quoted = None,
            Some(_) => {}
            None => match char {
                '`' | '"' => quoted = Some(char),
                '[' => quoted = Some(']'),
                digit if digit.is_ascii_digit() => {
                    if !kind.ends_with('9') {
                        kind.push('9');
                    }
                }
                other => kind.push(other),
            },
        }
    }
    kind.truncate(kind.floor_char_boundary(80));
    kind
}
