//! What is shown end to end. Each module states one promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

/// The console in Chromium: search, drag, open, filter, tail, no console error, axe-core.
mod browser;
/// The command line: formats, exit codes, import of files.
mod cli;
/// What comes is followed without gap or double; what shells and `man` are given is well formed.
mod cli_follow;
/// Context, columns, marks, exit codes, counts, queries from elsewhere.
mod cli_search;
/// Published clients of Elasticsearch: search, pages, aggregations, errors; readers of Parquet.
mod clients;
/// The shared corpora come in without loss and come out with the fields they promise.
mod corpora;
/// A search ends at its deadline, over a hot part much larger than the time.
mod deadline;
/// Exports outlive broken connections, in every format.
mod export;
/// A noisy container does not hold up a quiet one.
mod fair;
/// A real journal: every entry found once.
mod journal;
/// kill -9 of collector and indexer at random moments: nothing lost, nothing doubled.
mod kill;
/// The fifteen queries that must work, with their answers.
mod queries;
/// Bad input, full disks, wrong configuration: refused, with what to do next.
mod refusals;
/// What is more than may be kept goes, oldest first.
mod retention;
/// A real shipper of syslog delivers to `/es/_bulk`, and nothing is lost.
mod rsyslog;
/// Lines of a real container runtime: found once, joined, labelled.
mod runtime;
/// TLS, client certificates, tokens, tenants.
mod secure;
/// What is written down about the code is true of the code.
mod tidy;
/// What was acked is found by the very next search.
mod visible;
