//! Documents through the receive path, for the face that knows Elasticsearch's answers: what became of each.

use axum::body::Body;
use http::HeaderMap;
use locard_event::EventId;

use super::{delivery, encoding};
use crate::delivery::{Bulk, Door};
use crate::receive::{Action, Item, ItemFault};
use crate::{Indexer, Permission, Principal, Problem};

/// What became of the documents of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkAnswer {
    /// One for each action, in their order.
    pub items: Vec<BulkItem>,
    /// Whether this is the answer that an earlier batch of the same name got: nothing was added now.
    pub repeated: bool,
}

/// What became of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkItem {
    /// What was asked for.
    pub action: Action,
    /// Of which index.
    pub index: String,
    /// The id that the client gave.
    pub id: Option<String>,
    /// Its event, if it was accepted.
    pub event: Option<EventId>,
    /// Why not, if it was not.
    pub fault: Option<ItemFault>,
}

/// Accepts documents. What is accepted is durable and searchable when this returns.
///
/// # Errors
/// The body as a whole was refused.
pub async fn deliver_bulk(
    indexer: &Indexer,
    principal: &Principal,
    bulk: Bulk,
    headers: &HeaderMap,
    body: Body,
) -> Result<BulkAnswer, Problem> {
    principal.require(Permission::Ingest)?;
    let encoding = encoding(headers)?;
    let (delivery, permit) = delivery(indexer, Door::Documents(bulk), encoding, headers, body).await?;
    let accepted = indexer.ingest_reserved(principal, delivery, permit).await?;
    let partition = indexer.partition(&principal.tenant).await?;
    let first = accepted.ack.first;
    let answer = |Item { action, index, id, outcome }: Item| {
        let (event, fault) = match outcome {
            Ok(place) => (first.map(|first| EventId::new(partition, first + place as u64)), None),
            Err(fault) => (None, Some(fault)),
        };
        BulkItem { action, index, id, event, fault }
    };
    let items = accepted.items.into_iter().map(answer).collect();
    Ok(BulkAnswer { items, repeated: accepted.ack.repeated })
}
