//! [`Numbers`]: what the metrics of numbers remember. Sums are exact, whatever the order of documents.

use locard_event::Value;

use crate::es::key::millis;
use crate::pipe::ExactSum;

/// A value as a number: times as milliseconds, truths as 0 and 1, texts if they are numbers or times.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::Time(time) => Some(millis(*time) as f64),
        Value::Str(_) => value.as_f64().or_else(|| value.as_time().map(|time| millis(time) as f64)),
        other => other.as_f64(),
    }
}

/// What metrics of numbers remember.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    pub(super) count: u64,
    sum: ExactSum,
    squares: ExactSum,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Default for Numbers {
    fn default() -> Self {
        let (sum, squares) = (ExactSum::default(), ExactSum::default());
        Self { count: 0, sum, squares, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Numbers {
    /// Adds a number so many times; says by how many bytes it grew.
    pub(super) fn add(&mut self, number: f64, times: u64) -> usize {
        self.count += times;
        self.min = self.min.min(number);
        self.max = self.max.max(number);
        self.sum.add(number, times) + self.squares.add(number * number, times)
    }

    pub(super) fn merge(&mut self, other: &Self) -> usize {
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.sum.merge(&other.sum) + self.squares.merge(&other.squares)
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum.clone().rounded_with(0)
    }

    pub(super) fn squares(&self) -> f64 {
        self.squares.clone().rounded_with(0)
    }

    pub(super) fn average(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }

    /// The variance of the numbers themselves, or of what they are a sample of.
    pub(super) fn variance(&self, sampling: bool) -> Option<f64> {
        let count = self.count as f64;
        let divisor = if sampling { count - 1.0 } else { count };
        let (sum, squares) = (self.sum(), self.squares());
        (divisor > 0.0).then(|| ((squares - sum * sum / count) / divisor).max(0.0))
    }
}

/// Numbers in order, with how often each occurs.
#[derive(Clone, Debug)]
pub(super) struct Sorted(pub(super) Vec<(f64, u64)>);

impl Sorted {
    fn count(&self) -> u64 {
        self.0.iter().map(|(_, times)| times).sum()
    }

    fn nth(&self, before: u64) -> Option<f64> {
        let mut passed = 0;
        let found = self.0.iter().find(|(_, times)| {
            passed += times;
            passed > before
        });
        found.map(|(number, _)| *number)
    }

    /// The number that this share of them, in percent, lies below; between two it is in proportion.
    pub(super) fn at(&self, percent: f64) -> Option<f64> {
        let place = percent / 100.0 * (self.count().checked_sub(1)? as f64);
        let (below, above) = (self.nth(place.floor() as u64)?, self.nth(place.ceil() as u64)?);
        Some(below + (above - below) * place.fract())
    }

    /// The share of numbers, in percent, that are not above this one.
    pub(super) fn rank(&self, number: f64) -> Option<f64> {
        let count = self.count();
        let below: u64 = self.0.iter().filter(|(own, _)| *own <= number).map(|(_, times)| times).sum();
        (count > 0).then(|| below as f64 * 100.0 / count as f64)
    }

    /// The median distance from the median.
    pub(super) fn deviation(&self) -> Option<f64> {
        let median = self.at(50.0)?;
        let mut distances: Vec<(f64, u64)> =
            self.0.iter().map(|(number, times)| ((number - median).abs(), *times)).collect();
        distances.sort_by(|(one, _), (two, _)| one.total_cmp(two));
        Self(distances).at(50.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_ranks_and_deviations() {
        let sorted = Sorted(vec![(1.0, 2), (2.0, 1), (4.0, 1), (10.0, 1)]);
        assert_eq!(sorted.at(50.0), Some(2.0));
        assert_eq!(sorted.at(100.0), Some(10.0));
        assert_eq!(sorted.rank(2.0), Some(60.0));
        assert_eq!(sorted.deviation(), Some(1.0));
        assert_eq!(Sorted(Vec::new()).at(50.0), None);
    }

    #[test]
    fn a_variance_is_of_all_or_of_a_sample() {
        let mut numbers = Numbers::default();
        for (number, times) in [(2.0, 1), (4.0, 3), (5.0, 2), (7.0, 1), (9.0, 1)] {
            numbers.add(number, times);
        }
        assert_eq!((numbers.average(), numbers.variance(false)), (Some(5.0), Some(4.0)));
        assert_eq!(numbers.variance(true), Some(32.0 / 7.0));
    }
}
