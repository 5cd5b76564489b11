//! The end-to-end harness: real binaries, real sockets, temporary directories, and the answers checked from outside.
//!
//! Knows the binaries by their command line and HTTP faces only.

pub mod client;
pub mod collector;
pub mod eventually;
pub mod ledger;
pub mod process;
pub mod server;
pub mod shared;

pub use client::Client;
pub use collector::Collector;
pub use eventually::eventually;
pub use ledger::Ledger;
pub use process::Process;
pub use server::{Server, ServerOptions};
