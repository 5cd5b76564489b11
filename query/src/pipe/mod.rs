//! Pipes: what a query does with the events its filter found. One pipe per file.
