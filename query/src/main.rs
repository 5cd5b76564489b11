//! The `locard` binary: parse, build, run, wait.

use std::process::ExitCode;

use locard_query::cli::{self, Args};
use mimalloc::MiMalloc;

/// Ingest makes and drops some strings per event: the system's allocator took a quarter of its CPU.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let args = Args::read();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(args)),
        Err(error) => cli::failed(&cli::Error::Runtime(error)),
    }
}
