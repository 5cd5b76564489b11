//! `_cat/indices` and `_stats`: the indices with how many documents they have, as a table or as JSON.

use axum::extract::State;
use axum::response::Response;
use locard_indexer::{Permission, Principal};
use serde_json::{Map, Value as Json, json};

use super::caps::uuid_of;
use super::error::Error;
use super::index::{Missing, resolve};
use super::params::{CAT, INDICES, Params};
use super::search::{Index, expression};
use super::sizes::{Size, shown, sizes};
use super::{Es, answer, wild};

/// How many columns there are.
const WIDTH: usize = 11;
/// Columns, as Elasticsearch shows them unless asked otherwise, and their short names.
const COLUMNS: [(&str, &str); WIDTH] = [
    ("health", "h"),
    ("status", "s"),
    ("index", "i"),
    ("uuid", "id"),
    ("pri", "p"),
    ("rep", "r"),
    ("docs.count", "dc"),
    ("docs.deleted", "dd"),
    ("store.size", "ss"),
    ("pri.store.size", "pri.store.size"),
    ("dataset.size", "dataset.size"),
];

/// Answers `_cat/indices`.
pub(super) async fn indices(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    params.known("/_cat/indices", &[INDICES, CAT])?;
    let found = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let unreadable = super::index::view(&es, &principal).unreadable.len();
    let health = if unreadable == 0 { "green" } else { "yellow" };
    if params.text("health").is_some_and(|wanted| wanted != health) {
        return Ok(table(&params, Vec::new()));
    }
    let sizes = sizes(&es, &principal).await?;
    let in_bytes = params.text("bytes").is_some();
    let rows = found.names.iter().map(|(name, count)| {
        let count = count.to_string();
        let uuid = uuid_of(name);
        let bytes = sizes.get(name).map_or(0, |size| size.bytes);
        let size = if in_bytes { bytes.to_string() } else { shown(bytes) };
        [health, "open", name, &uuid, "1", "0", &count, "0", &size, &size, &size].map(str::to_owned)
    });
    let mut rows: Vec<[String; WIDTH]> = rows.collect();
    for key in params.list("s").iter().rev() {
        let (name, descending) =
            key.strip_suffix(":desc").map_or((key.trim_end_matches(":asc"), false), |name| (name, true));
        if let Some(at) = column(name) {
            rows.sort_by(|one, two| {
                let order = compare(one.get(at), two.get(at));
                if descending { order.reverse() } else { order }
            });
        }
    }
    Ok(table(&params, rows))
}

/// By number where both are numbers.
fn compare(one: Option<&String>, two: Option<&String>) -> std::cmp::Ordering {
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<u64>().ok());
    match (number(one), number(two)) {
        (Some(one), Some(two)) => one.cmp(&two),
        _ => one.cmp(&two),
    }
}

fn column(name: &str) -> Option<usize> {
    COLUMNS
        .iter()
        .position(|(long, short)| *long == name || *short == name || (name == "idx" && *long == "index"))
}

fn table(params: &Params, rows: Vec<[String; WIDTH]>) -> Response {
    let asked = params.list("h");
    let mut columns: Vec<usize> = Vec::new();
    for name in &asked {
        match column(name) {
            Some(at) => columns.push(at),
            None => columns.extend(
                (0..COLUMNS.len())
                    .filter(|at| COLUMNS.get(*at).is_some_and(|(long, _)| wild::matches(name, long))),
            ),
        }
    }
    if asked.is_empty() {
        columns = (0..COLUMNS.len()).collect();
    }
    let heading = |at: &usize| COLUMNS.get(*at).map_or("", |(long, _)| *long);
    let cell = |row: &[String; WIDTH], at: &usize| row.get(*at).cloned().unwrap_or_default();
    if params.text("format") == Some("json") {
        let row = |row: &[String; WIDTH]| {
            let cells = columns.iter().map(|at| (heading(at).to_owned(), json!(cell(row, at))));
            Json::Object(cells.collect::<Map<String, Json>>())
        };
        return answer::ok(&Json::Array(rows.iter().map(row).collect()));
    }
    let mut lines: Vec<Vec<String>> = Vec::new();
    if params.flag("v") {
        lines.push(columns.iter().map(|at| heading(at).to_owned()).collect());
    }
    lines.extend(rows.iter().map(|row| columns.iter().map(|at| cell(row, at)).collect()));
    answer::text(aligned(&lines))
}

/// Cells in columns, as wide as their widest one.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width =
        |at: usize| lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join(" ").trim_end());
        text.push('\n');
    }
    text
}

/// Answers `_cat/count`: documents in all of the indices.
pub(super) async fn count(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    params.known("/_cat/count", &[INDICES, CAT])?;
    let found = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let count: u64 = found.names.values().sum();
    let now = crate::now();
    let (epoch, clock) =
        (now.nanos() / 1_000_000_000, now.to_string().get(11..19).unwrap_or_default().to_owned());
    if params.text("format") == Some("json") {
        let row = json!({"epoch": epoch.to_string(), "timestamp": clock, "count": count.to_string()});
        return Ok(answer::ok(&json!([row])));
    }
    let heading = if params.flag("v") { "epoch timestamp count\n" } else { "" };
    Ok(answer::text(format!("{heading}{epoch} {clock} {count}\n")))
}

/// Answers `_stats`: documents, and what they take.
pub(super) async fn stats(
    State(es): State<Es>,
    principal: Principal,
    index: Index,
    params: Params,
) -> Result<Response, Error> {
    principal.require(Permission::Read)?;
    let found = resolve(&es, &principal, expression(&index), Missing::of(&params)?).await?;
    let sizes = sizes(&es, &principal).await?;
    let docs = |count: u64, size: Size| {
        let body = json!({
            "docs": {"count": count, "deleted": 0},
            "store": {"size_in_bytes": size.bytes, "total_data_set_size_in_bytes": size.bytes, "reserved_in_bytes": 0},
            "segments": {"count": size.parts},
        });
        json!({"primaries": body, "total": body})
    };
    let mut whole = Size::default();
    let indices: Map<String, Json> = found
        .names
        .iter()
        .map(|(name, count)| {
            let size = sizes.get(name).copied().unwrap_or_default();
            whole.add(size);
            let mut body = docs(*count, size);
            if let Some(members) = body.as_object_mut() {
                members.insert("uuid".into(), json!(uuid_of(name)));
            }
            (name.clone(), body)
        })
        .collect();
    let all = docs(found.names.values().sum(), whole);
    Ok(answer::ok(&json!({
        "_shards": {"total": 1, "successful": 1, "failed": 0},
        "_all": all,
        "indices": indices,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned() {
        let lines = [["a", "bb"], ["ccc", "d"]].map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(aligned(&lines), "a   bb\nccc d\n");
        assert_eq!((column("dc"), column("docs.count"), column("x")), (Some(6), Some(6), None));
    }
}
