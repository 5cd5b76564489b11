//! The inputs that a search starts from: those kept under `corpus/`, and the examples of the language's page.

use std::io;
use std::path::{Path, PathBuf};

use crate::Target;

/// Where inputs are kept: a folder a target.
pub(crate) fn corpus(target: Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name())
}

/// What is kept for a target, with names: `lines.txt` is an input a line, `blocks.txt` has `---` between inputs, other files are one each.
pub(crate) fn kept(target: Target) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(corpus(target))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let mut inputs = Vec::new();
    for path in paths {
        let text = std::fs::read(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let separator: &[u8] = match &*name {
            "lines.txt" => b"\n",
            "blocks.txt" => b"\n---\n",
            _ => {
                inputs.push((name, text));
                continue;
            }
        };
        for (number, input) in (1..).zip(split(text.trim_ascii_end(), separator)) {
            inputs.push((format!("{name}:{number}"), input.to_vec()));
        }
    }
    if matches!(target, Target::Language | Target::Search) {
        inputs.extend(documented()?);
    }
    Ok(inputs)
}

fn split<'a>(text: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        let (part, tail) = rest.split_at(at);
        parts.push(part);
        rest = tail.get(separator.len()..).unwrap_or_default();
    }
    parts.push(rest);
    parts
}

/// The queries of docs/query-language.md, those that are refused too.
fn documented() -> io::Result<Vec<(String, Vec<u8>)>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/query-language.md");
    let text = std::fs::read_to_string(page)?;
    let blocks = text.split("```").skip(1).step_by(2);
    let queries = blocks.filter_map(|block| {
        let (kind, lines) = block.split_once('\n')?;
        matches!(kind, "query" | "error").then(|| lines.lines())
    });
    Ok(queries.flatten().map(|line| ("docs".to_owned(), line.as_bytes().to_vec())).collect())
}
