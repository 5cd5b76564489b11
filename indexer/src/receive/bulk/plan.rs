//! [`Plan`]: a body taken apart into actions and the documents that belong to them. Does not read the documents.

use std::collections::HashMap;

use bytes::Bytes;
use locard_event::name;

use super::super::ndjson::lines;
use super::action::{Action, Said, read_action};
use super::fault::{ItemFault, malformed, shown};
use crate::delivery::{Bulk, Error};

/// Elasticsearch's own limit.
const MAX_ID_BYTES: usize = 512;
/// Most different indices in one body.
const MAX_INDICES: usize = 1000;

/// An action as the body says it.
pub(super) struct Asked<'t> {
    pub(super) action: Action,
    /// Which of the indices.
    pub(super) index: usize,
    pub(super) id: Option<String>,
    pub(super) source: Result<&'t [u8], ItemFault>,
}

/// What a body asks for.
#[derive(Default)]
pub(super) struct Plan<'t> {
    pub(super) indices: Vec<String>,
    known: HashMap<String, usize>,
    pub(super) asked: Vec<Asked<'t>>,
}

impl<'t> Plan<'t> {
    pub(super) fn of_one(
        body: &'t Bytes,
        bulk: &Bulk,
        action: Action,
        id: Option<String>,
    ) -> Result<Self, Error> {
        if body.trim_ascii().is_empty() {
            return Err(malformed(None, "request body is required".into()));
        }
        let mut plan = Self::default();
        let said = Said { index: bulk.index.clone(), id, ..Said::default() };
        plan.add(action, said, Some(body), bulk, 1)?;
        Ok(plan)
    }

    pub(super) fn of_lines(body: &'t Bytes, bulk: &Bulk, max_events: usize) -> Result<Self, Error> {
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
            if source.is_none() && plan.asked.is_empty() && action != Action::Delete {
                break;
            }
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
        let mut source = source.ok_or_else(|| ItemFault::unsupported(action));
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
        return Some(ItemFault::unsupported(action));
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
