//! Elasticsearch's bulk format, and single documents: what is to be done with which document, and what became of it.
//!
//! 1. Take the lines apart: actions, and the documents that belong to them. What Elasticsearch refuses as a whole is refused here too.
//! 2. Read each document as a line of NDJSON, except that its index is its dataset and no member loses its name.
//!
//! Whether a document of the same id is there already is not known here: the caller finds out, and says which ones were when the
//! same body is read again. Source: elastic/elasticsearch `BulkRequestParser`, and its *Bulk API* page.

use std::collections::HashMap;

use bytes::Bytes;
use locard_event::{Timestamp, Value, name};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::direct::Direct;
use super::labels::Streams;
use super::ndjson::{self, Names, Options, lines};
use super::{MAX_BODY_VALUES, Raw};
use crate::delivery::{Bulk, Error, Form};
use crate::wal::ReadLimits;

/// Where a document's own id is kept.
pub(crate) const CLIENT_ID: &str = "event.id";
/// Elasticsearch's own limit.
const MAX_ID_BYTES: usize = 512;
/// Most different indices in one body.
const MAX_INDICES: usize = 1000;
/// Longest piece of a name or an id that is shown in a reason.
const SHOWN_CHARS: usize = 128;

/// What an action asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Add a document that is not there.
    Create,
    /// The same: documents are never changed.
    Index,
    /// Refused.
    Update,
    /// Refused.
    Delete,
}

/// Why one document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemFault {
    /// As HTTP has it.
    pub status: u16,
    /// Elasticsearch's name of it.
    pub kind: &'static str,
    /// In words.
    pub reason: String,
}

/// One action of a body, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) action: Action,
    pub(crate) index: String,
    /// The client's.
    pub(crate) id: Option<String>,
    /// The place of the document's event among those accepted; or why there is none.
    pub(crate) outcome: Result<usize, ItemFault>,
}

impl Action {
    /// As the body says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Index => "index",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Create, Self::Index, Self::Update, Self::Delete]
            .into_iter()
            .find(|action| action.name() == text)
    }
}

impl ItemFault {
    fn new(kind: &'static str, reason: String) -> Self {
        Self { status: 400, kind, reason }
    }

    /// There is a document of this id.
    pub(crate) fn conflict(id: &str) -> Self {
        let reason = format!(
            "[{}]: version conflict, document already exists (current version [1]); events are never changed",
            shown(id)
        );
        Self { status: 409, kind: "version_conflict_engine_exception", reason }
    }
}

/// Stands for the id of a document of an index, and is kept: never change it.
pub(crate) fn key_of(index: &str, id: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(index.as_bytes());
    // No index has it in its name.
    hash.update([0]);
    hash.update(id.as_bytes());
    let hash = hash.finalize();
    hash.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// An action as the body says it.
struct Asked<'t> {
    action: Action,
    /// Which of the indices.
    index: usize,
    id: Option<String>,
    source: Result<&'t [u8], ItemFault>,
}

/// What a body asks for.
#[derive(Default)]
struct Plan<'t> {
    indices: Vec<String>,
    known: HashMap<String, usize>,
    asked: Vec<Asked<'t>>,
}

/// Reads `body` and hands out the events of documents that are not refused, with whether they count: those marked as conflicts are
/// read like the others, so that what they take of the body's limits is the same whenever it is read.
pub(super) fn read(
    body: &Bytes,
    bulk: &Bulk,
    (received, limits): (Timestamp, &ReadLimits),
    mut each: impl FnMut(Raw, bool),
) -> Result<Vec<Item>, Error> {
    let plan = match &bulk.form {
        Form::Many => Plan::of_lines(body, bulk, limits.max_events)?,
        Form::One { action, id } => Plan::of_one(body, bulk, *action, id.clone())?,
    };
    let names = Own::default();
    let options: Vec<Options<'_>> =
        plan.indices.iter().map(|index| names.options(index, received, limits)).collect();
    let mut readers: Vec<(Direct<'_, '_>, Streams<'_>)> = options
        .iter()
        .map(|options| {
            let streams = Streams::new(options.names.stream_fields, options.names.dataset);
            (Direct::new(options, body.len()), streams)
        })
        .collect();
    let (mut items, mut room, mut accepted) = (Vec::with_capacity(plan.asked.len()), MAX_BODY_VALUES, 0);
    for (asked, number) in plan.asked.into_iter().zip(0..) {
        let Asked { action, index, id, source } = asked;
        let (Some(options), Some((direct, streams))) = (options.get(index), readers.get_mut(index)) else {
            continue;
        };
        let read = source.and_then(|line| {
            let raw = match direct.read(line, &mut room, streams) {
                Some(raw) => Ok(raw),
                None => ndjson::fully(line, options, &mut room, streams),
            };
            raw.map_err(|reason| ItemFault::new("document_parsing_exception", reason))
        });
        let is_conflict = bulk.conflicts.has(number);
        let outcome = read.and_then(|mut raw| {
            set_id(&mut raw, id.as_deref());
            each(raw, !is_conflict);
            match (is_conflict, &id) {
                (true, Some(id)) => Err(ItemFault::conflict(id)),
                _ => {
                    accepted += 1;
                    Ok(accepted - 1)
                }
            }
        });
        items.push(Item { action, index: options.names.dataset.to_owned(), id, outcome });
    }
    Ok(items)
}

/// The client's id goes before what the document says of its event's.
fn set_id(raw: &mut Raw, id: Option<&str>) {
    let Some(id) = id else { return };
    let fields = &mut raw.event.fields;
    if let Some(own) = fields.remove(CLIENT_ID)
        && own.text() != id
    {
        fields.append(&format!("attributes.{CLIENT_ID}"), own);
    }
    fields.set(CLIENT_ID, Value::str(id));
}

/// The names that a document's members mean something by.
struct Own {
    time: Vec<String>,
    message: Vec<String>,
    stream: Vec<String>,
}

impl Default for Own {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            time: names(&["@timestamp", "timestamp", "time", "ts", "_time"]),
            message: names(&["message", "msg", "log", "_msg"]),
            stream: names(&[name::HOST, "kubernetes"]),
        }
    }
}

impl Own {
    fn options<'a>(&'a self, index: &'a str, received: Timestamp, limits: &'a ReadLimits) -> Options<'a> {
        let names = Names {
            time_fields: &self.time,
            message_fields: &self.message,
            stream_fields: &self.stream,
            dataset: index,
            of_documents: true,
        };
        Options { names, keep_original: false, received, limits }
    }
}

impl<'t> Plan<'t> {
    fn of_one(body: &'t Bytes, bulk: &Bulk, action: Action, id: Option<String>) -> Result<Self, Error> {
        if body.trim_ascii().is_empty() {
            return Err(malformed(None, "request body is required".into()));
        }
        let mut plan = Self::default();
        let said = Said { index: bulk.index.clone(), id, ..Said::default() };
        plan.add(action, said, Some(body), bulk, 1)?;
        Ok(plan)
    }

    fn of_lines(body: &'t Bytes, bulk: &Bulk, max_events: usize) -> Result<Self, Error> {
        if body.is_empty() {
            return Err(malformed(None, "request body is required".into()));
        }
        if !body.ends_with(b"\n") {
            return Err(malformed(None, "The bulk request must be terminated by a newline [\\n]".into()));
        }
        let mut plan = Self::default();
        let mut numbered = lines(body.strip_suffix(b"\n").unwrap_or(body)).zip(1u64..);
        while let Some((line, number)) = numbered.next() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            if plan.asked.len() == max_events {
                return Err(Error::TooMany { max_events });
            }
            let (action, said) = read_action(line, number)?;
            let source = if action == Action::Delete { None } else { numbered.next().map(|(line, _)| line) };
            if source.is_none() && action != Action::Delete {
                let text = format!("Malformed action/metadata line [{number}], its document is missing");
                return Err(malformed(Some(number), text));
            }
            plan.add(action, said, source, bulk, number)?;
        }
        if plan.asked.is_empty() {
            return Err(malformed(None, "Validation Failed: 1: no requests added;".into()));
        }
        Ok(plan)
    }

    fn add(
        &mut self,
        action: Action,
        said: Said,
        source: Option<&'t [u8]>,
        bulk: &Bulk,
        line: u64,
    ) -> Result<(), Error> {
        let Said { index, id, create, faulty } = said;
        let action = if create && action == Action::Index { Action::Create } else { action };
        let index = index.or_else(|| bulk.index.clone());
        let missing = || {
            let number = self.asked.len() + 1;
            malformed(Some(line), format!("Validation Failed: {number}: index is missing;"))
        };
        let index = index.filter(|index| !index.is_empty()).ok_or_else(missing)?;
        let (index, unclear) = resolve(bulk, index);
        let source = source.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut source = source.ok_or_else(|| unsupported(action));
        let fault = faulty.or(unclear).or_else(|| check(action, &index, id.as_deref()));
        if let Some(fault) = fault {
            source = Err(fault);
        }
        let index = self.place(index)?;
        self.asked.push(Asked { action, index, id, source });
        Ok(())
    }

    fn place(&mut self, index: String) -> Result<usize, Error> {
        if let Some(place) = self.known.get(&index) {
            return Ok(*place);
        }
        if self.indices.len() >= MAX_INDICES {
            let reason =
                format!("a body may name at most [{MAX_INDICES}] indices; send several smaller ones");
            return Err(malformed(None, reason));
        }
        self.indices.push(index.clone());
        self.known.insert(index, self.indices.len() - 1);
        Ok(self.indices.len() - 1)
    }
}

/// What an action's line says.
#[derive(Default)]
struct Said {
    index: Option<String>,
    id: Option<String>,
    /// `op_type` is `create`.
    create: bool,
    /// What is asked for cannot be done.
    faulty: Option<ItemFault>,
}

/// Parameters that change nothing here.
const IGNORED: [&str; 12] = [
    "_type",
    "type",
    "routing",
    "_routing",
    "pipeline",
    "require_alias",
    "require_data_stream",
    "dynamic_templates",
    "list_executed_pipelines",
    "retry_on_conflict",
    "_source",
    "fields",
];
/// Conditions on the document's version, of which there is only one.
const CONDITIONS: [&str; 8] = [
    "version",
    "_version",
    "version_type",
    "_version_type",
    "if_seq_no",
    "if_primary_term",
    "_if_seq_no",
    "_if_primary_term",
];

fn read_action(line: &[u8], number: u64) -> Result<(Action, Said), Error> {
    let wrong =
        |what: &str| malformed(Some(number), format!("Malformed action/metadata line [{number}], {what}"));
    if line.len() > MAX_ACTION_BYTES {
        return Err(wrong("it is too long"));
    }
    let object: Json =
        serde_json::from_slice(line).map_err(|error| wrong(&format!("not valid JSON: {error}")))?;
    let Json::Object(object) = object else {
        return Err(wrong("expected START_OBJECT"));
    };
    let mut members = object.into_iter();
    let Some((key, meta)) = members.next() else {
        return Err(wrong("expected FIELD_NAME but found [END_OBJECT]"));
    };
    let action = Action::parse(&key).ok_or_else(|| {
        let known = "expected field [create], [delete], [index] or [update]";
        wrong(&format!("{known} but found [{}]", shown(&key)))
    })?;
    let Json::Object(meta) = meta else {
        return Err(wrong("expected START_OBJECT or END_OBJECT"));
    };
    if members.next().is_some() {
        return Err(wrong("expected END_OBJECT but found [FIELD_NAME]"));
    }
    Ok((action, read_meta(meta, number)?))
}

/// An action and its parameters; documents may be longer.
const MAX_ACTION_BYTES: usize = 64 << 10;

fn read_meta(meta: Map<String, Json>, number: u64) -> Result<Said, Error> {
    let mut said = Said::default();
    for (name, value) in meta {
        let text = match value {
            Json::String(text) => Some(text),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(truth) => Some(truth.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        };
        match name.as_str() {
            "_index" => said.index = text,
            "_id" => said.id = text,
            "op_type" => said.create = text.as_deref() == Some("create"),
            name if CONDITIONS.contains(&name) => {
                let reason = format!("events are never changed: [{name}] is not supported");
                said.faulty = Some(ItemFault::new("illegal_argument_exception", reason));
            }
            name if IGNORED.contains(&name) => {}
            name => {
                let what = format!("contains an unknown parameter [{}]", shown(name));
                return Err(malformed(Some(number), format!("Action/metadata line [{number}] {what}")));
            }
        }
    }
    Ok(said)
}

/// The index that an alias stands for, or why it stands for none.
fn resolve(bulk: &Bulk, index: String) -> (String, Option<ItemFault>) {
    match bulk.aliases.get(&index) {
        None => (index, None),
        Some(Some(target)) => (target.clone(), None),
        Some(None) => {
            let reason = format!(
                "no write index is defined for alias [{}]. The write index may be explicitly disabled using \
                 is_write_index=false or the alias points to multiple indices without one being designated as a write \
                 index",
                shown(&index)
            );
            (index, Some(ItemFault::new("illegal_argument_exception", reason)))
        }
    }
}

/// What of an action can be judged without its document.
fn check(action: Action, index: &str, id: Option<&str>) -> Option<ItemFault> {
    if matches!(action, Action::Update | Action::Delete) {
        return Some(unsupported(action));
    }
    if !name::is_dataset(index) {
        let reason = format!("Invalid index name [{}], must be {}", shown(index), name::DATASET_RULE);
        return Some(ItemFault::new("invalid_index_name_exception", reason));
    }
    match id {
        Some("") => {
            let reason = "if _id is specified it must not be empty".to_owned();
            Some(ItemFault::new("illegal_argument_exception", reason))
        }
        Some(id) if id.len() > MAX_ID_BYTES => {
            let reason = format!(
                "id [{}] is too long, must be no longer than {MAX_ID_BYTES} bytes but was: {}",
                shown(id),
                id.len()
            );
            Some(ItemFault::new("illegal_argument_exception", reason))
        }
        _ => None,
    }
}

fn unsupported(action: Action) -> ItemFault {
    let reason = format!("events are never changed: [{}] is not supported", action.name());
    ItemFault::new("illegal_argument_exception", reason)
}

fn malformed(line: Option<u64>, reason: String) -> Error {
    Error::Malformed { line, reason }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Door;
    use crate::delivery::Marks;
    use crate::receive::tests::{read, refused};

    fn door() -> Door {
        Door::Documents(Bulk { index: Some("logs".into()), ..Bulk::default() })
    }

    #[track_caller]
    fn check_refused(body: &str, line: Option<u64>, expected: &str) {
        match refused(&Door::Documents(Bulk::default()), body.to_owned()) {
            Error::Malformed { line: at, reason } => {
                assert!(reason.contains(expected), "{reason}");
                assert_eq!(at, line, "{body}");
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_elasticsearch_refuses_as_a_whole_is_refused() {
        let good = "{\"index\":{\"_index\":\"a\"}}\n{\"x\":1}\n";
        check_refused("", None, "request body is required");
        check_refused("\n\n", None, "no requests added");
        check_refused(
            "{\"index\":{\"_index\":\"a\"}}\n{\"x\":1}",
            None,
            "must be terminated by a newline [\\n]",
        );
        check_refused("{\"index\":{}}\n{}\n", Some(1), "Validation Failed: 1: index is missing;");
        check_refused(
            &format!("{good}{{\"index\":{{}}}}\n{{}}\n"),
            Some(3),
            "Validation Failed: 2: index is missing;",
        );
        check_refused("[]\n{}\n", Some(1), "Malformed action/metadata line [1], expected START_OBJECT");
        check_refused("{}\n{}\n", Some(1), "expected FIELD_NAME but found [END_OBJECT]");
        check_refused(
            "{\"add\":{}}\n{}\n",
            Some(1),
            "[create], [delete], [index] or [update] but found [add]",
        );
        check_refused("{\"index\":7}\n{}\n", Some(1), "expected START_OBJECT or END_OBJECT");
        check_refused("{\"index\":{},\"create\":{}}\n{}\n", Some(1), "expected END_OBJECT");
        check_refused("{\"index\":{\"x\":1}}\n{}\n", Some(1), "unknown parameter [x]");
        check_refused("{\"index\":{\"_index\":\"a\"}}\n", Some(1), "its document is missing");
        check_refused(&format!("{good}nonsense\n"), Some(3), "not valid JSON");
    }

    #[test]
    fn each_document_has_an_outcome_of_its_own() {
        let body = [
            r#"{"index":{"_id":"a","_type":"_doc","pipeline":"p","routing":7}}"#,
            r#"{"@timestamp":"2025-11-24T16:00:00Z","message":"one","n":1}"#,
            r#"{"create":{"_index":"other","_id":7}}"#,
            r#"{"msg":"two","time":1764000000}"#,
            r#"{"delete":{"_id":"a"}}"#,
            r#"{"update":{"_id":"a"}}"#,
            r#"{"doc":{}}"#,
            r#"{"index":{}}"#,
            r#"{"broken":"#,
            r#"{"index":{"_index":"Upper"}}"#,
            "{}",
            r#"{"index":{"_id":""}}"#,
            "{}",
            r#"{"index":{"if_seq_no":1}}"#,
            "{}",
            "",
            r#"{"index":{"op_type":"create"}}"#,
            r#"{"event":{"dataset":"mine","id":"own"}}"#,
            "",
        ]
        .join("\n");
        let read = read(&door(), body).unwrap();
        let outcomes: Vec<_> = read
            .items
            .iter()
            .map(|item| {
                (item.action.name(), item.index.as_str(), item.outcome.as_ref().map_err(|f| f.kind).copied())
            })
            .collect();
        let illegal = Err("illegal_argument_exception");
        let expected = [
            ("index", "logs", Ok(0)),
            ("create", "other", Ok(1)),
            ("delete", "logs", illegal),
            ("update", "logs", illegal),
            ("index", "logs", Err("document_parsing_exception")),
            ("index", "Upper", Err("invalid_index_name_exception")),
            ("index", "logs", illegal),
            ("index", "logs", illegal),
            ("create", "logs", Ok(2)),
        ];
        assert_eq!(outcomes, expected);
        assert_eq!((read.ack.accepted, read.ack.rejected_count), (3, 6));
        let [one, two, three] = read.events.as_slice() else { panic!("{:?}", read.events) };
        assert_eq!(
            (&one.message[..], one.time.to_string().as_str()),
            (&b"one"[..], "2025-11-24T16:00:00.000Z")
        );
        assert_eq!(one.get("event.id").unwrap().text(), "a");
        assert_eq!(one.stream.get("event.dataset"), Some("logs"));
        assert_eq!(one.fields.len(), 2);
        // What is not called `message` or `@timestamp` stays a field too.
        assert_eq!((&two.message[..], two.time), (&b"two"[..], Timestamp::from_seconds(1_764_000_000)));
        assert_eq!(two.get("msg").unwrap().text(), "two");
        assert_eq!(two.get("time").unwrap().text(), "1764000000");
        assert_eq!(
            (two.get("event.id").unwrap().text().as_ref(), two.stream.get("event.dataset")),
            ("7", Some("other"))
        );
        assert_eq!(three.get("event.dataset").unwrap().text(), "logs");
        assert_eq!(three.get("attributes.event.dataset").unwrap().text(), "mine");
        assert_eq!(three.get("event.id").unwrap().text(), "own");
    }

    #[test]
    fn an_alias_stands_for_its_index() {
        let aliases =
            BTreeMap::from([("w".to_owned(), Some("real".to_owned())), ("unclear".to_owned(), None)]);
        let bulk = Bulk { aliases, ..Bulk::default() };
        let body = "{\"index\":{\"_index\":\"w\"}}\n{}\n{\"index\":{\"_index\":\"unclear\"}}\n{}\n";
        let read = read(&Door::Documents(bulk), body).unwrap();
        assert_eq!((read.items[0].index.as_str(), read.items[0].outcome.is_ok()), ("real", true));
        assert!(read.items[1].outcome.as_ref().unwrap_err().reason.starts_with("no write index is defined"));
    }

    #[test]
    fn conflicts_are_taken_out_and_read_the_same_again() {
        let line = |id: u32| format!("{{\"index\":{{\"_id\":\"{id}\"}}}}\n{{\"n\":{id}}}\n");
        let body: String = (0..70).map(line).collect();
        let mut first = read(&door(), body.clone()).unwrap();
        let numbers = [0, 3, 69];
        first.refuse_conflicts(&numbers);
        assert_eq!((first.events.len(), first.ack.accepted, first.ack.rejected_count), (67, 67, 3));
        assert_eq!(first.items[3].outcome.as_ref().unwrap_err().status, 409);
        assert_eq!(first.items[4].outcome, Ok(2));
        let conflicts = Marks(first.ack.conflicts.clone());
        assert!((0..80).all(|n| conflicts.has(n) == numbers.contains(&n)));
        let again = Bulk { index: Some("logs".into()), conflicts, ..Bulk::default() };
        let again = read(&Door::Documents(again), body).unwrap();
        assert_eq!((again.events, again.items), (first.events, first.items));
    }

    #[test]
    fn keys_never_change() {
        assert_eq!(key_of("logs", "a"), key_of("logs", "a"));
        assert_ne!(key_of("logs", "a"), key_of("log", "sa"));
        // They are kept in catalogs.
        assert_eq!(key_of("logs", "a"), 0x3725_6d4c_4e1d_de63);
    }
}
