//! [`Texts`]: the messages of one body, many in one allocation, without keeping the body itself.

use bytes::{Bytes, BytesMut};

/// So many bytes share an allocation; it lives as long as any of them.
const CHUNK_BYTES: usize = 64 << 10;

/// Room for messages.
#[derive(Debug, Default)]
pub(super) struct Texts(BytesMut);

impl Texts {
    /// A copy of `text`. No more than `rest` bytes will follow.
    pub(super) fn keep(&mut self, text: &[u8], rest: usize) -> Bytes {
        if self.0.capacity() < text.len() {
            self.0 = BytesMut::with_capacity(text.len() + rest.min(CHUNK_BYTES.saturating_sub(text.len())));
        }
        self.0.extend_from_slice(text);
        self.0.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_share_chunks_and_stay_apart() {
        let mut texts = Texts::default();
        let long = vec![b'x'; CHUNK_BYTES + 1];
        let kept = [texts.keep(b"one", 10), texts.keep(b"", 10), texts.keep(b"two", 0), texts.keep(&long, 0)];
        assert_eq!(kept, [&b"one"[..], b"", b"two", &long]);
        assert_eq!(kept[0].as_ptr().wrapping_add(3), kept[2].as_ptr());
    }
}
