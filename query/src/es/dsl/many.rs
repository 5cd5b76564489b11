//! `minimum_should_match`: how many of several clauses must match, and a filter that says so.

use locard_filter::Filter;
use serde_json::Value as Json;

use super::text::nothing;
use crate::es::error::Error;

/// Most ways to choose that are written out.
const MAX_WAYS: u64 = 1_024;

/// How many of `count` clauses must match: `2`, `-1`, `75%`, `-25%`, `3<90%`.
pub(super) fn least(rule: &Json, count: usize) -> Result<usize, Error> {
    let text = match rule {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        other => return Err(Error::parsing(format!("[minimum_should_match] cannot be [{other}]"))),
    };
    let bad = || Error::illegal(format!("failed to parse [minimum_should_match] value [{text}]"));
    if !text.contains('<') {
        return simple(&text, count).ok_or_else(bad);
    }
    // The last condition that the count is greater than decides; without one all must match.
    let mut least = count;
    for condition in text.split_whitespace() {
        let (above, rule) = condition.split_once('<').ok_or_else(bad)?;
        let above: usize = above.parse().map_err(|_| bad())?;
        let wanted = simple(rule, count).ok_or_else(bad)?;
        if count > above {
            least = wanted;
        }
    }
    Ok(least)
}

fn simple(text: &str, count: usize) -> Option<usize> {
    let total = i64::try_from(count).ok()?;
    let wanted = match text.strip_suffix('%') {
        Some(percent) => {
            let percent: i64 = percent.trim().parse().ok()?;
            let share = total * percent / 100;
            if percent < 0 { total + share } else { share }
        }
        None => {
            let number: i64 = text.parse().ok()?;
            if number < 0 { total + number } else { number }
        }
    };
    usize::try_from(wanted.max(0)).ok()
}

/// At least so many of these match.
pub(super) fn at_least(least: usize, parts: Vec<Filter>) -> Result<Filter, Error> {
    let count = parts.len();
    match least {
        0 => Ok(Filter::All),
        1 => Ok(Filter::any_of(parts)),
        least if least > count => Ok(nothing()),
        least if least == count => Ok(Filter::all_of(parts)),
        least if ways(count as u64, least as u64) > MAX_WAYS => {
            Err(Error::unsupported(&format!("minimum_should_match {least} of {count}")))
        }
        least => Ok(choose(least, &parts)),
    }
}

fn ways(count: u64, least: u64) -> u64 {
    let mut ways = 1u64;
    for step in 0..least.min(count - least) {
        ways = ways.saturating_mul(count - step) / (step + 1);
    }
    ways
}

fn choose(least: usize, parts: &[Filter]) -> Filter {
    match parts.split_first() {
        _ if least == 0 => Filter::All,
        _ if parts.len() == least => Filter::all_of(parts.iter().cloned()),
        None => nothing(),
        Some((first, rest)) if least == 1 => Filter::any_of(std::iter::once(first).chain(rest).cloned()),
        Some((first, rest)) => {
            Filter::any_of([first.clone().and(choose(least - 1, rest)), choose(least, rest)])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_numbers_shares_and_conditions() {
        for (rule, count, expected) in [
            (json!(2), 5, 2),
            (json!(-1), 5, 4),
            (json!("75%"), 5, 3),
            (json!("-25%"), 5, 4),
            (json!("3<90%"), 3, 3),
            (json!("3<90%"), 10, 9),
            (json!("2<-25% 9<-3"), 2, 2),
            (json!("2<-25% 9<-3"), 4, 3),
            (json!("2<-25% 9<-3"), 12, 9),
            (json!(-9), 5, 0),
        ] {
            assert_eq!(least(&rule, count).unwrap(), expected, "{rule} of {count}");
        }
        for bad in [json!("x"), json!([]), json!("3<x")] {
            assert!(least(&bad, 3).is_err(), "{bad}");
        }
    }
}
