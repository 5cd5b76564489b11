//! `locard status`: what `/api/status` says, one value a line on a terminal.

use std::io::{self, IsTerminal as _, Write};

use reqwest::Method;
use serde_json::Value;

use super::args::ConnectArgs;
use super::client::Client;
use super::output::neutralise;
use super::{Error, Outcome};

pub(super) async fn run(args: &ConnectArgs) -> Result<Outcome, Error> {
    let client = Client::new(args)?;
    let status: Value = client.json(client.request(Method::GET, "/api/status")).await?;
    let mut out = io::stdout().lock();
    if out.is_terminal() {
        let mut lines = vec![("url".to_owned(), client.url().to_owned())];
        flatten("", &status, &mut lines);
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        for (name, value) in lines {
            writeln!(out, "{name:width$}  {}", neutralise(&value))?;
        }
    } else {
        writeln!(out, "{status}")?;
    }
    Ok(Outcome::Found)
}

fn flatten(parent: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") };
                flatten(&path, value, lines);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                flatten(&format!("{parent}[{index}]"), element, lines);
            }
        }
        Value::Null => {}
        Value::String(text) => lines.push((parent.to_owned(), text.clone())),
        other => lines.push((parent.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_value_has_a_line_with_its_path() {
        let mut lines = Vec::new();
        flatten("", &json!({"a": {"b": 1, "c": null}, "d": [{"e": "x"}, 2]}), &mut lines);
        let expected = [("a.b", "1"), ("d[0].e", "x"), ("d[1]", "2")];
        assert_eq!(lines, expected.map(|(path, value)| (path.to_owned(), value.to_owned())));
    }
}
