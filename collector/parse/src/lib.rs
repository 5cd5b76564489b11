//! Bytes to events: one format per file, nom, pure. Never fails, never loses bytes.
//!
//! Two layers. *Framing* ([`frame`]) takes a container runtime's or journal's envelope off a raw line (the collector and
//! `locard ingest` do this; [`detect`] tells which envelope a file has). *Normalising* ([`normalise`]) reads what a line says
//! into ECS fields (the indexer does this).
//!
//! This crate does not know where a line came from beyond the labels of its stream, nor what the time is.

pub mod detect;
pub mod flatten;
pub mod frame;
mod json_text;
mod normalise;
mod time;

pub use normalise::{Context, normalise};
