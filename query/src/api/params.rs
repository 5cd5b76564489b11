//! [`Params`]: named values from the query string and from a JSON body alike, every name known, each given once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request};
use http::{Method, StatusCode, Uri};
use locard_event::Timestamp;
use locard_indexer::Problem;
use locard_store::Order;
use serde_json::Value;

use crate::search::{Ask, TIME_HINT, read_duration, read_time};

/// Named values of a request. A handler first says which it [`knows`](Params::known).
#[derive(Clone, Debug, Default)]
pub(super) struct Params(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let mut params = Self::default();
        params.read_uri(request.uri())?;
        if request.method() == Method::POST {
            let body = Bytes::from_request(request, state)
                .await
                .map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
            params.read_json(&body)?;
        }
        Ok(params)
    }
}

impl Params {
    fn read_uri(&mut self, uri: &Uri) -> Result<(), Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|error| bad(format!("the query string cannot be read: {error}")))?;
        pairs.into_iter().try_for_each(|(name, value)| self.insert(name, value))
    }

    fn read_json(&mut self, body: &[u8]) -> Result<(), Problem> {
        if body.trim_ascii().is_empty() {
            return Ok(());
        }
        let value: Value =
            serde_json::from_slice(body).map_err(|error| bad(format!("the body is no JSON: {error}")))?;
        let Value::Object(members) = value else {
            return Err(bad("the body must be a JSON object, as {\"q\": \"error\"}".into()));
        };
        for (name, value) in members {
            match value {
                Value::Null => {}
                Value::String(text) => self.insert(name, text)?,
                Value::Number(number) => self.insert(name, number.to_string())?,
                Value::Bool(truth) => self.insert(name, truth.to_string())?,
                Value::Array(_) | Value::Object(_) => {
                    return Err(bad(format!("`{}` must be text or a number", name.escape_debug())));
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, name: String, value: String) -> Result<(), Problem> {
        match self.0.insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => Err(bad(format!("the parameter `{}` is given twice", name.escape_debug()))),
        }
    }

    /// Refuses every name that is not among these, naming the nearest one.
    pub(super) fn known(self, names: &[&str]) -> Result<Self, Problem> {
        let Some(unknown) = self.0.keys().find(|name| !names.contains(&name.as_str())) else {
            return Ok(self);
        };
        let detail = format!("there is no parameter `{}`", unknown.escape_debug());
        let nearest = names.iter().map(|name| (strsim::damerau_levenshtein(name, unknown), name)).min();
        let hint = match nearest {
            Some((distance, name)) if distance <= 2 => format!("did you mean `{name}`?"),
            _ if names.is_empty() => "it takes none".to_owned(),
            _ => format!("it takes {}", names.join(", ")),
        };
        Err(bad(detail).with("parameter", unknown.as_str()).with("hint", hint))
    }

    /// The text of a parameter; nothing if it is absent or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A parameter that is a whole number or the like.
    pub(super) fn parse<T: FromStr<Err: Display>>(
        &self,
        name: &str,
        hint: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(no_such(name, text, hint)),
        }
    }

    /// A count that has a default and a largest value.
    pub(super) fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, Problem> {
        let count = self.parse(name, "write a whole number, not negative")?.unwrap_or(default);
        if count > most {
            let detail = format!("{name} is {count}, at most {most} is allowed");
            return Err(bad(detail).with("parameter", name).with("hint", "ask for less"));
        }
        Ok(count)
    }

    /// Names separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn duration(&self, name: &str) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read_duration(text).map(Some).ok_or_else(|| no_such(name, text, "write 5s, 500ms or 1m30s"))
    }

    /// A time, relative ones taken from now.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        read_time(text, crate::now()).map(Some).ok_or_else(|| no_such(name, text, TIME_HINT))
    }

    fn order(&self) -> Result<Option<Order>, Problem> {
        match self.text("order") {
            None => Ok(None),
            Some("desc") => Ok(Some(Order::Descending)),
            Some("asc") => Ok(Some(Order::Ascending)),
            Some(text) => Err(no_such("order", text, "write asc or desc")),
        }
    }

    /// The names that [`Params::ask`] reads.
    pub(super) const ASK: [&str; 7] = ["q", "start", "end", "limit", "order", "cursor", "timeout"];

    /// What is asked of a search.
    pub(super) fn ask(&self) -> Result<Ask, Problem> {
        Ok(Ask {
            q: self.text("q").unwrap_or_default().to_owned(),
            start: self.text("start").map(str::to_owned),
            end: self.text("end").map(str::to_owned),
            limit: self.parse("limit", "write a whole number, not negative")?,
            order: self.order()?,
            cursor: self.text("cursor").map(str::to_owned),
            timeout: self.duration("timeout")?,
            moment: None,
        })
    }
}

fn bad(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

fn no_such(name: &str, text: &str, hint: &str) -> Problem {
    bad(format!("`{}` is no {name}", text.escape_debug())).with("parameter", name).with("hint", hint)
}
