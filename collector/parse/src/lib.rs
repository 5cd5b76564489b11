//! Bytes to events: one format per file, nom, pure. Never fails, never loses bytes.
//!
//! Two layers. *Framing* ([`frame`]) takes a container runtime's or journal's envelope off a raw line (the collector and
//! `locard ingest` do this). *Normalising* ([`normalise`]) reads what a line says into ECS fields (the indexer does this).

pub mod flatten;
pub mod frame;
mod normalise;

pub use normalise::{Context, normalise};
