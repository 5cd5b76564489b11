//! `/api/export`: any result without a cap, streamed as fast as the client reads, in several formats; and what is said of it afterwards.
//!
//! `request → source (page after page) → encode, count, digest, pack → body, trailers, manifest`.

mod manifest;
mod pump;
mod request;
mod source;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, StatusCode, header};
use locard_indexer::{Permission, Principal, Problem};
use serde_json::Value;

pub(super) use manifest::Manifests;

use super::params::Params;
use super::problem::problem;
use super::{Api, header_text};
use crate::export::{Columns, Encoder, Format, Packer, Seal};
use crate::search::Searcher;
use manifest::Record;
use pump::{Pump, TRAILERS, Work};
use request::Request;
use source::Source;

const EXPORT: HeaderName = HeaderName::from_static("locard-export");
const CURSOR: HeaderName = HeaderName::from_static("locard-cursor");

/// Streams everything that is asked for.
pub(super) async fn export(
    State(api): State<Api>,
    principal: Principal,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    principal.require(Permission::Read)?;
    let request = Request::read(params, &headers)?;
    let place = request.place(&api.searcher, &principal).await?;
    let refused = |error| problem(error, &request.ask.q);
    let mut source = Source::new(&api.searcher, &principal, &request, place);
    let mut seal = Seal::default();
    // Before anything is sent, so that what cannot be answered is refused.
    let first = source.clone().next(true).await.map_err(refused)?;
    let columns = columns(&source, &request, &mut seal).await?;
    source.skip_to(&first);
    let record = Record::begin(&api.manifests, &principal, &request, place, &columns);
    let mut response = Response::new(Body::empty());
    head(response.headers_mut(), &request, &headers, record.id(), &place.to_string());
    let work = Work {
        encoder: Encoder::new(request.format, columns, place.after.is_some(), request.about(place)),
        packer: Packer::new(request.packing)
            .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?,
        seal,
        skip: request.offset,
    };
    *response.body_mut() = Pump::new(source, first, work, record).into_body();
    Ok(response)
}

/// What is known of an export that was asked for with the same credential, while it runs and afterwards.
pub(super) async fn manifest(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Value>, Problem> {
    principal.require(Permission::Read)?;
    params.known(&[])?;
    let found = api.manifests.get(&principal, &id);
    found.map(Json).ok_or_else(|| {
        let hint =
            "manifests are kept for the latest exports, until the server ends; NDJSON ends with its own";
        Problem::new(StatusCode::NOT_FOUND, "there is no manifest of such an export").with("hint", hint)
    })
}

/// The columns of a table: those that are asked for, or all that there are, for which everything is read once before.
async fn columns(source: &Source, request: &Request, seal: &mut Seal) -> Result<Vec<String>, Problem> {
    if request.format != Format::Csv || !request.fields.is_empty() {
        return Ok(request.fields.clone());
    }
    let (mut source, mut columns) = (source.clone().of_events(), Columns::default());
    let mut is_first = true;
    while source.more() {
        let page = source.next(is_first).await.map_err(|error| problem(error, &request.ask.q))?;
        is_first = false;
        if let Some(because) = &page.incomplete_because {
            seal.lacks(because);
        }
        if !columns.note(&page.batch) {
            let detail = format!("there are more than {} different fields", crate::export::MAX_COLUMNS);
            let problem = Problem::new(StatusCode::BAD_REQUEST, detail).with("parameter", "fields");
            return Err(problem.with("hint", "name the columns: `fields=@timestamp,message`"));
        }
    }
    Ok(columns.into_names())
}

fn head(headers: &mut HeaderMap, request: &Request, asked: &HeaderMap, id: &str, cursor: &str) {
    let mut put = |name, value: &str| {
        headers.insert(name, header_text(value));
    };
    put(header::CONTENT_TYPE, request.media());
    put(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", request.filename));
    put(header::TRAILER, &TRAILERS.map(|name| name.as_str().to_owned()).join(", "));
    put(EXPORT, id);
    put(CURSOR, cursor);
    match request.coding() {
        Some(coding) => put(header::CONTENT_ENCODING, coding),
        // Says that it is not to be packed once more on its way.
        None if asked.contains_key(header::ACCEPT_ENCODING) => put(header::CONTENT_ENCODING, "identity"),
        None => {}
    }
    put(header::VARY, "accept, accept-encoding");
}

/// A searcher without what bounds a page: an export is bounded by its pages.
fn unbounded(searcher: &Searcher) -> Searcher {
    let mut searcher = searcher.clone();
    searcher.limits.max_limit = source::MOST;
    searcher.limits.deadline = source::PAGE_TIME;
    searcher
}
