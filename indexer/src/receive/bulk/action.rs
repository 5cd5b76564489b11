//! [`Action`]: what the line before a document says. Does not know the document, nor what else the body holds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::fault::{ItemFault, malformed, shown};
use crate::delivery::Error;

/// An action and its parameters; documents may be longer.
const MAX_ACTION_BYTES: usize = 64 << 10;

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

/// What an action's line says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) index: Option<String>,
    pub(super) id: Option<String>,
    /// `op_type` is `create`.
    pub(super) create: bool,
    /// What is asked for cannot be done.
    pub(super) faulty: Option<ItemFault>,
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

pub(super) fn read_action(line: &[u8], number: u64) -> Result<(Action, Said), Error> {
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
