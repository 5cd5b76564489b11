//! Every metric is on its page.

use locard_indexer::{Indexer, Settings};

#[tokio::test]
async fn every_metric_is_documented() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let indexer = Indexer::open(Settings::at(place.path())).await.unwrap();
    let mut registry = prometheus_client::registry::Registry::with_prefix("locard");
    indexer.register_metrics(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let types: Vec<_> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert!(types.len() > 20, "{text}");
    for (name, kind) in types {
        let name = if kind == "counter" { format!("`{name}_total`") } else { format!("`{name}`") };
        assert!(page.contains(&name), "{name} is not in docs/metrics.md");
    }
}
