//! `typed_keys`: each aggregation's name with its type before it, which clients with types of their own read answers by.
//!
//! Done to what is shown, at last: nothing else knows these names.

use serde_json::{Map, Value as Json};

use super::bucket::Grouping;
use super::pipeline::Pipe;
use super::{Kind, Node};

/// Gives every aggregation of a level, and within its buckets, its type.
pub(super) fn level(nodes: &[Node], pipes: &[Pipe], shown: &mut Map<String, Json>) {
    for node in nodes {
        let Some(mut body) = shown.remove(&node.name) else { continue };
        if matches!(node.kind, Kind::Buckets(_)) {
            each_bucket(&mut body, |bucket| level(&node.subs, &node.pipes, bucket));
        }
        shown.insert(format!("{}#{}", type_of(node, &body), node.name), body);
    }
    for pipe in pipes {
        if let Some(body) = shown.remove(pipe.name()) {
            shown.insert(format!("{}#{}", pipe.type_name(), pipe.name()), body);
        }
    }
}

/// The buckets of an answer: a list, by name, or the answer itself where it is the only one.
fn each_bucket(body: &mut Json, mut each: impl FnMut(&mut Map<String, Json>)) {
    let Json::Object(members) = body else { return };
    let is_one = members.contains_key("doc_count");
    match members.get_mut("buckets") {
        Some(Json::Array(items)) if !is_one => {
            items.iter_mut().filter_map(Json::as_object_mut).for_each(each)
        }
        Some(Json::Object(named)) if !is_one => {
            named.values_mut().filter_map(Json::as_object_mut).for_each(each);
        }
        _ => each(members),
    }
}

fn type_of(node: &Node, body: &Json) -> String {
    let rare = match &node.kind {
        Kind::Buckets(grouping) => match &**grouping {
            Grouping::Terms(_) => "",
            Grouping::Rare(_) => "rare",
            _ => return node.type_name.clone(),
        },
        Kind::Metric(_) => {
            return match node.type_name.as_str() {
                "percentiles" => "tdigest_percentiles".to_owned(),
                "percentile_ranks" => "tdigest_percentile_ranks".to_owned(),
                name => name.to_owned(),
            };
        }
    };
    let first = body.pointer("/buckets/0/key");
    let letter = match first {
        Some(Json::Number(number)) if number.is_f64() => "d",
        Some(Json::Number(_)) => "l",
        Some(_) => "s",
        None => "um",
    };
    format!("{letter}{rare}terms")
}
