//! The Elasticsearch API under `/es`: requests of its clients, shippers and Grafana, answered in its shapes.
//!
//! An index is a dataset of the principal's tenant. Every answer carries `X-Elastic-Product`; what is not supported is refused with
//! 400 and its name, so that no number is a wrong one. docs/elasticsearch.md says what there is and where it differs.

pub(crate) mod answer;
mod cluster;
pub(crate) mod error;
mod filter_path;
mod info;
pub(crate) mod params;
mod wild;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, any, get};
use http::{Method, Uri};

use crate::search::Searcher;
use error::Error;

pub(crate) use answer::dress;

/// What handlers share. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Es {
    pub(crate) searcher: Searcher,
}

/// The routes of the Elasticsearch API. The caller's layers put a [`locard_indexer::Principal`] into every request.
pub(crate) fn router(searcher: Searcher) -> Router {
    let es = Es { searcher };
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    router.with_state(es)
}

fn routes() -> Vec<(&'static str, MethodRouter<Es>)> {
    vec![
        ("/es", get(info::info)),
        ("/es/", get(info::info)),
        ("/es/_license", get(info::license)),
        ("/es/_xpack", get(info::xpack)),
        ("/es/_nodes", get(info::nodes)),
        ("/es/_nodes/{*rest}", get(info::nodes)),
        ("/es/_security/_authenticate", get(info::authenticate)),
        ("/es/_cluster/health", get(cluster::health)),
        ("/es/_cluster/health/{index}", get(cluster::health)),
        ("/es/_cat/health", get(cluster::cat_health)),
        ("/es/{*rest}", any(no_handler)),
    ]
}

/// What has no route, as Elasticsearch says it.
async fn no_handler(_principal: locard_indexer::Principal, method: Method, uri: Uri) -> impl IntoResponse {
    let path = uri.path().strip_prefix("/es").unwrap_or_default();
    Error::illegal(format!("no handler found for uri [{path}] and method [{method}]"))
}
