//! The page shown when the console was not built: how to build it, and that the API works without it.

use std::borrow::Cow;

use crate::Asset;

/// Plain on purpose: the Content-Security-Policy allows no inline style, and there is no file to link.
const HTML: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Locard: console not built</title>
<main>
<h1>The console is not part of this build</h1>
<p>The server works: searching, tailing and ingesting do not need the console. Try <a href="/api/status">/api/status</a>,
<a href="/api/search?limit=10">/api/search?limit=10</a> or, on the command line, <code>locard search</code>.</p>
<p>To build the console, install Node.js 20.19 or newer and run, in the source folder:</p>
<pre>make build</pre>
<p>Then start the new binary.</p>
</main>
"#;

/// The page, as an asset that is asked for again each time.
pub(crate) fn page() -> Asset {
    Asset {
        bytes: Cow::Borrowed(HTML.as_bytes()),
        content_type: "text/html; charset=utf-8",
        etag: "\"console-not-built\"".to_owned(),
        cache_control: "no-cache",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_says_how_to_build() {
        let page = super::page();
        let html = std::str::from_utf8(&page.bytes).unwrap();
        assert!(html.contains("make build") && html.contains("/api/status"));
        assert!(!html.contains("style=") && !html.contains("<script"));
    }
}
