//! `highlight`: what of a field matched, between tags. The whole query is looked for; what it forbids is not.

use locard_event::{Event, name};
use locard_filter::{Filter, Predicate, Test};
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value as Json, json};

use super::error::Error;
use super::{fields, hit};

/// Largest expression that is highlighted, compiled, in bytes.
const MAX_EXPRESSION_BYTES: usize = 1 << 20;

/// How fragments are cut and marked.
#[derive(Clone, Debug)]
struct Style {
    before: String,
    after: String,
    size: usize,
    count: usize,
}

/// What is to be highlighted.
#[derive(Debug)]
pub(super) struct Highlight {
    fields: Vec<(String, Style)>,
    marks: Vec<(Option<Box<str>>, Regex)>,
}

fn first_text(value: Option<&Json>) -> Option<String> {
    match value? {
        Json::Array(items) => items.first()?.as_str().map(str::to_owned),
        value => value.as_str().map(str::to_owned),
    }
}

impl Style {
    fn read(members: &Map<String, Json>, default: &Self) -> Self {
        let number = |name: &str, default: usize| {
            members
                .get(name)
                .and_then(Json::as_u64)
                .map_or(default, |n| usize::try_from(n).unwrap_or(usize::MAX))
        };
        Self {
            before: first_text(members.get("pre_tags")).unwrap_or_else(|| default.before.clone()),
            after: first_text(members.get("post_tags")).unwrap_or_else(|| default.after.clone()),
            size: number("fragment_size", default.size),
            count: number("number_of_fragments", default.count),
        }
    }
}

impl Highlight {
    /// From the member `highlight` of a body, for a query.
    pub(super) fn read(body: &Json, query: &Filter) -> Result<Self, Error> {
        let members = body.as_object().ok_or_else(|| Error::parsing("[highlight] must be an object"))?;
        let default = Style { before: "<em>".into(), after: "</em>".into(), size: 100, count: 5 };
        let style = Style::read(members, &default);
        let mut fields = Vec::new();
        let groups: Vec<&Map<String, Json>> = match members.get("fields") {
            Some(Json::Object(fields)) => vec![fields],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_object).collect(),
            _ => return Err(Error::parsing("[highlight] requires [fields]")),
        };
        for (name, body) in groups.into_iter().flatten() {
            let empty = Map::new();
            let body = body.as_object().unwrap_or(&empty);
            let query = body.get("highlight_query").or(members.get("highlight_query"));
            if query.is_some() {
                return Err(Error::unsupported("highlight_query"));
            }
            fields.push((name.clone(), Style::read(body, &style)));
        }
        let mut marks = Vec::new();
        collect(query, &mut marks);
        Ok(Self { fields, marks })
    }

    /// The fragments of an event, by field.
    pub(super) fn of(&self, event: &Event) -> Option<Json> {
        let mut found = Map::new();
        for (pattern, style) in &self.fields {
            for field in fields::names(event, pattern) {
                let fragments = self.field(event, &field, style);
                if !fragments.is_empty() {
                    found.insert(field, json!(fragments));
                }
            }
        }
        (!found.is_empty()).then_some(Json::Object(found))
    }

    fn field(&self, event: &Event, field: &str, style: &Style) -> Vec<String> {
        let plain = super::field::plain(field);
        let marks: Vec<&Regex> = self
            .marks
            .iter()
            .filter(|(asked, _)| asked.as_deref().is_none_or(|asked| asked == plain))
            .map(|(_, mark)| mark)
            .collect();
        if marks.is_empty() || matches!(plain, name::TIMESTAMP | name::INGESTED) {
            return Vec::new();
        }
        let values = hit::values(event, plain);
        let fragments = values.iter().flat_map(|value| fragments(&value.text(), &marks, style));
        fragments.take(style.count.max(1)).collect()
    }
}

/// What a query looks for, by field.
fn collect(filter: &Filter, marks: &mut Vec<(Option<Box<str>>, Regex)>) {
    match filter {
        Filter::All | Filter::Not(_) => {}
        Filter::And(parts) | Filter::Or(parts) => parts.iter().for_each(|part| collect(part, marks)),
        Filter::Is(Predicate { field, test }) => {
            if let Some(mark) = mark(test) {
                marks.push((field.clone(), mark));
            }
        }
    }
}

fn mark(test: &Test) -> Option<Regex> {
    let (pattern, ignore_case) = match test {
        Test::Contains(text) => (bounded(&regex::escape(text), text), true),
        Test::Equals(text) => (format!(r"\A{}\z", regex::escape(text)), false),
        Test::Regex { pattern, ignore_case } => (pattern.to_string(), *ignore_case),
        Test::Wildcard(pattern) => (wildcard(pattern), true),
        _ => return None,
    };
    let built =
        RegexBuilder::new(&pattern).case_insensitive(ignore_case).size_limit(MAX_EXPRESSION_BYTES).build();
    built.ok()
}

/// Bounded by word ends where the text has a word there.
fn bounded(escaped: &str, text: &str) -> String {
    let is_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    let bound = |is_word: bool| if is_word { r"\b" } else { "" };
    format!("{}{escaped}{}", bound(is_word(text.chars().next())), bound(is_word(text.chars().next_back())))
}

fn wildcard(pattern: &str) -> String {
    use locard_filter::glob::{Piece, pieces};
    let inner = pieces(pattern).into_iter().map(|piece| match piece {
        Piece::Any => r"\w*".to_owned(),
        Piece::One => ".".to_owned(),
        Piece::Literal(text) => regex::escape(&text),
    });
    format!(r"\b{}", inner.collect::<String>())
}

/// The places that any mark matches, joined where they touch.
fn places(text: &str, marks: &[&Regex]) -> Vec<(usize, usize)> {
    let found = marks.iter().flat_map(|mark| mark.find_iter(text)).filter(|found| !found.is_empty());
    let mut found: Vec<(usize, usize)> = found.map(|found| (found.start(), found.end())).collect();
    found.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for (start, end) in found {
        match joined.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn fragments(text: &str, marks: &[&Regex], style: &Style) -> Vec<String> {
    let places = places(text, marks);
    let Some(first) = places.first() else { return Vec::new() };
    if style.count == 0 || text.chars().count() <= style.size {
        return vec![tagged(text, 0, text.len(), &places, style)];
    }
    let mut fragments = Vec::new();
    let mut next = Some(*first);
    while let Some((start, end)) = next {
        let from = boundary(text, start.saturating_sub(style.size.saturating_sub(end - start) / 2));
        let to = boundary(text, end.max(from.saturating_add(style.size)));
        let from = fragments.last().map_or(from, |(_, before): &(usize, usize)| from.max(*before));
        fragments.push((from, to));
        next = places.iter().find(|(start, _)| *start >= to).copied();
        if fragments.len() >= style.count {
            break;
        }
    }
    fragments.into_iter().map(|(from, to)| tagged(text, from, to, &places, style)).collect()
}

/// The nearest place not beyond `at` where the text can be cut.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn tagged(text: &str, from: usize, to: usize, places: &[(usize, usize)], style: &Style) -> String {
    let mut out = String::new();
    let mut at = from;
    for (start, end) in places.iter().filter(|(start, end)| *start >= from && *end <= to) {
        out.push_str(text.get(at..*start).unwrap_or_default());
        out.push_str(&style.before);
        out.push_str(text.get(*start..*end).unwrap_or_default());
        out.push_str(&style.after);
        at = *end;
    }
    out.push_str(text.get(at..to).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(size: usize, count: usize) -> Style {
        Style { before: "<".into(), after: ">".into(), size, count }
    }

    #[test]
    fn fragments_are_cut_around_what_matched() {
        let word = Regex::new(r"(?i)\bfox\b").unwrap();
        let text = "a fox and another Fox; no foxes";
        assert_eq!(fragments(text, &[&word], &style(100, 5)), ["a <fox> and another <Fox>; no foxes"]);
        assert_eq!(fragments(text, &[&word], &style(5, 5)), [" <fox> ", " <Fox>;"]);
        assert_eq!(fragments(text, &[&word], &style(5, 0)), ["a <fox> and another <Fox>; no foxes"]);
        assert!(fragments("no", &[&word], &style(5, 5)).is_empty());
    }
}
