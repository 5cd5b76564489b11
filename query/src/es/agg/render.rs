//! States as answers: buckets in order, cut to size, gaps filled, and what aggregations of aggregations make of them.

use std::collections::HashMap;

use locard_event::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::bucket::{
    BucketKey, BucketOrder, Composite, Filters, FiltersShape, Grouping, MultiTerms, OrderBy, SourceOf, Terms,
};
use super::histogram::{NumberHistogram, TimeHistogram};
use super::metric::Length;
use super::ranges::{End, Of, OneRange, Ranges};
use super::state::{Bucket, State};
use super::{Kind, MAX_BUCKETS, Node, pipeline};
use crate::es::error::Error;
use crate::es::key::{Key, float_text};

type Buckets = HashMap<BucketKey, Bucket>;

/// How many buckets an answer has so far.
#[derive(Debug, Default)]
pub(super) struct Shown(usize);

impl Shown {
    fn count(&mut self) -> Result<(), Error> {
        self.0 += 1;
        if self.0 <= MAX_BUCKETS {
            return Ok(());
        }
        let reason = format!(
            "Trying to create too many buckets. Must be less than or equal to: [{MAX_BUCKETS}] but this number of buckets was \
             exceeded."
        );
        Err(Error::new(http::StatusCode::BAD_REQUEST, "too_many_buckets_exception", reason)
            .with("max_buckets", MAX_BUCKETS))
    }
}

/// The aggregations of one level, by name.
pub(super) fn level(
    nodes: &[Node],
    states: &[State],
    shown: &mut Shown,
    length: Length,
) -> Result<Map<String, Json>, Error> {
    let mut all = Map::new();
    for (node, state) in nodes.iter().zip(states) {
        let mut body = match (&node.kind, state) {
            (Kind::Metric(metric), State::Metric(state)) => metric.show(state, length),
            (Kind::Buckets(grouping), State::Buckets(buckets)) => {
                Writer { node, shown: &mut *shown, length }.grouping(grouping, buckets)?
            }
            _ => Json::Null,
        };
        if let (Some(meta), Json::Object(members)) = (&node.meta, &mut body) {
            members.insert("meta".into(), meta.clone());
        }
        all.insert(node.name.clone(), body);
    }
    Ok(all)
}

/// Writes the buckets of one aggregation.
struct Writer<'a> {
    node: &'a Node,
    shown: &'a mut Shown,
    length: Length,
}

impl Writer<'_> {
    fn grouping(mut self, grouping: &Grouping, buckets: &Buckets) -> Result<Json, Error> {
        match grouping {
            Grouping::Terms(terms) => self.terms(terms, buckets),
            Grouping::Rare(terms) => self.rare(terms, buckets),
            Grouping::MultiTerms(terms) => self.multi_terms(terms, buckets),
            Grouping::Time(histogram) => self.times(histogram, buckets),
            Grouping::AutoTime(_, histogram) => match histogram.get() {
                Some(histogram) => {
                    let mut body = self.times(histogram, buckets)?;
                    if let Some(members) = body.as_object_mut() {
                        members.insert("interval".into(), json!(histogram.interval.name()));
                    }
                    Ok(body)
                }
                None => Ok(json!({"buckets": []})),
            },
            Grouping::Numbers(histogram) => self.numbers(histogram, buckets),
            Grouping::Ranges(ranges) => self.ranges(ranges, buckets),
            Grouping::Filters(filters) => self.filters(filters, buckets),
            Grouping::Composite(composite) => self.composite(composite, buckets),
            Grouping::Missing(_) | Grouping::Everything | Grouping::Global => {
                Ok(Json::Object(self.bucket(Map::new(), buckets.get(&BucketKey::Place(0)), self.length)?))
            }
        }
    }

    /// One bucket: what it is called, how many documents it has, what is within.
    fn bucket(
        &mut self,
        head: Map<String, Json>,
        bucket: Option<&Bucket>,
        length: Length,
    ) -> Result<Map<String, Json>, Error> {
        self.shown.count()?;
        let none;
        let bucket = match bucket {
            Some(bucket) => bucket,
            None => {
                none = Bucket::empty(&self.node.subs);
                &none
            }
        };
        let mut body = level(&self.node.subs, &bucket.subs, self.shown, length)?;
        body.extend(head);
        body.insert("doc_count".into(), json!(bucket.count));
        pipeline::beside(&self.node.pipes, &mut body)?;
        Ok(body)
    }

    /// Buckets as a list or by name, after aggregations of aggregations had their turn.
    fn finish(&self, mut buckets: Vec<Map<String, Json>>, keyed: bool) -> Result<Json, Error> {
        pipeline::along(&self.node.pipes, &mut buckets)?;
        if !keyed {
            return Ok(Json::Array(buckets.into_iter().map(Json::Object).collect()));
        }
        let name = |bucket: &Map<String, Json>| match bucket.get("key_as_string").or(bucket.get("key")) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Number(number)) => number.as_f64().map_or_else(|| number.to_string(), float_text),
            _ => String::new(),
        };
        let named = buckets.into_iter().map(|bucket| (name(&bucket), Json::Object(bucket)));
        Ok(Json::Object(named.collect()))
    }

    /// Those with enough documents, in order.
    fn ordered<'b>(
        &self,
        buckets: &'b Buckets,
        least: u64,
        order: &[BucketOrder],
    ) -> Result<Vec<(&'b BucketKey, &'b Bucket)>, Error> {
        let mut list: Vec<(&BucketKey, &Bucket)> =
            buckets.iter().filter(|(_, bucket)| bucket.count >= least).collect();
        list.sort_by(|one, two| one.0.cmp(two.0));
        for BucketOrder { by, descending } in order.iter().rev() {
            match by {
                OrderBy::Count if *descending => {
                    list.sort_by_key(|(_, bucket)| std::cmp::Reverse(bucket.count))
                }
                OrderBy::Count => list.sort_by_key(|(_, bucket)| bucket.count),
                OrderBy::Key if *descending => list.sort_by(|one, two| two.0.cmp(one.0)),
                OrderBy::Key => list.sort_by(|one, two| one.0.cmp(two.0)),
                OrderBy::Path(path) => {
                    let mut valued = Vec::with_capacity(list.len());
                    for entry in list {
                        valued.push((value_at(&self.node.subs, entry.1, path)?, entry));
                    }
                    // What has no value comes last, whatever the direction.
                    let place = |value: &Option<f64>| match (value, descending) {
                        (Some(value), true) => -value,
                        (Some(value), false) => *value,
                        (None, _) => f64::INFINITY,
                    };
                    valued.sort_by(|(one, _), (two, _)| place(one).total_cmp(&place(two)));
                    list = valued.into_iter().map(|(_, entry)| entry).collect();
                }
            }
        }
        Ok(list)
    }

    fn terms(&mut self, terms: &Terms, buckets: &Buckets) -> Result<Json, Error> {
        let full = terms.with_all(buckets, &self.node.subs);
        let buckets = full.as_ref().unwrap_or(buckets);
        let list = self.ordered(buckets, terms.least, &terms.order)?;
        let other: u64 = list.iter().skip(terms.size).map(|(_, bucket)| bucket.count).sum();
        let mut shown = Vec::new();
        for (key, bucket) in list.into_iter().take(terms.size) {
            let BucketKey::One(key) = key else { continue };
            let mut head = key_head(key, terms.format.as_deref());
            if terms.shows_error {
                head.insert("doc_count_error_upper_bound".into(), json!(0));
            }
            shown.push(self.bucket(head, Some(bucket), self.length)?);
        }
        let buckets = self.finish(shown, false)?;
        Ok(json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": buckets}))
    }

    fn rare(&mut self, terms: &Terms, buckets: &Buckets) -> Result<Json, Error> {
        let order = [BucketOrder { by: OrderBy::Count, descending: false }];
        let mut shown = Vec::new();
        for (key, bucket) in self.ordered(buckets, 1, &order)? {
            if let (BucketKey::One(key), true) = (key, bucket.count <= terms.most) {
                shown.push(self.bucket(key_head(key, terms.format.as_deref()), Some(bucket), self.length)?);
            }
        }
        Ok(json!({"buckets": self.finish(shown, false)?}))
    }

    fn multi_terms(&mut self, terms: &MultiTerms, buckets: &Buckets) -> Result<Json, Error> {
        let list = self.ordered(buckets, terms.least, &terms.order)?;
        let other: u64 = list.iter().skip(terms.size).map(|(_, bucket)| bucket.count).sum();
        let mut shown = Vec::new();
        for (key, bucket) in list.into_iter().take(terms.size) {
            let BucketKey::Many(keys) = key else { continue };
            let texts: Vec<String> = keys.iter().flatten().map(Key::text).collect();
            let keys: Vec<Json> = keys.iter().flatten().map(shown_key).collect();
            let head = Map::from_iter([
                ("key".to_owned(), json!(keys)),
                ("key_as_string".to_owned(), json!(texts.join("|"))),
            ]);
            shown.push(self.bucket(head, Some(bucket), self.length)?);
        }
        let buckets = self.finish(shown, false)?;
        Ok(json!({"doc_count_error_upper_bound": 0, "sum_other_doc_count": other, "buckets": buckets}))
    }

    fn times(&mut self, histogram: &TimeHistogram, buckets: &Buckets) -> Result<Json, Error> {
        let mut starts: Vec<i64> = buckets
            .keys()
            .filter_map(|key| match key {
                BucketKey::One(Key::Time(start)) => Some(*start),
                _ => None,
            })
            .collect();
        starts.sort_unstable();
        if histogram.least == 0 {
            starts = filled(histogram, &starts)?;
        }
        let mut shown = Vec::new();
        for start in starts {
            let bucket = buckets.get(&BucketKey::One(Key::Time(start)));
            if bucket.map_or(0, |bucket| bucket.count) < histogram.least {
                continue;
            }
            let text = histogram.text(start);
            let head =
                Map::from_iter([("key".to_owned(), json!(start)), ("key_as_string".to_owned(), json!(text))]);
            shown.push(self.bucket(head, bucket, Some(histogram.length(start)))?);
        }
        self.reorder(&mut shown, &histogram.order);
        Ok(json!({"buckets": self.finish(shown, histogram.keyed)?}))
    }

    fn numbers(&mut self, histogram: &NumberHistogram, buckets: &Buckets) -> Result<Json, Error> {
        let mut places: Vec<f64> = buckets
            .keys()
            .filter_map(|key| match key {
                BucketKey::One(Key::Float(begin)) => {
                    Some(((begin - histogram.offset) / histogram.interval).round())
                }
                _ => None,
            })
            .collect();
        places.sort_by(f64::total_cmp);
        if histogram.least == 0 {
            let bounds = histogram.extended.unwrap_or_default();
            let low = places
                .first()
                .copied()
                .into_iter()
                .chain(bounds.0.map(|low| histogram.place(low)))
                .reduce(f64::min);
            let high = places
                .last()
                .copied()
                .into_iter()
                .chain(bounds.1.map(|high| histogram.place(high)))
                .reduce(f64::max);
            if let (Some(low), Some(high)) = (low, high) {
                if high - low > MAX_BUCKETS as f64 {
                    self.shown.0 = MAX_BUCKETS;
                    self.shown.count()?;
                }
                places = (0..=(high - low) as u64).map(|step| low + step as f64).collect();
            }
        }
        let mut shown = Vec::new();
        for place in places {
            let begin = histogram.begin(place);
            let bucket = buckets.get(&BucketKey::One(Key::Float(begin)));
            if bucket.map_or(0, |bucket| bucket.count) >= histogram.least {
                shown.push(self.bucket(
                    Map::from_iter([("key".to_owned(), json!(begin))]),
                    bucket,
                    self.length,
                )?);
            }
        }
        self.reorder(&mut shown, &histogram.order);
        Ok(json!({"buckets": self.finish(shown, histogram.keyed)?}))
    }

    /// Histograms are in the order of their keys unless asked otherwise.
    fn reorder(&self, shown: &mut [Map<String, Json>], order: &[BucketOrder]) {
        for BucketOrder { by, descending } in order.iter().rev() {
            let value = |bucket: &Map<String, Json>| match by {
                OrderBy::Count => bucket.get("doc_count").and_then(Json::as_f64),
                OrderBy::Key => bucket.get("key").and_then(Json::as_f64),
                OrderBy::Path(path) => pipeline::value(bucket, &path.join(">")),
            };
            shown.sort_by(|one, two| {
                let place = |value: Option<f64>| value.unwrap_or(f64::NAN);
                let order = place(value(one)).total_cmp(&place(value(two)));
                if *descending { order.reverse() } else { order }
            });
        }
    }

    fn ranges(&mut self, ranges: &Ranges, buckets: &Buckets) -> Result<Json, Error> {
        let mut places: Vec<usize> = (0..ranges.ranges.len()).collect();
        let end = |end: Option<&End>, none: f64| end.map_or(none, End::order);
        let order = |place: &usize| {
            let range = ranges.ranges.get(*place);
            let from = range.and_then(|range| range.from.as_ref());
            (end(from, f64::NEG_INFINITY), end(range.and_then(|range| range.to.as_ref()), f64::INFINITY))
        };
        places.sort_by(|one, two| {
            let (one, two) = (order(one), order(two));
            one.0.total_cmp(&two.0).then(one.1.total_cmp(&two.1))
        });
        let mut shown = Vec::new();
        for place in places {
            let Some(range) = ranges.ranges.get(place) else { continue };
            let head = range_head(ranges, range);
            shown.push(self.bucket(head, buckets.get(&BucketKey::Place(place)), self.length)?);
        }
        let keyed = ranges.keyed;
        let mut body = self.finish(shown, keyed)?;
        if let (true, Json::Object(named)) = (keyed, &mut body) {
            for bucket in named.values_mut().filter_map(Json::as_object_mut) {
                bucket.remove("key");
            }
        }
        Ok(json!({"buckets": body}))
    }

    fn filters(&mut self, filters: &Filters, buckets: &Buckets) -> Result<Json, Error> {
        let names = filters.filters.iter().map(|(name, _)| name).chain(&filters.other);
        let mut shown = Vec::new();
        for (place, name) in names.enumerate() {
            let bucket = self.bucket(Map::new(), buckets.get(&BucketKey::Place(place)), self.length)?;
            shown.push((name.clone(), bucket));
        }
        Ok(match filters.shape {
            FiltersShape::Single => {
                shown.into_iter().next().map_or(Json::Null, |(_, bucket)| Json::Object(bucket))
            }
            FiltersShape::Named => {
                let named: Map<String, Json> =
                    shown.into_iter().map(|(name, bucket)| (name, Json::Object(bucket))).collect();
                json!({"buckets": named})
            }
            FiltersShape::Listed => {
                json!({"buckets": shown.into_iter().map(|(_, bucket)| Json::Object(bucket)).collect::<Vec<_>>()})
            }
        })
    }

    fn composite(&mut self, composite: &Composite, buckets: &Buckets) -> Result<Json, Error> {
        let keys = buckets.iter().filter_map(|(key, bucket)| match key {
            BucketKey::Many(keys) => Some((keys, bucket)),
            _ => None,
        });
        let mut list: Vec<(&Vec<Option<Key>>, &Bucket)> = keys.collect();
        if let Some(after) = &composite.after {
            list.retain(|(keys, _)| composite.compare(keys, after).is_gt());
        }
        list.sort_by(|one, two| composite.compare(one.0, two.0));
        let mut shown = Vec::new();
        let mut last = None;
        for (keys, bucket) in list.into_iter().take(composite.size) {
            let named = composite.sources.iter().zip(keys).map(|(source, key)| {
                let key = match (key, &source.of) {
                    (Some(Key::Time(start)), SourceOf::Time(histogram)) if histogram.format.is_some() => {
                        json!(histogram.text(*start))
                    }
                    (Some(Key::Bool(truth)), _) => json!(truth),
                    (Some(key), _) => shown_key(key),
                    (None, _) => Json::Null,
                };
                (source.name.clone(), key)
            });
            let key = Json::Object(named.collect());
            last = Some(key.clone());
            shown.push(self.bucket(Map::from_iter([("key".to_owned(), key)]), Some(bucket), self.length)?);
        }
        let mut body = Map::from_iter([("buckets".to_owned(), self.finish(shown, false)?)]);
        if let Some(last) = last {
            body.insert("after_key".into(), last);
        }
        Ok(Json::Object(body))
    }
}

/// Every interval from the first to the last, and as far as the bounds reach.
fn filled(histogram: &TimeHistogram, starts: &[i64]) -> Result<Vec<i64>, Error> {
    let floor = |millis: i64| crate::es::key::millis(histogram.floor(Timestamp::from_millis(millis)));
    let bounds = histogram.extended.unwrap_or_default();
    let low = starts.first().copied().into_iter().chain(bounds.0.map(floor)).min();
    let high = starts.last().copied().into_iter().chain(bounds.1.map(floor)).max();
    let (Some(mut at), Some(high)) = (low, high) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    while at <= high {
        all.push(at);
        if all.len() > MAX_BUCKETS {
            Shown(MAX_BUCKETS).count()?;
        }
        let next = crate::es::key::millis(histogram.next(Timestamp::from_millis(at)));
        if next <= at {
            break;
        }
        at = next;
    }
    Ok(all)
}

/// A key as buckets show it.
fn shown_key(key: &Key) -> Json {
    key.json()
}

fn key_head(key: &Key, format: Option<&str>) -> Map<String, Json> {
    let mut head = Map::from_iter([("key".to_owned(), shown_key(key))]);
    let text = match (key, format) {
        (Key::Time(millis), format) => {
            let date = crate::es::date::zoned(Timestamp::from_millis(*millis), &jiff::tz::TimeZone::UTC);
            Some(crate::es::pattern::write(format.unwrap_or("strict_date_optional_time"), &date))
        }
        (Key::Bool(_), _) => Some(key.text()),
        _ => None,
    };
    if let Some(text) = text {
        head.insert("key_as_string".into(), json!(text));
    }
    head
}

fn range_head(ranges: &Ranges, range: &OneRange) -> Map<String, Json> {
    let mut head = Map::from_iter([("key".to_owned(), json!(range.key))]);
    for (name, end) in [("from", &range.from), ("to", &range.to)] {
        match end {
            Some(End::Number(number)) => {
                head.insert(name.into(), json!(number));
                if ranges.of == Of::Times {
                    head.insert(format!("{name}_as_string"), json!(ranges.text(*number)));
                }
            }
            Some(End::Address(ip)) => {
                head.insert(name.into(), json!(ip.to_string()));
            }
            None => {}
        }
    }
    head
}

impl Ranges {
    /// How an end of a range of times is shown.
    pub(super) fn text(&self, millis: f64) -> String {
        let format = self.format.as_deref().unwrap_or("strict_date_optional_time");
        let date = crate::es::date::zoned(Timestamp::from_millis(millis as i64), &self.zone);
        crate::es::pattern::write(format, &date)
    }
}

/// The number at a path within a bucket: metrics, through buckets of one.
fn value_at(nodes: &[Node], bucket: &Bucket, path: &[String]) -> Result<Option<f64>, Error> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    if first == "_count" {
        return Ok(Some(bucket.count as f64));
    }
    let (name, value) =
        first.split_once('.').map_or((first.as_str(), "value"), |(name, value)| (name, value));
    let found = nodes.iter().zip(&bucket.subs).find(|(node, _)| node.name == *first || node.name == name);
    match found {
        Some((Node { kind: Kind::Metric(metric), .. }, State::Metric(state))) => {
            Ok(metric.value(state, value, None))
        }
        Some((node, State::Buckets(buckets))) => match buckets.get(&BucketKey::Place(0)) {
            Some(inner) if rest.is_empty() => Ok(Some(inner.count as f64)),
            Some(inner) => value_at(&node.subs, inner, rest),
            None => Ok(if rest.is_empty() || rest.first().is_some_and(|name| name == "_count") {
                Some(0.0)
            } else {
                None
            }),
        },
        _ => Err(Error::illegal(format!(
            "Invalid aggregator order path [{first}]. The provided aggregation [{first}] either does not exist, or is a pipeline \
             aggregation and cannot be used to sort the buckets."
        ))),
    }
}
