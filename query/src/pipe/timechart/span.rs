//! [`Buckets`]: how time is cut up. Knows nothing of what is in the buckets.

use super::*;

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// 1970-01-05, the first Monday.
const MONDAY: i64 = 4 * DAY;
/// Lengths that are chosen from, and the most buckets that are chosen.
const SPANS: [i64; 16] = [
    SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    WEEK,
    4 * WEEK,
    52 * WEEK,
];
const CHOSEN_ROWS: u64 = 200;

/// How time is cut up: a length, and from when to when.
///
/// Chosen lengths hold each other whole: whatever is cut up by one of them can be put together to the next.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    span: i64,
    /// Whether the length is ours to choose.
    free: bool,
    /// First and last time that must be in a bucket.
    ends: Option<(Timestamp, Timestamp)>,
}

impl Buckets {
    pub(super) fn new(span: Option<i64>, setting: &Setting) -> Self {
        let first = SPANS.first().copied().unwrap_or(SECOND);
        let mut buckets = Self { span: span.unwrap_or(first), free: span.is_none(), ends: ends(setting) };
        buckets.widen();
        buckets
    }

    /// Makes sure that `time` has a bucket. Answers whether the length has changed for it.
    pub(super) fn take_in(&mut self, time: Timestamp) -> bool {
        let (first, last) = self.ends.unwrap_or((time, time));
        self.ends = Some((first.min(time), last.max(time)));
        self.widen()
    }

    fn widen(&mut self) -> bool {
        if !self.free || self.rows() <= CHOSEN_ROWS {
            return false;
        }
        let old = self.span;
        for span in SPANS.into_iter().filter(|span| *span > old) {
            self.span = span;
            if self.rows() <= CHOSEN_ROWS {
                break;
            }
        }
        self.span != old
    }

    /// The length.
    pub(super) fn span(&self) -> i64 {
        self.span
    }

    /// First and last time that are in a bucket, if there are any.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        self.ends.into_iter().flat_map(|(first, last)| [first, last])
    }

    pub(super) fn of(&self, time: Timestamp) -> i64 {
        time.nanos().saturating_sub(offset(self.span)).div_euclid(self.span)
    }

    pub(super) fn start(&self, bucket: i64) -> Timestamp {
        start(bucket, self.span)
    }

    pub(super) fn range(&self) -> Range<i64> {
        self.ends.map_or(0..0, |(first, last)| self.of(first)..self.of(last).saturating_add(1))
    }

    pub(super) fn rows(&self) -> u64 {
        let Range { start, end } = self.range();
        end.abs_diff(start)
    }
}

/// When a bucket of this length begins.
pub(super) fn start(bucket: i64, span: i64) -> Timestamp {
    Timestamp::from_nanos(bucket.saturating_mul(span).saturating_add(offset(span)))
}

/// When, after 1970 began, a bucket of this length does.
pub(super) fn offset(span: i64) -> i64 {
    if span % WEEK == 0 { MONDAY } else { 0 }
}

/// First and last time of the range that is searched, as far as it has ends: an open end is now if there is a start.
fn ends(setting: &Setting) -> Option<(Timestamp, Timestamp)> {
    let Range { start, end } = setting.filed;
    if start == Timestamp::MIN {
        return None;
    }
    let last = if end == Timestamp::MAX { setting.now } else { end.plus_nanos(-1) };
    (start <= last).then_some((start, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_lengths_hold_each_other_whole() {
        for pair in SPANS.windows(2) {
            let [shorter, longer] = [pair[0], pair[1]];
            assert_eq!((longer % shorter, (offset(longer) - offset(shorter)) % shorter), (0, 0));
        }
    }
}
