//! [`Request`]: what is asked of an export, understood.

use http::{HeaderMap, StatusCode, header};
use locard_event::EventId;
use locard_indexer::{Principal, Problem};

use super::super::params::Params;
use super::super::problem::problem;
use crate::export::{Format, MAX_PARQUET_COLUMNS, Packing};
use crate::search::{Ask, Place, Searcher};

const NAMES: [&str; 13] = [
    "q", "start", "end", "limit", "order", "timeout", "cursor", "after", "offset", "format", "compress",
    "fields", "filename",
];
/// Longest name of a file that a client may give, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Longest query that is repeated in a manifest or a file, in bytes: memory for all of them is bounded.
pub(super) const MAX_QUERY_BYTES: usize = 16 << 10;

/// What is asked of an export.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) format: Format,
    pub(super) packing: Packing,
    /// Whether the result itself is packed, and not only on its way.
    is_file_packed: bool,
    /// Which columns, or members of objects; none: all.
    pub(super) fields: Vec<String>,
    pub(super) filename: String,
    /// How many bytes the client has already.
    pub(super) offset: u64,
    cursor: Option<Place>,
    after: Option<EventId>,
}

impl Request {
    pub(super) fn read(params: Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let params = params.known(&NAMES)?;
        let format = format(&params, headers)?;
        let asked = params.text("compress");
        let packing = match asked {
            Some(name) => Packing::named(name).ok_or_else(|| {
                bad(
                    "compress",
                    format!("`{}` is no packing", name.escape_debug()),
                    "write gzip, zstd or none",
                )
            })?,
            None if format.is_packed() => Packing::None,
            None => Packing::accepted(&all(headers, &header::ACCEPT_ENCODING)),
        };
        let is_file_packed = asked.is_some() && packing != Packing::None;
        let extension = if is_file_packed { packing.extension() } else { "" };
        let filename = match params.text("filename") {
            Some(name) => harmless(name),
            None => format!("locard-export.{}{extension}", format.extension()),
        };
        let cursor = params.text("cursor").map(str::parse).transpose().map_err(|_| {
            bad(
                "cursor",
                "this is no cursor of an export".into(),
                "take it from `Locard-Cursor` as it is, or leave it out to begin",
            )
        })?;
        let offset = params.parse("offset", "write how many bytes you have")?.unwrap_or_default();
        let after = params.parse("after", "write the `_id` of the last event you have, as 0-184467")?;
        let read = Self {
            ask: Ask { cursor: None, ..params.ask()? },
            format,
            packing,
            is_file_packed,
            filename,
            offset,
            cursor,
            after,
            fields: params.list("fields"),
        };
        read.check().map(|()| read)
    }

    /// What does not go together.
    fn check(&self) -> Result<(), Problem> {
        let goes_on = self.after.is_some() || self.cursor.is_some_and(|place| place.after.is_some());
        if goes_on && self.offset > 0 {
            return Err(bad(
                "offset",
                "`offset` counts from the beginning".into(),
                "leave `after` out, or `offset`",
            ));
        }
        if goes_on && !self.format.is_resumable_by_id() {
            let detail = format!("{} cannot go on behind an event", self.format.name());
            return Err(bad("after", detail, "say how many bytes you have: `offset`"));
        }
        if self.offset > 0 && self.cursor.is_none() {
            let hint = "give the `Locard-Cursor` of the answer that broke off as `cursor`";
            return Err(bad("offset", "`offset` needs the cursor of what it is an offset in".into(), hint));
        }
        if self.format.is_packed() && self.packing != Packing::None {
            let detail =
                format!("{} is packed already, and its readers do not unpack it", self.format.name());
            return Err(bad("compress", detail, "leave `compress` out: its pages are packed with zstd"));
        }
        if self.format == Format::Parquet && self.fields.len() > MAX_PARQUET_COLUMNS {
            let detail = format!("a Parquet file has at most {MAX_PARQUET_COLUMNS} columns");
            return Err(bad("fields", detail, "name fewer, or none: then `_fields` has them all"));
        }
        match (self.ask.order, self.cursor) {
            (Some(order), Some(place)) if order != place.order => Err(bad(
                "cursor",
                "the cursor belongs to an export in the other order".into(),
                "leave `order` out",
            )),
            _ => Ok(()),
        }
    }

    /// Where it begins.
    pub(super) async fn place(&self, searcher: &Searcher, principal: &Principal) -> Result<Place, Problem> {
        let order = self.ask.order.unwrap_or_default();
        let place = match self.cursor {
            Some(place) => place,
            None => Place { order, moment: searcher.moment(principal), after: None },
        };
        let Some(id) = self.after else { return Ok(place) };
        let after = searcher.position(principal, id).await.map_err(|error| problem(error, &self.ask.q))?;
        Ok(Place { after: Some(after), ..place })
    }

    /// What a file can say of what was asked: nothing that would be another if it were asked again.
    pub(super) fn about(&self, place: Place) -> Vec<(&'static str, String)> {
        let q = self.ask.q.get(..self.ask.q.floor_char_boundary(MAX_QUERY_BYTES)).unwrap_or_default();
        let said = [
            ("q", Some(q.to_owned())),
            ("start", self.ask.start.clone()),
            ("end", self.ask.end.clone()),
            ("limit", self.ask.limit.map(|limit| limit.to_string())),
            ("first_cursor", Some(place.to_string())),
        ];
        said.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    /// The media type of the answer.
    pub(super) fn media(&self) -> &'static str {
        let packed = self.packing.media().filter(|_| self.is_file_packed);
        packed.unwrap_or_else(|| self.format.media())
    }

    /// The content coding of the answer, which is undone on arrival.
    pub(super) fn coding(&self) -> Option<&'static str> {
        (!self.is_file_packed && self.packing != Packing::None).then(|| self.packing.name())
    }
}

fn format(params: &Params, headers: &HeaderMap) -> Result<Format, Problem> {
    match params.text("format") {
        Some(name) => Format::named(name).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            bad("format", format!("`{}` is no format", name.escape_debug()), &format!("it takes {names}"))
        }),
        None => Ok(Format::accepted(&all(headers, &header::ACCEPT)).unwrap_or(Format::Ndjson)),
    }
}

/// All values of a header, as one list.
fn all(headers: &HeaderMap, name: &http::HeaderName) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// A name that is a name on every system and leads nowhere.
fn harmless(name: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let name: String = name.chars().map(|c| if fits(c) { c } else { '_' }).take(MAX_NAME_BYTES).collect();
    let name = name.trim_matches(['.', ' ']);
    if name.is_empty() { "locard-export".to_owned() } else { name.to_owned() }
}

fn bad(parameter: &str, detail: String, hint: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail).with("parameter", parameter).with("hint", hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_leads_nowhere() {
        for (name, expected) in [
            ("case 17.csv", "case 17.csv"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("a\"; x=\"b\r\n", "a__ x__b__"),
            ("..", "locard-export"),
        ] {
            assert_eq!(harmless(name), expected);
        }
    }
}
