//! The `locard` binary: parse, build, run, wait.

fn main() {}
