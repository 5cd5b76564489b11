//! [`Principal`]: on whose behalf a request runs.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use locard_filter::Filter;

use crate::Problem;

/// A tenant's name: `^[a-z0-9][a-z0-9_-]{0,62}$`. Comes from a credential, never from a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(Arc<str>);

impl Tenant {
    /// `None` if the text is no tenant name.
    pub fn parse(text: &str) -> Option<Self> {
        let first = text.bytes().next()?;
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let valid = text.len() <= 63 && first != b'_' && first != b'-' && text.bytes().all(fits);
        valid.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tenant of a server without configured tenants.
impl Default for Tenant {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a principal may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Send events.
    Ingest,
    /// Search.
    Read,
    /// Seal, and see the server's own state.
    Admin,
}

/// On whose behalf a request runs. Every handler takes one; its tenant and filter are conjoined to a query before planning.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Who, for logs and audit: the credential's name, never the secret.
    pub name: Arc<str>,
    /// Whose events.
    pub tenant: Tenant,
    /// What it may do.
    pub permissions: Arc<[Permission]>,
    /// Only events that match this may be seen.
    pub filter: Option<Arc<Filter>>,
}

impl Principal {
    /// Anybody on this machine, when no authentication is configured: may do everything in the default tenant.
    pub fn loopback() -> Self {
        Self {
            name: "loopback".into(),
            tenant: Tenant::default(),
            permissions: [Permission::Ingest, Permission::Read, Permission::Admin].into(),
            filter: None,
        }
    }

    /// # Errors
    /// 403 if the principal may not do this.
    pub fn require(&self, permission: Permission) -> Result<(), Problem> {
        if self.permissions.contains(&permission) {
            return Ok(());
        }
        let needed = match permission {
            Permission::Ingest => "ingest",
            Permission::Read => "read",
            Permission::Admin => "admin",
        };
        Err(Problem::new(StatusCode::FORBIDDEN, format!("this credential lacks the permission `{needed}`")))
    }
}

/// The server's authentication layer puts the principal into the request's extensions; without it a request is refused.
impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "no credential".to_owned()))
    }
}
