//! Kubernetes audit events as API servers send them to a webhook: lists of events, or single ones, one after the other.
//!
//! Only takes them apart: each becomes a line of the dataset `k8s.audit`, byte by byte, and its meaning is read there
//! ([`locard_parse::normalise`]). Source: k8s.io/apiserver `plugin/pkg/audit/webhook`.

use std::sync::Arc;

use bytes::Bytes;
use locard_event::{Event, Stream, Timestamp, name};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MAX_BODY_VALUES, Raw, Rejections, take_room};
use crate::delivery::Error;
use crate::wal::ReadLimits;

#[derive(Deserialize)]
struct List<'t> {
    #[serde(borrow)]
    items: Option<Vec<&'t RawValue>>,
}

/// Reads the lists in `body` and hands out their events.
pub(super) fn read(
    body: &Bytes,
    received: Timestamp,
    limits: &ReadLimits,
    rejections: &mut Rejections,
    mut each: impl FnMut(Raw),
) -> Result<(), Error> {
    let stream = Arc::new(Stream::new([(name::DATASET, "k8s.audit")]));
    let (mut events, mut number, mut room) = (0, 0, MAX_BODY_VALUES);
    for value in serde_json::Deserializer::from_slice(body).into_iter::<&RawValue>() {
        let text = value.map_err(|error| malformed(&error))?.get();
        for item in items(text, &mut room)? {
            number += 1;
            if events == limits.max_events {
                return Err(Error::TooMany { max_events: limits.max_events });
            }
            if !item.starts_with('{') {
                rejections.add(number, "the item is not a JSON object".into());
                continue;
            }
            events += 1;
            let event = Event::new(received, Arc::clone(&stream), Bytes::copy_from_slice(item.as_bytes()));
            each(Raw { event, time_known: false, whole_line: false, left_out: 0 });
        }
    }
    Ok(())
}

/// The events of a list; anything else is one itself.
fn items<'t>(text: &'t str, room: &mut usize) -> Result<Vec<&'t str>, Error> {
    take_room(text.as_bytes(), room)?;
    if !text.starts_with('{') {
        return Ok(vec![text]);
    }
    let list: List<'t> = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    Ok(list.items.map_or_else(|| vec![text], |items| items.into_iter().map(RawValue::get).collect()))
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::Malformed { line: Some(error.line() as u64), reason: format!("not audit events in JSON: {error}") }
}
