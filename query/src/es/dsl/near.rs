//! Words that are nearly right and words that are nearly beside each other: `fuzziness` and `slop`, as expressions.
//!
//! A word is within a distance if so many insertions, deletions, replacements or swaps of neighbours make one of the other
//! (Damerau and Levenshtein, as Lucene counts them). Words of a phrase are within a slop if the farthest that two of them are moved
//! against each other is no more than it, which is Lucene's sloppy phrase.

use locard_filter::{Filter, Test};
use serde_json::Value as Json;

use super::text::{equals, has_word, nothing};
use super::{scalar, word};
use crate::es::error::Error;
use crate::es::field::{Field, Kind};

/// Longest word that is looked for with mistakes, in characters: the expression grows with its cube.
const MAX_FUZZY_CHARS: usize = 32;
/// Most ways to place the words of a phrase.
const MAX_WAYS: usize = 256;
/// A character of a word, written so that a compiled expression stays small.
const LETTER: &str = r"[0-9A-Za-z_\u{AA}\u{B5}\u{BA}\u{C0}-\u{1FFF}\u{3040}-\u{D7FF}\u{F900}-\u{FDFF}]";
const MARK: &str = r"[^0-9A-Za-z_\u{AA}\u{B5}\u{BA}\u{C0}-\u{1FFF}\u{3040}-\u{D7FF}\u{F900}-\u{FDFF}]";

/// How many mistakes a word may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fuzziness {
    Exactly(usize),
    /// None below the first length, one below the second, else two.
    Auto(usize, usize),
}

/// How a word may differ from what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fuzzy {
    pub(super) fuzziness: Fuzziness,
    /// So many characters at the beginning are right.
    pub(super) prefix: usize,
    /// Whether a swap of neighbours is one mistake; else it is two.
    pub(super) swaps: bool,
}

impl Fuzziness {
    /// `0`, `1`, `2`, `AUTO`, `AUTO:3,6`.
    pub(super) fn read(value: &Json) -> Result<Self, Error> {
        let text = scalar(value).unwrap_or_default();
        let bad = || Error::illegal(format!("Invalid fuzziness value: [{text}]"));
        let upper = text.to_ascii_uppercase();
        if let Some(rest) = upper.strip_prefix("AUTO") {
            let Some(bounds) = rest.strip_prefix(':') else {
                return if rest.is_empty() { Ok(Self::Auto(3, 6)) } else { Err(bad()) };
            };
            let (low, high) = bounds.split_once(',').ok_or_else(bad)?;
            let (low, high) =
                (low.trim().parse().map_err(|_| bad())?, high.trim().parse().map_err(|_| bad())?);
            return if low <= high { Ok(Self::Auto(low, high)) } else { Err(bad()) };
        }
        match text.parse::<f64>() {
            Ok(edits) if edits >= 0.0 && edits.fract() == 0.0 && edits <= 2.0 => {
                Ok(Self::Exactly(edits as usize))
            }
            _ => Err(bad()),
        }
    }

    fn edits(self, chars: usize) -> usize {
        match self {
            Self::Exactly(edits) => edits,
            Self::Auto(low, _) if chars < low => 0,
            Self::Auto(_, high) if chars < high => 1,
            Self::Auto(..) => 2,
        }
    }
}

/// The field has a word, or is one as a whole, that is as this one but for some mistakes.
pub(super) fn fuzzy(field: &Field, text: &str, how: Fuzzy) -> Result<Filter, Error> {
    let is_text = field.kind == Kind::Text;
    let chars: Vec<char> =
        if is_text { text.to_lowercase().chars().collect() } else { text.chars().collect() };
    let edits = how.fuzziness.edits(chars.len());
    if edits == 0 {
        return Ok(if is_text { has_word(field, text) } else { equals(field, text) });
    }
    if chars.len() > MAX_FUZZY_CHARS {
        let what = format!("fuzziness on a word of more than {MAX_FUZZY_CHARS} characters");
        return Err(Error::unsupported(&what));
    }
    let (right, rest) = chars.split_at(how.prefix.min(chars.len()));
    let any = if is_text { LETTER } else { "." };
    let inner = format!("{}{}", literal(right), within(rest, edits, how.swaps, any));
    let pattern = if is_text {
        format!(r"(?:\A|{MARK})(?:{inner})(?:\z|{MARK})")
    } else {
        format!(r"(?s)\A(?:{inner})\z")
    };
    Ok(field.is(Test::Regex { pattern: pattern.into(), ignore_case: is_text }))
}

fn literal(chars: &[char]) -> String {
    regex::escape(&chars.iter().collect::<String>())
}

/// An expression of every word within a distance of this one.
fn within(chars: &[char], edits: usize, swaps: bool, any: &str) -> String {
    if edits == 0 {
        return literal(chars);
    }
    let Some((first, rest)) = chars.split_first() else { return format!("{any}{{0,{edits}}}") };
    let fewer = |chars: &[char]| within(chars, edits - 1, swaps, any);
    let right = format!("{}{}", literal(&[*first]), within(rest, edits, swaps, any));
    let mut ways =
        vec![right, format!("{any}{}", fewer(rest)), fewer(rest), format!("{any}{}", fewer(chars))];
    if let (true, Some((second, behind))) = (swaps, rest.split_first()) {
        ways.push(format!("{}{}", literal(&[*second, *first]), fewer(behind)));
    }
    format!("(?:{})", ways.join("|"))
}

/// The words of the text near each other, in about this order; the last may be a beginning.
pub(super) fn sloppy(field: &Field, text: &str, slop: usize, last_is_prefix: bool) -> Result<Filter, Error> {
    let words = word::words(text);
    if words.is_empty() {
        return Ok(nothing());
    }
    let placements = placements(words.len(), slop)
        .ok_or_else(|| Error::unsupported(&format!("slop {slop} with a phrase of {} words", words.len())))?;
    let written = |at: usize| {
        let word = words.get(at).map(|word| regex::escape(word)).unwrap_or_default();
        if last_is_prefix && at + 1 == words.len() { format!("{word}{LETTER}*") } else { word }
    };
    let ways: Vec<String> = placements.iter().map(|places| one_way(places, written)).collect();
    let pattern = format!(r"(?:\A|{MARK})(?:{})(?:\z|{MARK})", ways.join("|"));
    let near = field.is(Test::Regex { pattern: pattern.into(), ignore_case: true });
    let sure = words.len() - usize::from(last_is_prefix);
    let single = words.iter().take(sure).map(|word| field.is(Test::Contains(word.as_str().into())));
    Ok(Filter::all_of(single.chain([near])))
}

/// One way to place words: which word stands where, other words between them.
fn one_way(places: &[usize], written: impl Fn(usize) -> String) -> String {
    let mut order: Vec<(usize, usize)> = places.iter().copied().zip(0..).collect();
    order.sort_unstable();
    let mut pattern = String::new();
    let mut before = None;
    for (place, word) in order {
        match before.map(|before| place - before - 1) {
            None => {}
            Some(0) => pattern.push_str(&format!("{MARK}+")),
            Some(gap) => pattern.push_str(&format!("{MARK}+(?:{LETTER}+{MARK}+){{{gap}}}")),
        }
        pattern.push_str(&written(word));
        before = Some(place);
    }
    pattern
}

/// Every way to move words by 0 to `slop`, one of them not at all, so that no two stand in one place; nothing if there are too many.
fn placements(count: usize, slop: usize) -> Option<Vec<Vec<usize>>> {
    let total = slop.checked_add(1)?.checked_pow(u32::try_from(count).ok()?)?;
    if total > MAX_WAYS * 4 {
        return None;
    }
    let mut all = Vec::new();
    for mut number in 0..total {
        let mut moves = Vec::with_capacity(count);
        for _ in 0..count {
            moves.push(number % (slop + 1));
            number /= slop + 1;
        }
        let places: Vec<usize> = moves.iter().zip(0..).map(|(moved, at)| moved + at).collect();
        let mut distinct = places.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if moves.contains(&0) && distinct.len() == count {
            all.push(places);
        }
    }
    (all.len() <= MAX_WAYS).then_some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn is_found(filter: &Filter, text: &str) -> bool {
        let stream = std::sync::Arc::new(locard_event::Stream::new([("a", "b")]));
        let event =
            locard_event::Event::new(locard_event::Timestamp::from_seconds(1), stream, text.to_owned());
        locard_filter::Matcher::new(filter).unwrap().matches(&event)
    }

    /// Lucene's distance, by the book.
    fn distance(one: &[char], two: &[char]) -> usize {
        let mut table = vec![vec![0usize; two.len() + 1]; one.len() + 1];
        for i in 0..=one.len() {
            for j in 0..=two.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let same = usize::from(one[i - 1] != two[j - 1]);
                    let mut least =
                        (table[i - 1][j - 1] + same).min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && one[i - 1] == two[j - 2] && one[i - 2] == two[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
        }
        table[one.len()][two.len()]
    }

    #[test]
    fn fuzzy_words_are_those_within_the_distance() {
        let field = Field::named("message");
        let words =
            ["abcd", "abc", "acbd", "bacd", "abxd", "axxd", "abcdef", "bc", "xabcd", "dcba", "badc", "ab"];
        for edits in 1..=2 {
            let how = Fuzzy { fuzziness: Fuzziness::Exactly(edits), prefix: 0, swaps: true };
            let filter = fuzzy(&field, "ABCD", how).unwrap();
            for word in words {
                let chars = |text: &str| text.chars().collect::<Vec<_>>();
                let expected = distance(&chars("abcd"), &chars(word)) <= edits;
                assert_eq!(is_found(&filter, &format!("see {word}, here")), expected, "{word} {edits}");
            }
        }
        let how = Fuzzy { fuzziness: Fuzziness::Auto(3, 6), prefix: 1, swaps: false };
        let filter = fuzzy(&field, "password", how).unwrap();
        let found = |text| is_found(&filter, text);
        assert!(found("pasword") && found("Passwrod") && !found("assword") && !found("pass word"));
    }

    #[test]
    fn fuzziness_is_a_number_or_automatic() {
        for (value, chars, expected) in [
            (json!("AUTO"), 2, 0),
            (json!("auto"), 5, 1),
            (json!("AUTO:4,7"), 7, 2),
            (json!(1), 9, 1),
            (json!("2.0"), 9, 2),
        ] {
            assert_eq!(Fuzziness::read(&value).unwrap().edits(chars), expected, "{value}");
        }
        for bad in [json!(3), json!(-1), json!("AUTO:6,3"), json!("some"), json!(0.5)] {
            assert!(Fuzziness::read(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sloppy_phrase_has_its_words_near_each_other() {
        let field = Field::named("message");
        for (text, slop, message, expected) in [
            ("zone explosion", 1, "zone of explosion", true),
            ("zone explosion", 1, "zone of the explosion", false),
            ("zone explosion", 2, "zone of the explosion", true),
            ("zone explosion", 1, "explosion zone", false),
            ("zone explosion", 2, "Explosion, ZONE", true),
            ("a b c", 1, "a x b c", true),
            ("a b c", 1, "a x b x c", false),
            ("a b c", 2, "a x b x c", true),
            ("a b c", 2, "b a c", true),
            ("a a", 1, "a", false),
        ] {
            let filter = sloppy(&field, text, slop, false).unwrap();
            assert_eq!(is_found(&filter, message), expected, "{text}~{slop}: {message}");
        }
        assert!(is_found(&sloppy(&field, "zone expl", 1, true).unwrap(), "the zone of explosion"));
        assert!(sloppy(&field, "a b c d e f", 9, false).is_err());
    }
}
