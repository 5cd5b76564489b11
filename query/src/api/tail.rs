//! `/api/tail`: the events that match, as they are accepted, as server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event as Frame, KeepAlive};
use futures_util::Stream;
use http::{HeaderMap, StatusCode};
use locard_event::EventId;
use locard_indexer::{Permission, Principal, Problem};
use serde_json::json;

use super::Api;
use super::params::Params;
use super::problem::problem;
use crate::json::EventJson;
use crate::search::{Tailed, Tailing};

/// What a client sends when it comes back: the id of the last event it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// Follows. `id:` is the event's id, `data:` the event; `event: lag` tells how many were passed over; an `id:` alone, up to where
/// nothing else matched.
pub(super) async fn tail(
    State(api): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    params: Params,
) -> Result<Sse<impl Stream<Item = Result<Frame, Infallible>>>, Problem> {
    principal.require(Permission::Read)?;
    let params = params.known(&["q", "after"])?;
    let q = params.text("q").unwrap_or_default();
    let resume = resume(&headers, &params)?;
    let tailing = api.searcher.tail(&principal, q, resume, api.shutdown.clone()).await;
    let tailing = tailing.map_err(|error| problem(error, q))?;
    Ok(Sse::new(frames(tailing)).keep_alive(KeepAlive::default()))
}

/// The header wins: a browser that reconnects repeats the address, `after` and all.
fn resume(headers: &HeaderMap, params: &Params) -> Result<Option<EventId>, Problem> {
    let after = params.parse("after", "write an event's id, as 0-184467")?;
    let Some(header) = headers.get(LAST_EVENT_ID).filter(|header| !header.is_empty()) else {
        return Ok(after);
    };
    let id = header.to_str().ok().and_then(|text| text.parse().ok());
    let refused =
        || Problem::new(StatusCode::BAD_REQUEST, "Last-Event-ID must be an event's id, as 0-184467");
    id.map(Some).ok_or_else(refused)
}

fn frames(tailing: Tailing) -> impl Stream<Item = Result<Frame, Infallible>> {
    futures_util::stream::unfold(tailing, |mut tailing| async {
        let tailed = tailing.recv().await?;
        Some((Ok(frame(&tailed)), tailing))
    })
}

fn frame(tailed: &Tailed) -> Frame {
    let (frame, data) = match tailed {
        Tailed::Event(event) => {
            let id = event.id.map(|id| id.to_string()).unwrap_or_default();
            (Frame::default().id(id), serde_json::to_string(&EventJson::whole(event)).unwrap_or_default())
        }
        // Without data: no client takes it for an event, and every client comes back with the id.
        Tailed::Place(id) => return Frame::default().id(id.to_string()),
        Tailed::Lag(lag) => {
            let data = json!({"missed": lag.missed, "first": lag.first.to_string(), "because": lag.because});
            (Frame::default().event("lag"), data.to_string())
        }
        Tailed::End(because) => (Frame::default().event("end"), json!({"because": because}).to_string()),
    };
    frame.data(data)
}
