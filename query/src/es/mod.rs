//! The Elasticsearch API under `/es`: requests of its clients, shippers and Grafana, answered in its shapes.
//!
//! An index is a dataset of the principal's tenant. Every answer carries `X-Elastic-Product`; what is not supported is refused with
//! 400 and its name, so that no number is a wrong one. docs/elasticsearch.md says what there is and where it differs.

mod agg;
pub(crate) mod answer;
mod body;
mod caps;
mod cat;
mod cluster;
mod context;
mod date;
mod doc;
mod dsl;
pub(crate) mod error;
mod field;
mod fields;
mod filter_path;
mod highlight;
mod hit;
mod index;
mod info;
mod key;
pub(crate) mod params;
mod pattern;
mod pit;
mod request;
mod run;
mod schema;
mod scope;
mod search;
mod sizes;
mod sort;
mod source;
mod wild;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};
use http::{Method, Uri};

use crate::search::Searcher;
use context::Contexts;
use error::Error;

pub(crate) use answer::dress;

/// What handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Es {
    pub(crate) searcher: Searcher,
    contexts: Arc<Contexts>,
    mappings: Arc<scope::Mappings>,
    settled: Arc<write::Settled>,
}

/// The routes of the Elasticsearch API. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub(crate) fn router(searcher: Searcher) -> Router {
    let es = Es { searcher, contexts: Arc::default(), mappings: Arc::default(), settled: Arc::default() };
    let routes =
        cluster_routes().into_iter().chain(search_routes()).chain(index_routes()).chain(write::routes());
    let router = routes.fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let router = router.fallback(no_handler).layer(DefaultBodyLimit::max(body::MAX_BYTES)).with_state(es);
    Router::new().nest_service("/es", router)
}

type Routes = Vec<(&'static str, MethodRouter<Es>)>;

fn cluster_routes() -> Routes {
    vec![
        ("/", get(info::info)),
        ("/_license", get(info::license)),
        ("/_xpack", get(info::xpack)),
        ("/_nodes", get(info::nodes)),
        ("/_nodes/{*rest}", get(info::nodes)),
        ("/_security/_authenticate", get(info::authenticate)),
        ("/_cluster/health", get(cluster::health)),
        ("/_cluster/health/{index}", get(cluster::health)),
        ("/_cat/health", get(cluster::cat_health)),
        ("/_cat/count", get(cat::count)),
        ("/_cat/count/{index}", get(cat::count)),
        ("/_cat/indices", get(cat::indices)),
        ("/_cat/indices/{index}", get(cat::indices)),
    ]
}

fn search_routes() -> Routes {
    let scroll = || get(search::scroll).post(search::scroll).delete(search::clear_scroll);
    vec![
        ("/_search", get(search::search).post(search::search)),
        ("/{index}/_search", get(search::search).post(search::search)),
        ("/_count", get(search::count).post(search::count)),
        ("/{index}/_count", get(search::count).post(search::count)),
        ("/_msearch", get(search::msearch).post(search::msearch)),
        ("/{index}/_msearch", get(search::msearch).post(search::msearch)),
        ("/_search/scroll", scroll()),
        ("/_search/scroll/{scroll_id}", scroll()),
        ("/{index}/_pit", post(pit::open_pit)),
        ("/_pit", delete(pit::close_pit)),
        // OpenSearch's names of the same.
        ("/{index}/_search/point_in_time", post(pit::open_named_pit)),
        ("/_search/point_in_time", delete(pit::close_named_pits)),
        ("/_search/point_in_time/_all", get(pit::named_pits).delete(pit::close_all_named_pits)),
        ("/{index}/_doc/{id}", get(doc::get)),
        ("/{index}/_source/{id}", get(doc::source)),
        ("/_mget", get(doc::mget).post(doc::mget)),
        ("/{index}/_mget", get(doc::mget).post(doc::mget)),
        ("/_field_caps", get(caps::field_caps).post(caps::field_caps)),
        ("/{index}/_field_caps", get(caps::field_caps).post(caps::field_caps)),
        ("/_validate/query", get(caps::validate).post(caps::validate)),
        ("/{index}/_validate/query", get(caps::validate).post(caps::validate)),
        ("/_analyze", get(caps::analyze).post(caps::analyze)),
        ("/{index}/_analyze", get(caps::analyze).post(caps::analyze)),
    ]
}

fn index_routes() -> Routes {
    vec![
        ("/{index}", get(caps::index)),
        ("/_mapping", get(caps::mapping)),
        ("/_mappings", get(caps::mapping)),
        ("/{index}/_mapping", get(caps::mapping)),
        ("/{index}/_mappings", get(caps::mapping)),
        ("/_mapping/field/{fields}", get(caps::field_mapping)),
        ("/{index}/_mapping/field/{fields}", get(caps::field_mapping)),
        ("/_settings", get(caps::settings)),
        ("/{index}/_settings", get(caps::settings)),
        ("/_resolve/index/{name}", get(caps::resolve_index)),
        ("/_data_stream", get(caps::data_streams)),
        ("/_data_stream/{name}", get(caps::data_streams)),
        ("/_stats", get(cat::stats)),
        ("/{index}/_stats", get(cat::stats)),
        ("/{index}/_stats/{metric}", get(cat::stats)),
    ]
}

/// What has no route, as Elasticsearch says it.
async fn no_handler(_principal: locard_indexer::Principal, method: Method, uri: Uri) -> impl IntoResponse {
    Error::illegal(format!("no handler found for uri [{}] and method [{method}]", uri.path()))
}
