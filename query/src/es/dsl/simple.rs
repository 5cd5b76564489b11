//! `simple_query_string`: never an error in its text. `+` and, `|` or, `-` not, `"…"` phrase, `*` prefix, `( )` groups.

use locard_filter::{Filter, MAX_DEPTH};
use serde_json::{Map, Value as Json};

use super::leaf::fields;
use super::leaf::{prefix_of, swaps_of};
use super::lucene::all_words;
use super::near::{Fuzziness, Fuzzy, fuzzy};
use super::text::{nothing, phrase, prefix, words_of};
use super::{known, many};
use crate::es::error::Error;
use crate::es::field::Field;
use crate::es::schema::Meaning;

pub(super) fn query(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let names = [
        "query",
        "fields",
        "default_operator",
        "flags",
        "lenient",
        "minimum_should_match",
        "analyze_wildcard",
        "quote_field_suffix",
        "analyzer",
        "auto_generate_synonyms_phrase_query",
        "fuzzy_max_expansions",
        "fuzzy_prefix_length",
        "fuzzy_transpositions",
        "boost",
        "_name",
    ];
    known("simple_query_string", members, &names)?;
    let text = members.get("query").and_then(super::scalar);
    let text = text.ok_or_else(|| Error::parsing("[simple_query_string] query text missing"))?;
    if members.get("flags").and_then(Json::as_str).is_some_and(|flags| flags != "ALL") {
        return Err(Error::unsupported("simple_query_string with flags"));
    }
    let fields = fields(members.get("fields"), meaning)?;
    let all = all_words(members)?;
    let fuzzy = Fuzzy {
        fuzziness: Fuzziness::Exactly(0),
        prefix: prefix_of(members, "fuzzy_prefix_length")?,
        swaps: swaps_of(members, "fuzzy_transpositions")?,
    };
    let mut parser = Parser { chars: text.chars().collect(), at: 0, depth: 0, fields: &fields, all, fuzzy };
    let mut parts = Vec::new();
    while parser.at < parser.chars.len() {
        parts
            .extend(parser.clauses(parts.is_empty().then(|| members.get("minimum_should_match")).flatten())?);
        // A `)` that closes nothing is passed over.
        parser.at += 1;
    }
    Ok(match (parts.is_empty(), all) {
        (true, _) => nothing(),
        (false, true) => Filter::all_of(parts),
        (false, false) => Filter::any_of(parts),
    })
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    fields: &'a [Field],
    all: bool,
    fuzzy: Fuzzy,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    /// Clauses until the end or a `)`.
    fn clauses(&mut self, minimum: Option<&Json>) -> Result<Option<Filter>, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::illegal("simple_query_string is nested too deep"));
        }
        let mut clauses: Vec<Filter> = Vec::new();
        let (mut and, mut negate, mut explicit) = (self.all, false, false);
        while let Some(char) = self.peek() {
            match char {
                ')' => break,
                '+' => (and, explicit) = (true, true),
                '|' => (and, explicit) = (false, true),
                '-' if self.begins_word() => negate = true,
                char if char.is_whitespace() => {}
                _ => {
                    let Some(filter) = self.clause()? else { continue };
                    let filter = if negate { Filter::Not(Box::new(filter)) } else { filter };
                    match clauses.pop() {
                        Some(before) if explicit && and => clauses.push(before.and(filter)),
                        Some(before) if explicit => clauses.push(Filter::any_of([before, filter])),
                        before => clauses.extend(before.into_iter().chain([filter])),
                    }
                    (and, negate, explicit) = (self.all, false, false);
                    continue;
                }
            }
            self.at += 1;
        }
        self.depth -= 1;
        Ok(match (clauses.len(), minimum) {
            (0, _) => None,
            (count, Some(rule)) if !self.all => {
                Some(many::at_least(many::least(rule, count)?.max(1), clauses)?)
            }
            (_, _) if self.all => Some(Filter::all_of(clauses)),
            _ => Some(Filter::any_of(clauses)),
        })
    }

    fn begins_word(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.chars.get(at));
        before.is_none_or(|char| char.is_whitespace() || matches!(char, '(' | '+' | '|' | '-'))
    }

    /// One clause; nothing if it holds no word.
    fn clause(&mut self) -> Result<Option<Filter>, Error> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let group = self.clauses(None)?;
                self.at += usize::from(self.peek() == Some(')'));
                Ok(group)
            }
            Some('"') => {
                self.at += 1;
                let text = self.until(|char| char == '"');
                self.at += 1;
                let slop = self.distance()?;
                Ok(Some(self.any(|field| phrase(field, &text, slop, false))?))
            }
            _ => {
                let text = self
                    .until(|char| char.is_whitespace() || matches!(char, '(' | ')' | '|' | '+' | '"' | '~'));
                let edits = self.distance()?;
                let filter = match text.strip_suffix('*') {
                    Some("") => Filter::All,
                    Some(start) => self.any(|field| Ok(prefix(field, &start.to_lowercase(), false)))?,
                    None if edits > 0 => self.any(|field| fuzzy(field, &text, self.fuzzy(edits)))?,
                    None => self.any(|field| Ok(self.words(field, &text)))?,
                };
                Ok((!text.is_empty()).then_some(filter))
            }
        }
    }

    fn any(&self, ask: impl Fn(&Field) -> Result<Filter, Error>) -> Result<Filter, Error> {
        let parts: Vec<Filter> = self.fields.iter().map(ask).collect::<Result<_, _>>()?;
        Ok(Filter::any_of(parts))
    }

    fn fuzzy(&self, edits: usize) -> Fuzzy {
        Fuzzy { fuzziness: Fuzziness::Exactly(edits.min(2)), ..self.fuzzy }
    }

    fn words(&self, field: &Field, text: &str) -> Filter {
        let parts = words_of(field, text);
        match self.all {
            _ if parts.is_empty() => nothing(),
            true => Filter::all_of(parts),
            false => Filter::any_of(parts),
        }
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(char) = self.peek().filter(|char| !ends(*char)) {
            self.at += 1;
            match char {
                '\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                char => text.push(char),
            }
        }
        text
    }

    /// What is written behind a `~`; 2 if it is nothing, 0 without a `~`.
    fn distance(&mut self) -> Result<usize, Error> {
        if self.peek() != Some('~') {
            return Ok(0);
        }
        self.at += 1;
        let digits = self.until(|char| !char.is_ascii_digit());
        let bad = |_| Error::illegal(format!("[~{digits}] is no distance"));
        if digits.is_empty() { Ok(2) } else { digits.parse().map_err(bad) }
    }
}
