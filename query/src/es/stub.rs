//! What shippers set up before they send: templates, lifecycle policies, ingest pipelines. Locard needs none of them: they are taken
//! and not kept, and who asks for one is told that there is none.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use locard_indexer::{Permission, Principal};
use serde_json::json;

use super::answer;
use super::error::Error;

/// Takes a template, a policy or a pipeline.
pub(super) async fn put(principal: Principal) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    Ok(answer::ok(&json!({"acknowledged": true})))
}

/// Says that there is none of this name.
pub(super) async fn missing(principal: Principal, Path(name): Path<String>) -> Result<Response, Error> {
    either(&principal)?;
    if name.contains('*') {
        return Ok(answer::ok(&json!({})));
    }
    let reason = format!("[{name}] is missing: Locard keeps no templates, policies and pipelines");
    Err(Error::new(StatusCode::NOT_FOUND, "resource_not_found_exception", reason))
}

/// As [`missing`], of index templates, whose answer has a list.
pub(super) async fn missing_template(
    principal: Principal,
    path: Option<Path<String>>,
) -> Result<Response, Error> {
    match path {
        Some(Path(name)) if !name.contains('*') => missing(principal, Path(name)).await,
        _ => {
            either(&principal)?;
            Ok(answer::ok(&json!({"index_templates": [], "component_templates": []})))
        }
    }
}

/// Answers a list of templates, policies or pipelines.
pub(super) async fn none(principal: Principal) -> Result<Response, Error> {
    either(&principal)?;
    Ok(answer::ok(&json!({})))
}

/// Answers `_ilm/status`.
pub(super) async fn ilm_status(principal: Principal) -> Result<Response, Error> {
    either(&principal)?;
    Ok(answer::ok(&json!({"operation_mode": "RUNNING"})))
}

fn either(principal: &Principal) -> Result<(), Error> {
    Ok(principal.require(Permission::Ingest).or_else(|_| principal.require(Permission::Read))?)
}
