//! The console, embedded: path to bytes, content type and entity tag.
//!
//! It knows nothing of HTTP, nor of what the console's pages do. A path that names no file, such as `/status`, gives
//! the start page, because the console chooses its page in the browser. When the console was not built, the start
//! page says how to build it.

mod content_type;
mod fallback;

use std::borrow::Cow;

use rust_embed::{EmbeddedFile, RustEmbed};

const START_PAGE: &str = "index.html";

#[derive(RustEmbed)]
#[folder = "web/dist/"]
struct Dist;

/// One file of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// The file.
    pub bytes: Cow<'static, [u8]>,
    /// For `Content-Type`.
    pub content_type: &'static str,
    /// For `ETag`, with its quotes: changes when the bytes change.
    pub etag: String,
    /// For `Cache-Control`: for ever where the name holds a hash of the bytes, else ask each time.
    pub cache_control: &'static str,
}

/// The file at a URL path (`/`, `/status`, `/assets/index-1a2b.js`). `None` when a file is asked for that is not there.
pub fn asset(path: &str) -> Option<Asset> {
    let path = path.trim_start_matches('/');
    if let Some(file) = Dist::get(path) {
        return Some(embedded(path, file));
    }
    names_a_page(path).then(start_page)
}

/// Whether the console was built into this binary.
pub fn is_built() -> bool {
    Dist::get(START_PAGE).is_some()
}

/// A path whose last part has no extension is a page of the console, not a file.
fn names_a_page(path: &str) -> bool {
    path == START_PAGE || !path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

fn start_page() -> Asset {
    Dist::get(START_PAGE).map_or_else(fallback::page, |file| embedded(START_PAGE, file))
}

fn embedded(path: &str, file: EmbeddedFile) -> Asset {
    Asset {
        content_type: content_type::of(path),
        etag: etag(&file.metadata.sha256_hash()),
        cache_control: cache_control(path),
        bytes: file.data,
    }
}

/// Half of a SHA-256 tells two builds apart.
fn etag(hash: &[u8; 32]) -> String {
    let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Vite puts a hash of the bytes into every name under `assets/`.
fn cache_control(path: &str) -> &'static str {
    if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_an_extension_is_a_page() {
        for (path, expected) in [
            ("", true),
            ("status", true),
            ("index.html", true),
            ("a.b/status", true),
            ("favicon.ico", false),
            ("assets/index-1a2b.js", false),
        ] {
            assert_eq!(names_a_page(path), expected, "{path}");
        }
    }

    #[test]
    fn every_page_is_the_start_page() {
        let start = asset("/").unwrap();
        assert_eq!(start.content_type, "text/html; charset=utf-8");
        assert_eq!(start.cache_control, "no-cache");
        assert_eq!(asset("/status").unwrap(), start);
        assert_eq!(asset("/index.html").unwrap(), start);
        assert_eq!(asset("/deep/er").unwrap(), start);
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        assert_eq!(asset("/assets/none.js"), None);
        assert_eq!(asset("/../Cargo.toml"), None);
    }

    #[test]
    fn the_start_page_runs_nothing_inline() {
        let html = String::from_utf8(asset("/").unwrap().bytes.into_owned()).unwrap();
        assert!(!html.contains("<style") && !html.contains("style="), "{html}");
        for script in html.split("<script").skip(1) {
            assert!(script.split('>').next().unwrap().contains("src="), "{html}");
        }
    }

    #[test]
    fn every_embedded_file_has_a_type_and_hashed_names_are_kept() {
        for name in Dist::iter() {
            let file = asset(&name).unwrap();
            assert_ne!(file.content_type, "application/octet-stream", "{name}");
            assert_eq!(file.cache_control.contains("immutable"), name.starts_with("assets/"), "{name}");
            assert_eq!(file.etag.len(), 34, "{name}");
        }
    }
}
