//! `query_string`: Lucene's syntax, read by its classic rules, where `AND` and `OR` mark clauses as needed or not.

use locard_filter::{Filter, MAX_DEPTH};
use serde_json::{Map, Value as Json};

use super::leaf::{fields, has, prefix_of, slop_of, special, swaps_of};
use super::near::{Fuzziness, Fuzzy, fuzzy};
use super::range::{Dates, Ends, between};
use super::text::{self, nothing, phrase, words_of};
use super::{flag, known, many};
use crate::es::date::zone;
use crate::es::error::Error;
use crate::es::field::{Field, Kind};
use crate::es::schema::Meaning;

/// What a query text is read with.
#[derive(Clone, Debug)]
pub(super) struct Setting<'a> {
    fields: Vec<Field>,
    all_words: bool,
    as_phrase: bool,
    dates: Dates,
    minimum: Option<Json>,
    /// Of a phrase whose own is not said.
    slop: usize,
    fuzzy: Fuzzy,
    meaning: Meaning<'a>,
}

impl<'a> Setting<'a> {
    pub(super) fn new(names: &[String], all_words: bool, meaning: Meaning<'a>) -> Result<Self, Error> {
        let names = Json::Array(names.iter().cloned().map(Json::String).collect());
        Ok(Self {
            fields: fields(Some(&names), meaning)?,
            all_words,
            as_phrase: false,
            dates: Dates::default(),
            minimum: None,
            slop: 0,
            fuzzy: Fuzzy { fuzziness: Fuzziness::Auto(3, 6), prefix: 0, swaps: true },
            meaning,
        })
    }
}

/// Reads the body of a `query_string`.
pub(super) fn query(members: &Map<String, Json>, meaning: Meaning<'_>) -> Result<Filter, Error> {
    let names = [
        "query",
        "default_field",
        "fields",
        "default_operator",
        "analyze_wildcard",
        "lenient",
        "boost",
        "_name",
        "minimum_should_match",
        "time_zone",
        "allow_leading_wildcard",
        "type",
        "tie_breaker",
        "analyzer",
        "quote_analyzer",
        "quote_field_suffix",
        "enable_position_increments",
        "fuzziness",
        "fuzzy_max_expansions",
        "fuzzy_prefix_length",
        "fuzzy_transpositions",
        "fuzzy_rewrite",
        "phrase_slop",
        "max_determinized_states",
        "auto_generate_synonyms_phrase_query",
        "rewrite",
        "escape",
    ];
    known("query_string", members, &names)?;
    let text = members.get("query").and_then(super::scalar);
    let text = text.ok_or_else(|| Error::parsing("query_string must be provided with a [query]"))?;
    let list = match (members.get("fields"), members.get("default_field")) {
        (Some(_), Some(_)) => {
            let reason = "[query_string] cannot use [fields] parameter in conjunction with [default_field]";
            return Err(Error::parsing(reason));
        }
        (Some(Json::String(_)), None) => {
            return Err(Error::parsing("[query_string] query does not support a text for [fields]"));
        }
        (list, field) => list.or(field),
    };
    let kind = members.get("type").and_then(Json::as_str).unwrap_or("best_fields");
    let setting = Setting {
        fields: fields(list, meaning)?,
        all_words: all_words(members)?,
        as_phrase: matches!(kind, "phrase" | "phrase_prefix"),
        dates: Dates {
            format: None,
            zone: members.get("time_zone").and_then(Json::as_str).map(zone).transpose()?,
        },
        minimum: members.get("minimum_should_match").cloned(),
        slop: slop_of(members, "phrase_slop")?,
        fuzzy: Fuzzy {
            fuzziness: members.get("fuzziness").map_or(Ok(Fuzziness::Auto(3, 6)), Fuzziness::read)?,
            prefix: prefix_of(members, "fuzzy_prefix_length")?,
            swaps: swaps_of(members, "fuzzy_transpositions")?,
        },
        meaning,
    };
    let escaped = if flag(members, "escape")? { escape(&text) } else { text };
    read(&escaped, &setting)
}

/// Whether `default_operator` is `and`.
pub(super) fn all_words(members: &Map<String, Json>) -> Result<bool, Error> {
    let operator = members.get("default_operator").and_then(Json::as_str).unwrap_or("or");
    match operator.to_ascii_lowercase().as_str() {
        "or" => Ok(false),
        "and" => Ok(true),
        other => Err(Error::illegal(format!("No enum constant for operator {other}"))),
    }
}

fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|char| if r#"\+-!():^[]"{}~*?|&/"#.contains(char) { vec!['\\', char] } else { vec![char] })
        .collect()
}

/// Reads a query text.
pub(super) fn read(text: &str, setting: &Setting<'_>) -> Result<Filter, Error> {
    let mut parser = Parser { text, chars: text.chars().collect(), at: 0, depth: 0, setting };
    let filter = parser.clauses(&setting.fields.clone(), true)?;
    if parser.at < parser.chars.len() {
        return Err(parser.bad("a `)` has no `(`"));
    }
    Ok(filter)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occur {
    Must,
    Should,
    MustNot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joint {
    None,
    And,
    Or,
}

struct Parser<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
    depth: usize,
    setting: &'a Setting<'a>,
}

impl Parser<'_> {
    fn bad(&self, why: &str) -> Error {
        let reason = format!("Failed to parse query [{}]: {why}", self.text);
        Error::new(http::StatusCode::BAD_REQUEST, "query_shard_exception", reason)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn accept(&mut self, text: &str) -> bool {
        let fits =
            text.chars().enumerate().all(|(ahead, char)| self.chars.get(self.at + ahead) == Some(&char));
        if fits {
            self.at += text.chars().count();
        }
        fits
    }

    /// A word that is an operator: it stands alone.
    fn accept_word(&mut self, word: &str) -> bool {
        let behind = self.chars.get(self.at + word.len());
        let alone = behind.is_none_or(|char| char.is_whitespace() || matches!(char, '(' | ')' | '"'));
        alone && self.accept(word)
    }

    /// Clauses until the end or a `)`.
    fn clauses(&mut self, fields: &[Field], is_top: bool) -> Result<Filter, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.bad("it is nested too deep"));
        }
        let mut clauses: Vec<(Occur, Filter)> = Vec::new();
        loop {
            self.spaces();
            if self.peek().is_none() || self.peek() == Some(')') {
                break;
            }
            let joint = self.joint(clauses.is_empty())?;
            let occur = self.modifier();
            self.spaces();
            if self.peek().is_none() || self.peek() == Some(')') {
                return Err(self.bad("something is missing at the end"));
            }
            let filter = self.clause(fields)?;
            self.add(&mut clauses, joint, occur, filter);
        }
        self.depth -= 1;
        self.combine(clauses, is_top)
    }

    fn joint(&mut self, is_first: bool) -> Result<Joint, Error> {
        let joint = if self.accept_word("AND") || self.accept("&&") {
            Joint::And
        } else if self.accept_word("OR") || self.accept("||") {
            Joint::Or
        } else {
            Joint::None
        };
        if is_first && joint != Joint::None {
            return Err(self.bad("it begins with an operator"));
        }
        self.spaces();
        Ok(joint)
    }

    fn modifier(&mut self) -> Option<Occur> {
        if self.accept("+") {
            Some(Occur::Must)
        } else if self.accept("-") || self.accept("!") || self.accept_word("NOT") {
            Some(Occur::MustNot)
        } else {
            None
        }
    }

    /// As Lucene's classic parser: an operator changes what stands on either side of it.
    fn add(&self, clauses: &mut Vec<(Occur, Filter)>, joint: Joint, said: Option<Occur>, filter: Filter) {
        let all = self.setting.all_words;
        if let Some((before, _)) = clauses.last_mut() {
            match joint {
                Joint::And if *before != Occur::MustNot => *before = Occur::Must,
                Joint::Or if all && *before == Occur::Must => *before = Occur::Should,
                _ => {}
            }
        }
        let occur = match (said, joint) {
            (Some(occur), _) => occur,
            (None, Joint::And) => Occur::Must,
            (None, Joint::Or) => Occur::Should,
            (None, Joint::None) if all => Occur::Must,
            (None, Joint::None) => Occur::Should,
        };
        clauses.push((occur, filter));
    }

    fn combine(&self, clauses: Vec<(Occur, Filter)>, is_top: bool) -> Result<Filter, Error> {
        if clauses.is_empty() {
            return Ok(nothing());
        }
        let (mut must, mut should) = (Vec::new(), Vec::new());
        let mut has_must = false;
        for (occur, filter) in clauses {
            match occur {
                Occur::Must => {
                    has_must = true;
                    must.push(filter);
                }
                Occur::Should => should.push(filter),
                Occur::MustNot => must.push(Filter::Not(Box::new(filter))),
            }
        }
        let rule = self.setting.minimum.as_ref().filter(|_| is_top);
        match rule {
            Some(rule) if !should.is_empty() => {
                let least = many::least(rule, should.len())?.max(usize::from(!has_must));
                must.push(many::at_least(least, should)?);
            }
            _ if !has_must && !should.is_empty() => must.push(Filter::any_of(should)),
            _ => {}
        }
        Ok(Filter::all_of(must))
    }

    /// One clause: a group, a field's, or a value.
    fn clause(&mut self, fields: &[Field]) -> Result<Filter, Error> {
        let filter = if self.accept("(") {
            let group = self.clauses(fields, false)?;
            if !self.accept(")") {
                return Err(self.bad("a `(` is not closed"));
            }
            group
        } else if let Some(name) = self.field_name() {
            self.spaces();
            self.of_field(&name)?
        } else {
            self.value(fields)?
        };
        self.boost()?;
        Ok(filter)
    }

    fn boost(&mut self) -> Result<(), Error> {
        if self.accept("^") {
            let digits =
                self.chars.iter().skip(self.at).take_while(|char| char.is_ascii_digit() || **char == '.');
            let count = digits.count();
            if count == 0 {
                return Err(self.bad("`^` needs a number"));
            }
            self.at += count;
        }
        Ok(())
    }

    /// A field's name and the colon behind it; nothing, and nothing taken, if there is none.
    fn field_name(&mut self) -> Option<String> {
        let mut ahead = self.at;
        let mut name = String::new();
        loop {
            match self.chars.get(ahead)? {
                ':' if !name.is_empty() => break,
                '\\' => {
                    ahead += 1;
                    name.push(*self.chars.get(ahead)?);
                }
                char if char.is_whitespace() || r#"()"[]{}:/^~"#.contains(*char) => return None,
                char => name.push(*char),
            }
            ahead += 1;
        }
        self.at = ahead + 1;
        Some(name)
    }

    fn of_field(&mut self, name: &str) -> Result<Filter, Error> {
        if name == "_exists_" {
            let (text, _) = self.word();
            return has(&text, self.setting.meaning);
        }
        if name == "*" && self.accept("*") {
            return Ok(Filter::All);
        }
        let fields = self.setting.meaning.fields(name)?;
        if self.accept("(") {
            let group = self.clauses(&fields, false)?;
            return if self.accept(")") { Ok(group) } else { Err(self.bad("a `(` is not closed")) };
        }
        self.value(&fields)
    }

    fn each(fields: &[Field], ask: impl Fn(&Field) -> Result<Filter, Error>) -> Result<Filter, Error> {
        let parts: Vec<Filter> = fields.iter().map(ask).collect::<Result<_, _>>()?;
        Ok(Filter::any_of(parts))
    }

    fn value(&mut self, fields: &[Field]) -> Result<Filter, Error> {
        match self.peek() {
            Some('"') => {
                let text = self.delimited('"')?;
                let slop = self.distance()?.flatten().map_or(self.setting.slop, |slop| slop as usize);
                let last_is_prefix = self.accept("*");
                Self::each(fields, |field| {
                    match field.name.as_deref().and_then(|name| special(name, &text)) {
                        Some(filter) => Ok(filter),
                        None => phrase(field, &text, slop, last_is_prefix),
                    }
                })
            }
            Some('/') => {
                let pattern = self.delimited('/')?;
                Self::each(fields, |field| text::regexp(field, &pattern, false))
            }
            Some('[' | '{') => self.range(fields),
            Some('>' | '<') => self.comparison(fields),
            _ => self.simple(fields),
        }
    }

    /// What stands between two marks; a backslash keeps the next character.
    fn delimited(&mut self, mark: char) -> Result<String, Error> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.bad(&format!("a `{mark}` is not closed"))),
                Some(char) if char == mark => {
                    self.at += 1;
                    return Ok(text);
                }
                Some('\\') if mark == '"' || self.chars.get(self.at + 1) == Some(&mark) => {
                    self.at += 1;
                    text.extend(self.peek());
                }
                Some(char) => text.push(char),
            }
            self.at += 1;
        }
    }

    /// Whether a `~` follows, and what is written behind it.
    fn distance(&mut self) -> Result<Option<Option<f64>>, Error> {
        if !self.accept("~") {
            return Ok(None);
        }
        let digits: String = self
            .chars
            .iter()
            .skip(self.at)
            .take_while(|char| char.is_ascii_digit() || **char == '.')
            .collect();
        self.at += digits.chars().count();
        match digits.as_str() {
            "" => Ok(Some(None)),
            digits => {
                digits.parse().map(|number| Some(Some(number))).map_err(|_| self.bad("`~` needs a number"))
            }
        }
    }

    /// A word with as many mistakes as are written behind its `~`.
    fn fuzzy(&self, field: &Field, text: &str, edits: Option<f64>) -> Result<Filter, Error> {
        let said = edits.map(|edits| Fuzziness::read(&Json::from(edits))).transpose()?;
        let fuzziness = said.unwrap_or(self.setting.fuzzy.fuzziness);
        fuzzy(field, text, Fuzzy { fuzziness, ..self.setting.fuzzy })
    }

    fn range(&mut self, fields: &[Field]) -> Result<Filter, Error> {
        let low_inside = self.peek() == Some('[');
        self.at += 1;
        let low = self.end()?;
        self.spaces();
        if !self.accept_word("TO") {
            return Err(self.bad("a range is written [a TO b]"));
        }
        let high = self.end()?;
        self.spaces();
        let high_inside = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return Err(self.bad("a range is not closed")),
        };
        self.at += 1;
        let end = |text: String, inside| (text != "*").then_some((text, inside));
        let ends = Ends { low: end(low, low_inside), high: end(high, high_inside), numeric: false };
        Self::each(fields, |field| between(field, &ends, &self.setting.dates, self.setting.meaning.now))
    }

    /// One end of a range.
    fn end(&mut self) -> Result<String, Error> {
        self.spaces();
        if self.peek() == Some('"') {
            return self.delimited('"');
        }
        let mut text = String::new();
        while let Some(char) = self.peek() {
            match char {
                ']' | '}' => break,
                char if char.is_whitespace() => break,
                '\\' => {
                    self.at += 1;
                    text.extend(self.peek());
                }
                char => text.push(char),
            }
            self.at += 1;
        }
        if text.is_empty() { Err(self.bad("a range lacks an end")) } else { Ok(text) }
    }

    fn comparison(&mut self, fields: &[Field]) -> Result<Filter, Error> {
        let is_low = self.peek() == Some('>');
        self.at += 1;
        let inside = self.accept("=");
        let text = if self.peek() == Some('"') { self.delimited('"')? } else { self.word().0 };
        if text.is_empty() {
            return Err(self.bad("a comparison lacks its value"));
        }
        let end = Some((text, inside));
        let ends =
            if is_low { Ends { low: end, ..Ends::default() } } else { Ends { high: end, ..Ends::default() } };
        Self::each(fields, |field| between(field, &ends, &self.setting.dates, self.setting.meaning.now))
    }

    /// A word as it is meant, and with its escapes if it has wildcards.
    fn word(&mut self) -> (String, Option<String>) {
        let (mut plain, mut pattern, mut is_pattern) = (String::new(), String::new(), false);
        while let Some(char) = self.peek() {
            match char {
                char if char.is_whitespace() || r#"()[]{}"^~"#.contains(char) => break,
                '\\' => {
                    self.at += 1;
                    let next = self.peek().unwrap_or('\\');
                    plain.push(next);
                    pattern.extend(['\\', next]);
                }
                '*' | '?' => {
                    is_pattern = true;
                    plain.push(char);
                    pattern.push(char);
                }
                char => {
                    plain.push(char);
                    pattern.push(char);
                }
            }
            self.at += 1;
        }
        (plain, is_pattern.then_some(pattern))
    }

    fn simple(&mut self, fields: &[Field]) -> Result<Filter, Error> {
        let (plain, pattern) = self.word();
        if plain.is_empty() {
            return Err(self.bad("an unexpected character"));
        }
        let edits = self.distance()?;
        let meaning = self.setting.meaning;
        match (pattern.as_deref(), edits) {
            (Some("*"), _) => Self::each(fields, |field| match field.name.as_deref() {
                None => Ok(Filter::All),
                Some(name) => has(name, meaning),
            }),
            (Some(pattern), _) => Self::each(fields, |field| {
                // Here, other than in `wildcard`, the pattern is put into lower case as the words are.
                text::wildcard(field, pattern, field.kind == Kind::Text)
            }),
            (None, Some(edits)) => Self::each(fields, |field| self.fuzzy(field, &plain, edits)),
            (None, None) => Self::each(fields, |field| self.words(field, &plain)),
        }
    }

    fn words(&self, field: &Field, text: &str) -> Result<Filter, Error> {
        if let Some(filter) = field.name.as_deref().and_then(|name| special(name, text)) {
            return Ok(filter);
        }
        if field.is_time() || field.is_date {
            let end = Some((text.to_owned(), true));
            let ends = Ends { low: end.clone(), high: end, numeric: false };
            if let Ok(filter) = between(field, &ends, &self.setting.dates, self.setting.meaning.now) {
                return Ok(filter);
            }
        }
        if self.setting.as_phrase {
            return phrase(field, text, self.setting.slop, false);
        }
        let parts = words_of(field, text);
        Ok(match self.setting.all_words {
            _ if parts.is_empty() => nothing(),
            true => Filter::all_of(parts),
            false => Filter::any_of(parts),
        })
    }
}
