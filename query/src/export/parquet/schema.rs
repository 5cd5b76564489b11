//! Which columns a Parquet file has and of which types. A file has one schema, and it is known before the first row: names of the
//! Elastic Common Schema have the type that it gives them, everything else is text, and what does not fit is kept in [`REST`].
//!
//! Does not know what the values are, but for rows, which are all there when the file is begun.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::parquet::basic::{
    Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel,
};
use ::parquet::errors::Result;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use ::parquet::schema::types::{ColumnPath, Type, TypePtr};
use locard_event::{Timestamp, name};
use serde_json::Value as Json;

use crate::json::MESSAGE_BASE64;
use crate::pipe::{Shown, Table, member_names};

/// The column of everything that no other column says.
pub(super) const REST: &str = "_fields";
/// Most columns of events; each costs memory and a place in the footer for every group of rows.
pub(crate) const MAX_COLUMNS: usize = 1_000;

/// Columns of events where none are asked for: always the same, so that files can be read together.
const USUAL: [&str; 30] = [
    name::ID,
    name::TIMESTAMP,
    name::INGESTED,
    name::MESSAGE,
    MESSAGE_BASE64,
    name::STREAM,
    name::DATASET,
    "event.action",
    "event.outcome",
    name::LEVEL,
    name::HOST,
    "service.name",
    "user.name",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    name::PROCESS_NAME,
    "process.pid",
    "process.executable",
    "file.path",
    "http.request.method",
    "http.response.status_code",
    "url.path",
    name::NAMESPACE,
    name::POD_NAME,
    name::CONTAINER_NAME,
    name::FILE_PATH,
    "trace.id",
    name::ERROR_MESSAGE,
];
/// Names of the schema's `long`s.
const INTS: [&str; 34] = [
    "client.bytes",
    "client.packets",
    "client.port",
    "container.restart_count",
    "destination.bytes",
    "destination.nat.port",
    "destination.packets",
    "destination.port",
    "event.duration",
    "event.sequence",
    "event.severity",
    "file.size",
    "host.uptime",
    "http.request.body.bytes",
    "http.request.bytes",
    "http.response.body.bytes",
    "http.response.bytes",
    "http.response.status_code",
    "log.offset",
    "log.syslog.facility.code",
    "log.syslog.priority",
    "log.syslog.severity.code",
    "network.bytes",
    "network.packets",
    "process.exit_code",
    "process.parent.pid",
    "process.pid",
    "process.thread.id",
    "server.bytes",
    "server.port",
    "source.bytes",
    "source.packets",
    "source.port",
    "url.port",
];
/// Names of the schema's `float`s.
const FLOATS: [&str; 3] = ["event.risk_score", "event.risk_score_norm", "host.cpu.usage"];
/// Names of the schema's `boolean`s.
const BOOLS: [&str; 3] = ["process.interactive", "tls.established", "tls.resumed"];
/// Names of the schema's `date`s.
const TIMES: [&str; 12] = [
    name::TIMESTAMP,
    name::TIME,
    name::CREATED,
    name::INGESTED,
    "event.start",
    "event.end",
    "file.accessed",
    "file.created",
    "file.ctime",
    "file.mtime",
    "process.start",
    "process.end",
];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text that is JSON.
    Json,
    Int,
    Float,
    Bool,
    /// Nanoseconds since the epoch, in UTC.
    Time,
}

impl Kind {
    /// What the schema says of a name.
    fn of(name: &str) -> Self {
        match name {
            _ if INTS.contains(&name) => Self::Int,
            _ if FLOATS.contains(&name) => Self::Float,
            _ if BOOLS.contains(&name) => Self::Bool,
            _ if TIMES.contains(&name) => Self::Time,
            _ => Self::Text,
        }
    }

    /// What holds all of these.
    fn of_cells<'a>(name: &str, cells: impl Iterator<Item = &'a Json> + Clone) -> Self {
        let cells = cells.filter(|cell| !cell.is_null());
        let all = |holds: fn(&Json) -> bool| cells.clone().all(holds);
        match Self::of(name) {
            _ if cells.clone().next().is_none() => Self::of(name),
            _ if all(|cell| cell.as_i64().is_some()) => Self::Int,
            _ if all(|cell| exact_float(cell).is_some()) => Self::Float,
            _ if all(Json::is_boolean) => Self::Bool,
            Self::Time if all(|cell| time(cell).is_some()) => Self::Time,
            _ => Self::Text,
        }
    }

    fn physical(self) -> (Physical, Option<LogicalType>) {
        match self {
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Self::Int => (Physical::INT64, None),
            Self::Float => (Physical::DOUBLE, None),
            Self::Bool => (Physical::BOOLEAN, None),
            Self::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        }
    }
}

/// A number that a float holds to its last digit.
pub(super) fn exact_float(cell: &Json) -> Option<f64> {
    /// Below it floats know every whole number.
    const WHOLE: u64 = 1 << f64::MANTISSA_DIGITS;
    match cell.as_i64() {
        Some(number) => (number.unsigned_abs() <= WHOLE).then_some(number as f64),
        None if cell.is_f64() => cell.as_f64(),
        None => None,
    }
}

/// A cell that is wholly a time.
pub(super) fn time(cell: &Json) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(cell.as_str()?).ok()
}

/// A column to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) kind: Kind,
}

impl Spec {
    fn of(name: &str) -> Self {
        Self { name: name.to_owned(), kind: Kind::of(name) }
    }
}

/// The columns of events: those asked for, or those that a pipe left, or the usual ones; and whatever they do not say.
pub(super) fn of_events(asked: &[String], shown: &Shown) -> Vec<Spec> {
    let names: Vec<&str> = match shown {
        _ if !asked.is_empty() => asked.iter().flat_map(|name| with_bytes(name)).collect(),
        Shown::Only(names) => {
            let first = [name::ID, name::TIMESTAMP, name::MESSAGE, MESSAGE_BASE64];
            let first = first.into_iter().filter(|name| shows(shown, name));
            first.chain(names.iter().map(|name| &**name)).collect()
        }
        _ => USUAL.into_iter().filter(|name| shows(shown, name)).collect(),
    };
    let mut known = BTreeSet::from([REST]);
    let names = names.into_iter().filter(|name| known.insert(name)).take(MAX_COLUMNS);
    names.map(Spec::of).chain([Spec { name: REST.to_owned(), kind: Kind::Json }]).collect()
}

/// Who asks for the message gets its very bytes too, as in JSON.
fn with_bytes(name: &str) -> impl Iterator<Item = &str> {
    [name].into_iter().chain((name == name::MESSAGE).then_some(MESSAGE_BASE64))
}

fn shows(shown: &Shown, name: &str) -> bool {
    shown.shows(if name == MESSAGE_BASE64 { name::MESSAGE } else { name })
}

/// The columns of rows, each with its place in them, if it is there: those asked for, or all.
pub(super) fn of_rows(asked: &[String], table: &Table) -> Vec<(Spec, Option<usize>)> {
    let own = member_names(&table.columns);
    let mut known = BTreeSet::new();
    let names = if asked.is_empty() { &own } else { asked };
    let names = names.iter().filter(|name| known.insert(name.as_str()));
    let column = |name: &String| {
        let place = own.iter().position(|own| own == name);
        let cells = table.rows.iter().filter_map(|row| row.get(place?));
        (Spec { name: name.clone(), kind: Kind::of_cells(name, cells) }, place)
    };
    names.map(column).collect()
}

/// What the file says of its columns. Every value may be missing.
pub(super) fn message(specs: &[Spec]) -> Result<TypePtr> {
    let field = |spec: &Spec| {
        let (physical, logical) = spec.kind.physical();
        let field = Type::primitive_type_builder(&spec.name, physical);
        field.with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build().map(Arc::new)
    };
    let fields = specs.iter().map(field).collect::<Result<_>>()?;
    Type::group_type_builder("locard").with_fields(fields).build().map(Arc::new)
}

/// How it is written: what is different in every row is not looked up in a dictionary first.
pub(super) fn properties(specs: &[Spec]) -> Result<WriterPropertiesPtr> {
    /// As `zstd` by itself.
    const LEVEL: i32 = 3;
    let path = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let mut properties = WriterProperties::builder()
        .set_created_by(format!("locard version {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL)?))
        // Of a group, to pass it over; an index of its pages would have to be held until the end.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true);
    for name in [name::ID, name::MESSAGE, MESSAGE_BASE64, REST] {
        properties = properties.set_column_dictionary_enabled(path(name), false);
    }
    for spec in specs.iter().filter(|spec| spec.kind == Kind::Time) {
        properties = properties.set_column_dictionary_enabled(path(&spec.name), false);
        properties = properties.set_column_encoding(path(&spec.name), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(Arc::new(properties.build()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_has_the_type_that_holds_all_of_its_cells() {
        for (name, cells, expected) in [
            ("n", json!([1, null, -2]), Kind::Int),
            ("n", json!([1, 2.5]), Kind::Float),
            ("n", json!([1, u64::MAX]), Kind::Text),
            ("n", json!([i64::MAX, 0.5]), Kind::Text),
            ("n", json!([true, null]), Kind::Bool),
            ("n", json!([true, 1]), Kind::Text),
            ("n", json!([null]), Kind::Text),
            ("source.port", json!([null]), Kind::Int),
            ("source.port", json!([1, "ssh"]), Kind::Text),
            ("_time", json!(["2026-03-01T12:00:00.120Z"]), Kind::Time),
            ("_time", json!(["2026-03-01T12:00:00.120Z", "x"]), Kind::Text),
            ("n", json!(["2026-03-01T12:00:00.120Z"]), Kind::Text),
            ("n", json!([[1, 2]]), Kind::Text),
        ] {
            assert_eq!(Kind::of_cells(name, cells.as_array().unwrap().iter()), expected, "{name} {cells}");
        }
    }

    #[test]
    fn events_have_the_columns_that_are_asked_for_or_left_or_the_usual() {
        let names = |asked: &[&str], shown: &Shown| -> Vec<String> {
            let asked: Vec<String> = asked.iter().map(|name| (*name).to_owned()).collect();
            of_events(&asked, shown).into_iter().map(|spec| spec.name).collect()
        };
        let left = Shown::Only(["host", "message", "@timestamp"].map(Box::from).into());
        assert_eq!(names(&["b", "a", "b", "_fields"], &left), ["b", "a", "_fields"]);
        assert_eq!(names(&["message", "a"], &Shown::All), ["message", "message_base64", "a", "_fields"]);
        assert_eq!(names(&[], &left), ["_id", "@timestamp", "message", "message_base64", "host", "_fields"]);
        let usual = names(&[], &Shown::All);
        assert_eq!((usual.len(), usual.last().map(String::as_str)), (USUAL.len() + 1, Some(REST)));
        let without = names(&[], &Shown::AllBut(["message".into()].into()));
        assert_eq!(without.len(), usual.len() - 2);
        let many: BTreeSet<Box<str>> = (0..2_000).map(|n| n.to_string().into()).collect();
        assert_eq!(names(&[], &Shown::Only(many)).len(), MAX_COLUMNS + 1);
    }
}
