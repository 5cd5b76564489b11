//! Bytes to events: one format per file, nom, pure. Never fails, never loses bytes.
//!
//! Two layers. *Framing* ([`frame`]) takes a container runtime's or journal's envelope off a raw line (the collector and
//! `locard ingest` do this; [`detect`] tells which envelope a file has). *Normalising* ([`normalise`]) reads what a line says
//! into ECS fields (the indexer does this).
//!
//! This crate does not know where a line came from beyond the labels of its stream, nor what the time is.

mod access;
mod account;
mod app;
mod audit;
mod cron;
pub mod detect;
mod dropbear;
mod facts;
pub mod flatten;
pub mod frame;
mod generic;
mod json;
mod json_text;
mod klog;
mod logfmt;
mod netfilter;
mod normalise;
mod pam;
mod program;
mod sshd;
mod su;
mod sudo;
mod syslog;
mod syslog3164;
mod syslog5424;
mod time;
mod url;
mod weberror;

pub use normalise::{Context, normalise};
