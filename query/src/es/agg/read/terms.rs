//! Aggregations by values: `terms`, `rare_terms`, `multi_terms`, with their orders and choices.

use std::sync::OnceLock;

use serde_json::Value as Json;

use super::super::bucket::{BucketOrder, Choice, MultiTerms, OrderBy, Terms};
use super::{Body, MAX_SIZE, value};
use crate::es::dsl;
use crate::es::error::Error;
use crate::es::key::Key;

impl Body<'_> {
    pub(super) fn terms(&self) -> Result<Terms, Error> {
        self.known(&[
            "field",
            "size",
            "shard_size",
            "min_doc_count",
            "shard_min_doc_count",
            "order",
            "include",
            "exclude",
            "missing",
            "execution_hint",
            "collect_mode",
            "show_term_doc_count_error",
            "format",
            "value_type",
        ])?;
        let least = self.count("min_doc_count", 1, 0)? as u64;
        Ok(Terms {
            field: self.field()?,
            size: self.count("size", 10, 1)?.min(MAX_SIZE),
            most: u64::MAX,
            least,
            order: self.order(true)?,
            include: self.choice("include")?,
            exclude: self.choice("exclude")?,
            missing: self.missing(),
            format: self.format(),
            shows_error: self.flag("show_term_doc_count_error"),
            by_words: self.is_by_words(),
            is_date: self.is_date(),
            all: OnceLock::new(),
        })
    }

    pub(super) fn rare(&self) -> Result<Terms, Error> {
        self.known(&[
            "field",
            "max_doc_count",
            "precision",
            "include",
            "exclude",
            "missing",
            "format",
            "value_type",
        ])?;
        let most = self.count("max_doc_count", 1, 1)?;
        if most > 100 {
            return Err(Error::illegal("[max_doc_count] must be smaller than [100]"));
        }
        Ok(Terms {
            field: self.field()?,
            size: MAX_SIZE,
            most: most as u64,
            least: 1,
            order: Vec::new(),
            include: self.choice("include")?,
            exclude: self.choice("exclude")?,
            missing: self.missing(),
            format: self.format(),
            shows_error: false,
            by_words: self.is_by_words(),
            is_date: self.is_date(),
            all: OnceLock::new(),
        })
    }

    fn is_date(&self) -> bool {
        self.text("value_type") == Some("date")
            || self.text("field").is_some_and(|name| self.schema.is_date(name))
    }

    fn is_by_words(&self) -> bool {
        self.text("field").is_some_and(|name| self.schema.is_by_words(name))
    }

    pub(super) fn multi_terms(&self) -> Result<MultiTerms, Error> {
        self.known(&[
            "terms",
            "size",
            "shard_size",
            "min_doc_count",
            "shard_min_doc_count",
            "order",
            "collect_mode",
            "show_term_doc_count_error",
        ])?;
        let mut fields = Vec::new();
        for term in self.members.get("terms").and_then(Json::as_array).into_iter().flatten() {
            let name = term.get("field").and_then(Json::as_str);
            let name =
                name.ok_or_else(|| Error::illegal("[multi_terms] requires a [field] in each of [terms]"))?;
            fields.push((self.own(name), term.get("missing").and_then(value)));
        }
        if fields.len() < 2 {
            return Err(Error::illegal(
                "The [terms] parameter in the aggregation [multi_terms] must be present and have at least 2 fields or scripts.",
            ));
        }
        let least = self.count("min_doc_count", 1, 1)? as u64;
        Ok(MultiTerms {
            fields,
            size: self.count("size", 10, 1)?.min(MAX_SIZE),
            least,
            order: self.order(true)?,
        })
    }

    /// What buckets are ordered by; the most documents first, or by key.
    pub(super) fn order(&self, by_count: bool) -> Result<Vec<BucketOrder>, Error> {
        let items = match self.members.get("order") {
            None if by_count => return Ok(vec![BucketOrder { by: OrderBy::Count, descending: true }]),
            None => return Ok(Vec::new()),
            Some(Json::Array(items)) => items.iter().collect(),
            Some(item) => vec![item],
        };
        let mut order = Vec::new();
        for item in items {
            let mut members = item.as_object().into_iter().flatten();
            let (Some((path, direction)), None) = (members.next(), members.next()) else {
                return Err(Error::parsing(format!(
                    "Must specify at least one field and only one field per order object for [{}]",
                    self.name
                )));
            };
            let descending = match direction.as_str() {
                Some(text) if text.eq_ignore_ascii_case("desc") => true,
                Some(text) if text.eq_ignore_ascii_case("asc") => false,
                _ => return Err(Error::parsing(format!("Unknown order direction [{direction}]"))),
            };
            let by = match path.as_str() {
                "_count" => OrderBy::Count,
                "_key" | "_term" | "_time" => OrderBy::Key,
                path => OrderBy::Path(path.split('>').map(str::to_owned).collect()),
            };
            order.push(BucketOrder { by, descending });
        }
        Ok(order)
    }

    pub(super) fn choice(&self, name: &str) -> Result<Option<Choice>, Error> {
        Ok(match self.members.get(name) {
            None => None,
            Some(Json::String(pattern)) => {
                let inner = dsl::regexp(pattern)?;
                let whole =
                    regex::RegexBuilder::new(&format!(r"(?s)\A(?:{inner})\z")).size_limit(1 << 20).build();
                Some(Choice::Pattern(whole.map_err(|_| Error::illegal(format!("[{name}] is too large")))?))
            }
            Some(Json::Array(values)) => {
                let is_date = self.is_date();
                let text = |value: &Json| {
                    let key = Key::of_json(value)?;
                    Some(if is_date { key.as_date().text() } else { key.text() })
                };
                Some(Choice::Values(values.iter().filter_map(text).collect()))
            }
            Some(_) => return Err(Error::unsupported("terms with partitions")),
        })
    }
}
