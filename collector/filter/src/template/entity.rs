//! Which words of a message are variable, and which of them are one thing: an address, a time, a UUID, a path, a URL.
//!
//! Only a matter of taste: whatever is decided here, plans stay right, for every word of a variable has its key.

use super::token::{AT, BREAK, SLASH, TWO_COLONS, Token};

/// A hexadecimal word of at least this many digits is variable even if they are all letters.
const LONG_HEX: usize = 16;

/// Longer JSON is of too many parts for their combinations to be patterns.
const LONG_JSON_BYTES: usize = 512;

/// A message being told apart.
pub(super) struct Words<'m> {
    pub(super) text: &'m [u8],
    pub(super) tokens: &'m [Token],
    /// What some gap holds; most messages need not be searched for addresses.
    gaps: u8,
    has_lines: bool,
    is_json: bool,
}

impl<'m> Words<'m> {
    pub(super) fn new(text: &'m [u8], tokens: &'m [Token]) -> Self {
        let gaps = tokens.iter().fold(0, |all, token| all | token.gap);
        Self { text, tokens, gaps, has_lines: text.contains(&b'\n'), is_json: text.starts_with(b"{") }
    }

    /// The token behind the last one of the variable that begins with `token`, the one at `first`; nothing if that is constant.
    #[inline]
    pub(super) fn variable(&self, first: usize, token: &Token) -> Option<usize> {
        if token.gap & SLASH != 0
            && let Some(end) = self.link(first, token)
        {
            return Some(end);
        }
        if self.gaps & AT != 0
            && let Some(end) = self.address(first)
        {
            return Some(end);
        }
        if self.has_lines
            && let Some(end) = self.trace(token)
        {
            return Some(end);
        }
        if self.is_json
            && let Some(end) = self.json_name(first, token)
        {
            return Some(end);
        }
        if self.is_variable(first, token) {
            return Some(self.chain(first + 1));
        }
        (matches!(token.joint, b':' | b'-' | TWO_COLONS) && token.is_hex(self.text))
            .then(|| self.digits(first, token.joint))
            .flatten()
    }

    fn is_variable(&self, index: usize, token: &Token) -> bool {
        token.has_digit
            || token.len() >= LONG_HEX && token.is_hex(self.text)
            || self.is_random_suffix(index, token)
    }

    /// As in `checkout-api-m87pkwrvwg-vwxzg`: a suffix of the length and the letters of those Kubernetes makes.
    fn is_random_suffix(&self, index: usize, token: &Token) -> bool {
        matches!(token.len(), 5 | 8..=10) && self.joint_before(index) == b'-' && token.is_random(self.text)
    }

    /// What joins a token to the one before.
    fn joint_before(&self, index: usize) -> u8 {
        self.before(index).map_or(0, |before| before.joint)
    }

    fn before(&self, index: usize) -> Option<&Token> {
        self.tokens.get(index.checked_sub(1)?)
    }

    /// The end of the variable words that are joined, by one mark each, before `next`.
    #[inline]
    fn chain(&self, next: usize) -> usize {
        let mut next = next;
        while let Some(token) = self.tokens.get(next)
            && let joint = self.joint_before(next)
            && is_inner_joint(joint)
            && (self.is_variable(next, token) || self.is_group(token, joint))
        {
            next += 1;
        }
        next
    }

    /// Letters that may be a group of a UUID, MAC or IPv6 address.
    fn is_group(&self, token: &Token, joint: u8) -> bool {
        matches!(joint, b'-' | b':' | TWO_COLONS)
            && matches!(token.len(), 2 | 4 | 8 | 12)
            && token.is_hex(self.text)
    }

    /// A UUID, MAC or IPv6 address that begins with letters: groups of hex digits, some with a digit or at least six.
    fn digits(&self, first: usize, joint: u8) -> Option<usize> {
        let is_same = |other: u8| other == joint || joint != b'-' && matches!(other, b':' | TWO_COLONS);
        let rest = self.tokens.get(first..)?;
        let joined = rest.windows(2).take_while(
            |pair| matches!(pair, [before, token] if is_same(before.joint) && token.is_hex(self.text)),
        );
        let count = joined.count() + 1;
        let has_digit = rest.iter().take(count).any(|token| token.has_digit);
        (count >= 6 || count >= 3 && has_digit).then(|| self.chain(first + count))
    }

    /// A URL or a path of at least two segments.
    fn link(&self, first: usize, token: &Token) -> Option<usize> {
        let behind = self.text.get(token.end..)?;
        if behind.starts_with(b"://") {
            return Some(self.unbroken(first));
        }
        let is_rooted = self.text.get(..token.start).is_some_and(|before| before.ends_with(b"/"))
            && self.is_apart(first, token);
        (is_rooted && behind.starts_with(b"/")).then(|| self.unbroken(first)).filter(|end| *end > first + 1)
    }

    /// Whether more than one byte parts it from the word before.
    fn is_apart(&self, index: usize, token: &Token) -> bool {
        self.before(index).is_none_or(|before| before.end + 1 < token.start)
    }

    /// The end of the words that no white space, quote or bracket parts.
    fn unbroken(&self, first: usize) -> usize {
        let rest = self.tokens.get(first..).unwrap_or_default();
        let joined = rest.iter().take_while(|token| token.gap != 0 && token.gap & BREAK == 0).count();
        first + 1 + joined.min(rest.len().saturating_sub(1))
    }

    /// A stack trace: from one `at` that begins a line to the last of those that follow.
    fn trace(&self, token: &Token) -> Option<usize> {
        let begins_line = self.text.get(..token.start)?.ends_with(b"\n\t") && token.of(self.text) == b"at";
        let mut lines = self.text.get(token.end..).filter(|_| begins_line)?.split(|byte| *byte == b'\n');
        let first = token.end + lines.next().map_or(0, <[u8]>::len);
        let more = lines.take_while(|line| line.starts_with(b"\tat ")).map(|line| line.len() + 1);
        let end = first + more.sum::<usize>();
        Some(self.tokens.partition_point(|token| token.end <= end))
    }

    /// A string of JSON without white space that is no key: of more than one word, or of any in a message that is long.
    fn json_name(&self, first: usize, token: &Token) -> Option<usize> {
        if !self.text.get(..token.start)?.ends_with(b"\"") {
            return None;
        }
        let end = self.unbroken(first);
        let behind = self.text.get(self.tokens.get(end - 1)?.end..)?;
        let is_long = end > first + 1 || self.text.len() > LONG_JSON_BYTES;
        (is_long && behind.starts_with(b"\"") && !behind.starts_with(b"\":")).then_some(end)
    }

    /// An e-mail address: words joined by `.`, `-`, `+`, an `@`, words joined by `.`, `-`.
    fn address(&self, first: usize) -> Option<usize> {
        if matches!(self.joint_before(first), b'.' | b'-' | b'+' | b'@') {
            // The first word of all that are joined has been asked; to ask each would take the square of their number.
            return None;
        }
        let (mut at, mut dots, mut end) = (None, 0, first);
        for token in self.tokens.get(first..)? {
            end += 1;
            match token.joint {
                b'@' if at.is_none() => at = Some(end),
                b'.' => dots += usize::from(at.is_some()),
                b'-' => {}
                b'+' if at.is_none() => {}
                _ => break,
            }
        }
        (dots > 0 && at? < end).then_some(end)
    }
}

/// What may join two variable words to one variable.
fn is_inner_joint(joint: u8) -> bool {
    matches!(joint, b'.' | b'-' | b':' | b'/' | b',' | b'+' | b'@' | b'%' | b'#' | TWO_COLONS)
}
