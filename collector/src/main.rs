//! The `locard-collector` binary: parse, build, run, wait.

fn main() {}
