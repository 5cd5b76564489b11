//! Templates, lifecycle policies and pipelines: kept and given back, so that shippers that bring their own are content. Templates
//! describe indices when these come to be (`apply`); retention is the server's, and what a pipeline would do is not done.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::StatusCode;
use locard_indexer::{Permission, Principal};
use serde_json::{Value as Json, json};

use super::super::Es;
use super::super::answer::{json as answer, ok};
use super::super::error::Error;
use super::super::wild;
use super::{apply, kept};

/// What kind of document; a path has a constant of it.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    IndexTemplate,
    ComponentTemplate,
    LegacyTemplate,
    Policy,
    Pipeline,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::IndexTemplate => "es-index-template",
            Self::ComponentTemplate => "es-component-template",
            Self::LegacyTemplate => "es-template",
            Self::Policy => "es-ilm-policy",
            Self::Pipeline => "es-pipeline",
        }
    }

    /// The member that must be there.
    const fn required(self) -> Option<&'static str> {
        match self {
            Self::IndexTemplate | Self::LegacyTemplate => Some("index_patterns"),
            Self::ComponentTemplate => Some("template"),
            Self::Policy => Some("policy"),
            Self::Pipeline => Some("processors"),
        }
    }

    /// Every one of those found, in the shape of the API.
    fn shape(self, found: Vec<(String, Json)>) -> Json {
        let listed = |outer: &str, inner: &str, found: Vec<(String, Json)>| {
            let items: Vec<Json> =
                found.into_iter().map(|(name, body)| json!({"name": name, inner: body})).collect();
            json!({ outer: items })
        };
        match self {
            Self::IndexTemplate => listed("index_templates", "index_template", found),
            Self::ComponentTemplate => listed("component_templates", "component_template", found),
            Self::LegacyTemplate | Self::Pipeline => Json::Object(found.into_iter().collect()),
            Self::Policy => {
                let policy = |body: &Json| body.get("policy").cloned().unwrap_or_default();
                let policies = found.into_iter().map(|(name, body)| {
                    (name, json!({"version": 1, "policy": policy(&body), "in_use_by": {}}))
                });
                Json::Object(policies.collect())
            }
        }
    }

    fn absent(self, name: &str) -> Response {
        let reason = match self {
            // These two say nothing but that there is none.
            Self::LegacyTemplate | Self::Pipeline => return answer(StatusCode::NOT_FOUND, &json!({})),
            Self::IndexTemplate => format!("index template matching [{name}] not found"),
            Self::ComponentTemplate => format!("component template matching [{name}] not found"),
            Self::Policy => format!("Lifecycle policy not found: {name}"),
        };
        let error = Error::new(StatusCode::NOT_FOUND, "resource_not_found_exception", reason);
        axum::response::IntoResponse::into_response(error)
    }
}

/// The routes of every kind, with a name and without.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Es>)> {
    let named = [
        ("/_index_template", "/_index_template/{name}", Kind::IndexTemplate),
        ("/_component_template", "/_component_template/{name}", Kind::ComponentTemplate),
        ("/_template", "/_template/{name}", Kind::LegacyTemplate),
        ("/_ilm/policy", "/_ilm/policy/{name}", Kind::Policy),
        ("/_ingest/pipeline", "/_ingest/pipeline/{name}", Kind::Pipeline),
    ]
    .into_iter()
    .flat_map(|(all, one, kind)| [(all, get_all(kind)), (one, by_name(kind))]);
    named
        .chain([
            ("/_ilm/status", get(ilm_status)),
            ("/_index_template/_simulate_index/{name}", post(simulate)),
        ])
        .collect()
}

/// Answers `_ilm/status`: shippers set up no policy where it is off.
async fn ilm_status(principal: Principal) -> Result<Response, Error> {
    kept::may_read(&principal)?;
    Ok(ok(&json!({"operation_mode": "RUNNING"})))
}

/// Answers `_index_template/_simulate_index/{name}`: what an index of this name would be made with.
async fn simulate(
    State(es): State<Es>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    kept::may_read(&principal)?;
    let mut template = json!({"settings": {"index": {}}, "mappings": {}, "aliases": {}});
    kept::merge(&mut template, apply::said(&es, &principal, &name).await?);
    Ok(ok(&json!({"template": template, "overlapping": []})))
}

fn get_all(kind: Kind) -> MethodRouter<Es> {
    get(
        move |State(es): State<Es>, principal: Principal| async move { show(&es, &principal, kind, "*").await },
    )
}

fn by_name(kind: Kind) -> MethodRouter<Es> {
    let put = move |State(es): State<Es>, principal: Principal, Path(name): Path<String>, body: Bytes| async move {
        keep(&es, &principal, kind, &name, &body).await
    };
    let show = move |State(es): State<Es>, principal: Principal, Path(name): Path<String>| async move {
        show(&es, &principal, kind, &name).await
    };
    let delete = move |State(es): State<Es>, principal: Principal, Path(name): Path<String>| async move {
        delete(&es, &principal, kind, &name).await
    };
    get(show).put(put).post(put).delete(delete)
}

async fn keep(
    es: &Es,
    principal: &Principal,
    kind: Kind,
    name: &str,
    body: &[u8],
) -> Result<Response, Error> {
    principal.require(Permission::Ingest)?;
    let body = kept::object(body)?;
    if let Some(required) = kind.required()
        && body.get(required).is_none()
    {
        let reason = format!("Validation Failed: 1: [{required}] is missing;");
        return Err(Error::new(StatusCode::BAD_REQUEST, "action_request_validation_exception", reason));
    }
    kept::change(es, principal, (kind.name(), name), |_| Ok(body.clone())).await?;
    Ok(ok(&json!({"acknowledged": true})))
}

/// Those whose names the pattern means; none is an error unless it is a pattern.
async fn show(es: &Es, principal: &Principal, kind: Kind, pattern: &str) -> Result<Response, Error> {
    kept::may_read(principal)?;
    let mut found = kept::list(es, principal, kind.name()).await?;
    let named = |name: &str| pattern.split(',').any(|pattern| wild::matches(pattern, name));
    found.retain(|(name, _)| named(name));
    if found.is_empty() && !pattern.contains('*') {
        return Ok(kind.absent(pattern));
    }
    Ok(ok(&kind.shape(found)))
}

async fn delete(es: &Es, principal: &Principal, kind: Kind, name: &str) -> Result<Response, Error> {
    principal.require(Permission::Admin)?;
    if kept::delete(es, principal, kind.name(), name).await? {
        Ok(ok(&json!({"acknowledged": true})))
    } else {
        Ok(kind.absent(name))
    }
}
