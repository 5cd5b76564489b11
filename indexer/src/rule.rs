//! [`Rule`]: `keep FILTER for 400d`, one line of the retention configuration. Pure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use locard_event::{Event, Timestamp};
use locard_filter::{
    Filter, Matcher, Predicate, SyntaxError, Test, TimePoint, TimeRange, parse, parse_duration,
};

/// How long something is kept. Longer is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Age {
    /// Until it is this old.
    For(Duration),
    /// Without limit.
    Forever,
}

impl Age {
    /// When what was filed at `filed` is old enough to go; nothing: never.
    pub(crate) fn due(self, filed: Timestamp) -> Option<Timestamp> {
        match self {
            Self::For(age) => Some(filed.plus_nanos(i64::try_from(age.as_nanos()).unwrap_or(i64::MAX))),
            Self::Forever => None,
        }
    }
}

/// A rule that keeps the events that match a filter for as long as it says.
#[derive(Clone)]
pub struct Rule {
    filter: Filter,
    matcher: Arc<Matcher>,
    text: Arc<str>,
    age: Age,
}

impl Rule {
    /// Reads `keep FILTER for 400d` or `keep FILTER for forever`.
    ///
    /// # Errors
    /// What is wrong and what to do, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no rule: write `keep FILTER for 400d` or `keep FILTER for forever`");
        let rest = text.trim().strip_prefix("keep ").ok_or_else(wrong)?;
        let (filter, age) = rest.rsplit_once(" for ").ok_or_else(wrong)?;
        let age = parse_age(age.trim()).ok_or_else(|| {
            format!("`{}` is no age: write a span such as `400d` or `12h`, or `forever`", age.trim())
        })?;
        let (filter, matcher) = fixed_filter(filter)?;
        Ok(Self { text: filter.to_string().into(), filter, matcher: Arc::new(matcher), age })
    }

    /// The filter as text, one spelling for all that mean the same by their form.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// How long.
    pub fn age(&self) -> Age {
        self.age
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(crate) fn matches(&self, event: &Event) -> bool {
        self.matcher.matches(event)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("filter", &self.text).field("age", &self.age).finish_non_exhaustive()
    }
}

fn parse_age(text: &str) -> Option<Age> {
    if text == "forever" {
        return Some(Age::Forever);
    }
    let nanos = u64::try_from(parse_duration(text)?).ok().filter(|nanos| *nanos > 0)?;
    Some(Age::For(Duration::from_nanos(nanos)))
}

/// Reads a filter that says the same of an event whenever it is asked.
///
/// # Errors
/// What is wrong and what to do, in a sentence.
pub(crate) fn fixed_filter(text: &str) -> Result<(Filter, Matcher), String> {
    let filter = parse(text).map_err(|error| explain(&error))?;
    if let Some(predicate) = relative(&filter) {
        let written = Filter::Is(predicate.clone());
        return Err(format!(
            "`{written}` depends on the time it is asked: write times that stand still, as 2026-03-01"
        ));
    }
    let matcher = Matcher::new(&filter).map_err(|error| explain(&error))?;
    Ok((filter, matcher))
}

fn explain(error: &SyntaxError) -> String {
    let hint = error.hint.as_ref().map_or(String::new(), |hint| format!(" ({hint})"));
    format!("{error} at position {} of the filter{hint}", error.span.start)
}

/// The first test that means something else tomorrow.
fn relative(filter: &Filter) -> Option<&Predicate> {
    let moves = |point: &Option<TimePoint>| matches!(point, Some(TimePoint::Now(_)));
    match filter {
        Filter::All => None,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().find_map(relative),
        Filter::Not(part) => relative(part),
        Filter::Is(predicate) => match &predicate.test {
            Test::Time(TimeRange { from, to }) if moves(from) || moves(to) => Some(predicate),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, Age), &str>) {
        match (Rule::parse(text), expected) {
            (Ok(rule), Ok((filter, age))) => assert_eq!((&**rule.text(), rule.age()), (filter, age)),
            (Err(found), Err(part)) => assert!(found.contains(part), "{text}: {found}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn rules_are_read_or_say_what_to_do() {
        let days = |days: u64| Age::For(Duration::from_secs(days * 86_400));
        check(
            "keep kubernetes.namespace:payments for 400d",
            Ok(("kubernetes.namespace:payments", days(400))),
        );
        check("  keep   a   AND b  for  1w ", Ok(("a b", days(7))));
        check("keep \"wait for it\" for forever", Ok(("\"wait for it\"", Age::Forever)));
        check(
            "keep _time:[2026-01-01 TO 2026-02-01] for 1d12h",
            Ok((
                "_time:[2026-01-01T00:00:00.000Z TO 2026-02-02T00:00:00.000Z}",
                Age::For(Duration::from_secs(129_600)),
            )),
        );
        check("a for 1d", Err("is no rule: write `keep FILTER for 400d`"));
        check("keep a", Err("is no rule"));
        check("keep a for ever", Err("`ever` is no age"));
        check("keep a for 0d", Err("`0d` is no age"));
        check("keep (a for 1d", Err("position 0"));
        check("keep x OR NOT _time:1h for 1d", Err("depends on the time it is asked"));
    }

    #[test]
    fn longer_is_greater() {
        let hours = |hours: u64| Age::For(Duration::from_secs(hours * 3600));
        assert!(hours(1) < hours(2) && hours(2) < Age::Forever);
        let filed = Timestamp::from_seconds(10);
        assert_eq!(Age::Forever.due(filed), None);
        assert_eq!(hours(1).due(filed), Some(Timestamp::from_seconds(3610)));
    }
}
