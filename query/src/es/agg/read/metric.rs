//! Aggregations that are numbers or documents.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::metric::{Function, Metric, TopHits};
use super::{Body, MAX_TOP};
use crate::es::error::Error;
use crate::es::fields;
use crate::es::sort::Sorting;
use crate::es::source::SourceFilter;

impl Body<'_> {
    pub(super) fn metric(&self) -> Result<Metric, Error> {
        let plain = ["field", "missing", "format", "value_type"];
        let extra: &[&str] = match self.kind {
            "avg" | "sum" | "min" | "max" | "value_count" | "stats" => &[],
            "extended_stats" => &["sigma"],
            "cardinality" => &["precision_threshold", "rehash", "execution_hint"],
            "percentiles" => &["percents", "keyed", "tdigest", "hdr"],
            "percentile_ranks" => &["values", "keyed", "tdigest", "hdr"],
            "median_absolute_deviation" => &["compression", "execution_hint"],
            "rate" => &["unit", "mode"],
            "top_hits" => return self.top_hits(),
            "top_metrics" => return self.top_metrics(),
            other => return Err(Error::parsing(format!("Unknown aggregation type [{other}]"))),
        };
        self.known(&plain.iter().chain(extra).copied().collect::<Vec<_>>())?;
        let field = if self.kind == "rate" {
            self.text("field").map_or_else(|| "".into(), |name| self.own(name))
        } else {
            self.field()?
        };
        let function = self.function(field.is_empty())?;
        Ok(Metric { function, field, missing: self.missing(), format: self.format() })
    }

    pub(super) fn function(&self, counts: bool) -> Result<Function, Error> {
        let keyed = self.members.get("keyed").and_then(Json::as_bool).unwrap_or(true);
        Ok(match self.kind {
            "avg" => Function::Average,
            "sum" => Function::Sum,
            "min" => Function::Min,
            "max" => Function::Max,
            "value_count" => Function::Count,
            "stats" => Function::Stats,
            "extended_stats" => Function::ExtendedStats { sigma: self.number("sigma").unwrap_or(2.0) },
            "cardinality" => Function::Distinct,
            "percentiles" => {
                let default = vec![1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];
                let percents = self.list("percents")?.unwrap_or(default);
                if let Some(bad) = percents.iter().find(|percent| !(0.0..=100.0).contains(*percent)) {
                    return Err(Error::illegal(format!(
                        "percent must be in [0,100], got [{bad}]: [{}]",
                        self.name
                    )));
                }
                Function::Percentiles { percents, keyed }
            }
            "percentile_ranks" => {
                let numbers = self.list("values")?.filter(|values| !values.is_empty());
                let numbers = numbers.ok_or_else(|| Error::illegal("[values] must not be an empty array"))?;
                Function::PercentileRanks { numbers, keyed }
            }
            "median_absolute_deviation" => Function::MedianDeviation,
            _ => self.rate(counts)?,
        })
    }

    pub(super) fn rate(&self, counts: bool) -> Result<Function, Error> {
        let unit = self.text("unit").unwrap_or("");
        let (unit_nanos, unit_months) = match unit {
            "second" => (1_000_000_000, 0),
            "minute" => (60_000_000_000, 0),
            "hour" => (3_600_000_000_000, 0),
            "day" => (86_400_000_000_000, 0),
            "week" => (604_800_000_000_000, 0),
            "month" => (0, 1),
            "quarter" => (0, 3),
            "year" => (0, 12),
            "" => return Err(Error::unsupported("rate without unit")),
            other => return Err(Error::illegal(format!("Unsupported unit {other}"))),
        };
        let sums = match self.text("mode") {
            None | Some("sum") => !counts,
            Some("value_count") => false,
            Some(other) => return Err(Error::illegal(format!("Unsupported rate mode {other}"))),
        };
        Ok(Function::Rate { unit_nanos, unit_months, sums })
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<Vec<f64>>, Error> {
        let Some(list) = self.members.get(name) else { return Ok(None) };
        let number =
            |value: &Json| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        let items: Vec<&Json> = list.as_array().map_or_else(|| vec![list], |items| items.iter().collect());
        let numbers: Option<Vec<f64>> = items.into_iter().map(number).collect();
        numbers.map(Some).ok_or_else(|| Error::parsing(format!("[{name}] must hold numbers")))
    }

    pub(super) fn top_hits(&self) -> Result<Metric, Error> {
        self.known(&[
            "from",
            "size",
            "sort",
            "_source",
            "docvalue_fields",
            "fields",
            "stored_fields",
            "version",
            "explain",
            "seq_no_primary_term",
            "track_scores",
        ])?;
        let (from, size) = (self.count("from", 0, 0)?, self.count("size", 3, 0)?);
        if from.saturating_add(size) > MAX_TOP {
            let reason = format!(
                "Top hits result window is too large, the top hits aggregator [{}]'s from + size must be less than or equal to: \
                 [{MAX_TOP}] but was [{}]",
                self.name,
                from.saturating_add(size)
            );
            return Err(Error::illegal(reason));
        }
        let mut wanted = Vec::new();
        for name in ["fields", "docvalue_fields"] {
            wanted.extend(self.members.get(name).map_or(Ok(Vec::new()), fields::read)?);
        }
        let source =
            self.members.get("_source").map_or(Ok(SourceFilter::default()), SourceFilter::of_body)?;
        let hits = TopHits { sorting: Arc::new(self.sorting()?), from, size, source, fields: wanted };
        Ok(Metric { function: Function::TopHits(hits), field: "".into(), missing: None, format: None })
    }

    pub(super) fn sorting(&self) -> Result<Sorting, Error> {
        self.members
            .get("sort")
            .map_or(Ok(Sorting::default()), |sort| Sorting::of_body(sort, false, self.schema))
    }

    pub(super) fn top_metrics(&self) -> Result<Metric, Error> {
        self.known(&["metrics", "sort", "size"])?;
        let items: Vec<&Json> = match self.members.get("metrics") {
            Some(Json::Array(items)) => items.iter().collect(),
            Some(item) => vec![item],
            None => Vec::new(),
        };
        let names: Option<Vec<Box<str>>> =
            items.into_iter().map(|item| item.get("field")?.as_str().map(|name| self.own(name))).collect();
        let fields = names.filter(|names| !names.is_empty());
        let fields =
            fields.ok_or_else(|| Error::parsing("[top_metrics] requires [metrics] with a [field] each"))?;
        if !self.members.contains_key("sort") {
            return Err(Error::parsing("[top_metrics] requires [sort]"));
        }
        let size = self.count("size", 1, 1)?;
        if size > 10 {
            return Err(Error::illegal(format!(
                "[top_metrics.size] must not be more than [10] but was [{size}]."
            )));
        }
        let function = Function::TopMetrics { fields, sorting: Arc::new(self.sorting()?), size };
        Ok(Metric { function, field: "".into(), missing: None, format: None })
    }
}
