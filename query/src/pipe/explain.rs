//! Where each pipe of a query does its work: in splits, on events, or on rows. Asks the pipeline itself, so that it cannot say otherwise.

use locard_store::GroupKey;

use super::parse::makes_rows;
use super::{Needs, Pipe, PipeError, Pipeline, Setting};

/// What a query calls the pipe.
fn name(pipe: &Pipe) -> &'static str {
    match pipe {
        Pipe::Where(_) => "where",
        Pipe::Stats(_) => "stats",
        Pipe::Top(top) if top.rare => "rare",
        Pipe::Top(_) => "top",
        Pipe::Timechart(_) => "timechart",
        Pipe::Patterns(_) => "patterns",
        Pipe::Sort(_) => "sort",
        Pipe::Limit(_) => "limit",
        Pipe::Fields(_) => "fields",
        Pipe::Rename(_) => "rename",
        Pipe::Dedup(_) => "dedup",
        Pipe::Rex(_) => "rex",
        Pipe::Parse(_) => "parse",
        Pipe::Eval(_) => "eval",
        Pipe::Lookup(_) => "lookup",
        Pipe::Join(_) => "join",
        Pipe::Context(_) => "context",
        Pipe::Transaction(_) => "transaction",
    }
}

/// The name of each pipe, and where it runs. Tables of joins need not be there.
///
/// # Errors
/// As [`Pipeline::new`].
pub(crate) fn explain(pipes: &[Pipe], setting: &Setting) -> Result<Vec<(&'static str, String)>, PipeError> {
    let mut places = Vec::new();
    for (number, stage) in pipes.split_inclusive(|pipe| matches!(pipe, Pipe::Context(_))).enumerate() {
        let is_context = |pipe: &Pipe| matches!(pipe, Pipe::Context(_));
        let own: Vec<Pipe> = stage.iter().filter(|pipe| !is_context(pipe)).cloned().collect();
        let needs = Pipeline::new(&own, setting)?.needs();
        let gathers = |pipe: &Pipe| makes_rows(pipe) || matches!(pipe, Pipe::Sort(_));
        let gathering = own.iter().position(gathers).unwrap_or(own.len());
        let is_sort = own.get(gathering).is_some_and(|pipe| matches!(pipe, Pipe::Sort(_)));
        let rows_from = own.iter().position(makes_rows).unwrap_or(own.len());
        for (at, pipe) in own.iter().enumerate() {
            let place = match () {
                () if at > rows_from => "on rows".to_owned(),
                () if at > gathering && is_sort => "on the sorted events".to_owned(),
                () if number > 0 => "on the events that `context` found".to_owned(),
                () => where_fed(&needs, at == gathering),
            };
            places.push((name(pipe), place));
        }
        if stage.last().is_some_and(is_context) {
            places.push(("context", "by searches around each event that comes through".to_owned()));
        }
    }
    Ok(places)
}

/// Where a pipe that is fed from splits runs: the one that gathers, or one before it.
fn where_fed(needs: &Needs, gathers: bool) -> String {
    match (needs, gathers) {
        (Needs::Count, _) => "in splits, which only count what matches".into(),
        (Needs::Patterns, _) => "in splits, which hand out patterns and how many events have each".into(),
        (Needs::Groups(keys), true) => format!("in splits, which hand out groups of {}", listed(keys)),
        (Needs::Groups(keys), false) => format!("on groups of {} that splits hand out", listed(keys)),
        (Needs::Events { ordered: false, .. }, _) => {
            "on events, in any order, several parts at a time".into()
        }
        (Needs::Events { at_most: Some(most), .. }, _) => {
            format!("on the first {most} events in the order of the search")
        }
        (Needs::Events { .. }, _) => "on events, in the order of the search, until there is enough".into(),
    }
}

fn listed(keys: &[GroupKey]) -> String {
    let key = |key: &GroupKey| match key {
        GroupKey::Field(name) => format!("`{name}`"),
        GroupKey::Bucket { span_nanos, .. } => format!("time by {} s", *span_nanos as f64 / 1e9),
        GroupKey::Pattern => "`_pattern`".to_owned(),
    };
    match keys {
        [] => "nothing".to_owned(),
        keys => keys.iter().map(key).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use locard_event::Timestamp;

    use super::*;

    #[track_caller]
    fn check(query: &str, expected: &[(&str, &str)]) {
        let setting = Setting {
            memory_bytes: 1 << 20,
            page: 10,
            filed: Timestamp::MIN..Timestamp::MAX,
            now: Timestamp::from_seconds(1_790_000_000),
            tables: Default::default(),
        };
        let pipes = crate::pipe::parse(query).unwrap().pipes;
        let found = explain(&pipes, &setting).unwrap();
        let found: Vec<(&str, &str)> = found.iter().map(|(name, place)| (*name, &**place)).collect();
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn pipes_run_where_they_can() {
        let groups = "in splits, which hand out groups of `a`";
        check("x", &[]);
        check("x | stats count()", &[("stats", "in splits, which only count what matches")]);
        check("x | stats count() by a | sort count", &[("stats", groups), ("sort", "on rows")]);
        check("x | top a", &[("top", groups)]);
        check(
            "x | patterns",
            &[("patterns", "in splits, which hand out patterns and how many events have each")],
        );
        check(
            "x | eval b=lower(a) | stats count() by b",
            &[
                ("eval", "on groups of `a`, `b` that splits hand out"),
                ("stats", "in splits, which hand out groups of `a`, `b`"),
            ],
        );
        let ordered = "on events, in the order of the search, until there is enough";
        check("x | dedup a", &[("dedup", ordered)]);
        check("x | limit 3", &[("limit", "on the first 3 events in the order of the search")]);
        let unordered = "on events, in any order, several parts at a time";
        check("x | sort a | fields a", &[("sort", unordered), ("fields", "on the sorted events")]);
        check(
            "x | context | top a",
            &[
                ("context", "by searches around each event that comes through"),
                ("top", "on the events that `context` found"),
            ],
        );
    }
}
