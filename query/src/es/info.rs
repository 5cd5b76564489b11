//! Who this server is, as clients ask before they talk: `/es/`, `_license`, `_xpack`, `_nodes`.

use axum::response::Response;
use locard_indexer::{Permission, Principal};
use serde_json::{Value as Json, json};

use super::answer::ok;
use super::error::Error;

/// The version of Elasticsearch whose API this is. Clients refuse servers that are much older than they are.
pub(super) const VERSION: &str = "8.17.0";
const CLUSTER: &str = "locard";
const CLUSTER_UUID: &str = "bG9jYXJkLWNsdXN0ZXItMQ";
const NODE: &str = "locard-0";

/// Answers `GET /es/`. Shippers that may only write ask it too.
pub(super) async fn info(_principal: Principal) -> Response {
    ok(&json!({
        "name": NODE,
        "cluster_name": CLUSTER,
        "cluster_uuid": CLUSTER_UUID,
        "version": {
            "number": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": "0000000000000000000000000000000000000000",
            "build_date": "2024-12-11T12:08:05.663969764Z",
            "build_snapshot": false,
            "lucene_version": "9.12.0",
            "minimum_wire_compatibility_version": "7.17.0",
            "minimum_index_compatibility_version": "7.0.0",
        },
        "tagline": "You Know, for Search",
    }))
}

/// Answers `_license`: Filebeat looks for a basic one that is active.
pub(super) async fn license(_principal: Principal) -> Response {
    ok(&json!({"license": {
        "status": "active",
        "uid": "00000000-0000-0000-0000-000000000000",
        "type": "basic",
        "issue_date": "2024-01-01T00:00:00.000Z",
        "issue_date_in_millis": 1_704_067_200_000_u64,
        "max_nodes": 1000,
        "issued_to": CLUSTER,
        "issuer": "elasticsearch",
        "start_date_in_millis": -1,
    }}))
}

/// Answers `_xpack`: no feature of it is here.
pub(super) async fn xpack(_principal: Principal) -> Response {
    let off = json!({"available": false, "enabled": false});
    let features =
        ["security", "ilm", "ml", "monitoring", "watcher", "graph", "rollup", "sql", "slm", "transform"];
    let features: serde_json::Map<String, Json> =
        features.into_iter().map(|name| (name.to_owned(), off.clone())).collect();
    ok(&json!({
        "build": {"hash": "0000000000000000000000000000000000000000", "date": "2024-12-11T12:08:05.663Z"},
        "license": {"uid": "00000000-0000-0000-0000-000000000000", "type": "basic", "mode": "basic", "status": "active"},
        "features": features,
        "tagline": "You know, for X",
    }))
}

/// Answers `_nodes`: one node, as sniffing clients need. It names no address, so that a client behind a proxy keeps its own.
pub(super) async fn nodes(_principal: Principal) -> Response {
    ok(&json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": CLUSTER,
        "nodes": {NODE: {
            "name": NODE,
            "version": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "roles": ["data", "ingest", "master"],
            "ingest": {"processors": []},
            "plugins": [],
            "modules": [],
        }},
    }))
}

/// Answers `_security/_authenticate`: who the credential stands for.
pub(super) async fn authenticate(principal: Principal) -> Result<Response, Error> {
    let roles: Vec<&str> =
        [(Permission::Ingest, "ingest"), (Permission::Read, "read"), (Permission::Admin, "admin")]
            .into_iter()
            .filter_map(|(permission, name)| principal.require(permission).is_ok().then_some(name))
            .collect();
    Ok(ok(&json!({
        "username": &*principal.name,
        "roles": roles,
        "full_name": null,
        "email": null,
        "metadata": {"tenant": principal.tenant.as_str()},
        "enabled": true,
        "authentication_type": "token",
    })))
}
