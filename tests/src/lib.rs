//! Shared test harness: real binaries, real sockets, temporary directories.
