//! The console, embedded: path to bytes, content type and entity tag.
