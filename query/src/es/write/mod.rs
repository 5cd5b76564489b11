//! Writing through the Elasticsearch API: documents, indices, aliases, and what shippers want kept.
//!
//! Documents become events through the receive path that every door has; an index is their dataset. What describes an index
//! (mappings, settings, aliases, templates, policies, pipelines) is kept and given back; it changes no event, only how fields are asked.

mod alias;
mod answered;
mod apply;
mod bulk;
mod describe;
mod document;
mod index;
mod kept;
mod nothing;
mod template;

pub(super) use alias::Alias;
pub(super) use apply::Settled;
pub(super) use describe::{Described, described, mappings, said};

use axum::routing::{MethodRouter, get, post, put};

use super::Es;

/// The routes of what writes.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Es>)> {
    let mut routes = documents();
    routes.extend(indices());
    routes.extend(nothing::routes());
    routes.extend(template::routes());
    routes
}

fn documents() -> Vec<(&'static str, MethodRouter<Es>)> {
    vec![
        ("/_bulk", post(bulk::all).put(bulk::all)),
        ("/{index}/_bulk", post(bulk::of_index).put(bulk::of_index)),
        ("/{index}/_doc", post(document::add)),
        ("/{index}/_doc/{id}", post(document::put).put(document::put).delete(document::delete)),
        ("/{index}/_create/{id}", post(document::create).put(document::create)),
        ("/{index}/_update/{id}", post(document::update)),
        ("/{index}/_update_by_query", post(document::update_by_query)),
        ("/{index}/_delete_by_query", post(document::delete_by_query)),
    ]
}

fn indices() -> Vec<(&'static str, MethodRouter<Es>)> {
    vec![
        ("/{index}", put(index::create).delete(index::delete).head(index::exists)),
        ("/{index}/_mapping", put(index::put_mapping).post(index::put_mapping)),
        ("/{index}/_mappings", put(index::put_mapping).post(index::put_mapping)),
        ("/{index}/_doc/_mapping", put(index::put_mapping).post(index::put_mapping)),
        ("/{index}/_mapping/_doc", put(index::put_mapping).post(index::put_mapping)),
        ("/{index}/_settings", put(index::put_settings)),
        ("/_aliases", post(alias::change).get(alias::all)),
        ("/_alias", get(alias::all)),
        ("/_alias/{name}", get(alias::named)),
        ("/{index}/_alias", get(alias::of_index)),
        ("/{index}/_alias/{name}", put(alias::add).post(alias::add).delete(alias::remove).get(alias::both)),
        ("/{index}/_aliases/{name}", put(alias::add).post(alias::add).delete(alias::remove)),
    ]
}
