//! Serving: one listener, TLS, credentials, limits, health, metrics, and the routers of the indexer and the query part put together.
//!
//! Knows who asks and whether they may connect; what they ask is the routers' business.

mod accept;
mod app;
mod auth;
mod console;
mod error;
mod expiry;
mod gate;
mod guard;
mod header;
mod health;
mod metrics;
mod peers;
mod reject;
mod server;
mod stall;
#[cfg(test)]
mod tests;
mod tls;
mod trace;

pub use accept::Peer;
pub use auth::Authority;
pub use error::Error;
pub use server::{Running, Server};
pub(crate) use tls::check_tls;
