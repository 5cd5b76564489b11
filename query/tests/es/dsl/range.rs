//! Ranges: numbers and addresses in their order, keywords by their bytes, times with date math and zones.

use std::net::IpAddr;

use locard_event::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::documents::{IPS, NUMBERS, USERS, values};
use crate::server::time;

const HOUR: i64 = 3_600_000_000_000;

/// What lies between two ends: `gte` or `gt`, `lte` or `lt`.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) field: &'static str,
    low: Option<(End, bool)>,
    high: Option<(End, bool)>,
    zone_hours: i64,
}

#[derive(Clone, Debug)]
enum End {
    Number(f64),
    Text(&'static str),
    /// A date, and what is done to it: hours that are added, and whether it is rounded to the hour or the day.
    Date {
        seconds: i64,
        plus_hours: i64,
        round: Option<char>,
    },
}

impl End {
    fn to_json(&self, zone_hours: i64) -> Value {
        match self {
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Date { seconds, plus_hours, round } => {
                let local = Timestamp::parse(&time(*seconds)).unwrap().plus_nanos(zone_hours * HOUR);
                // Without its zone: the zone of the query counts.
                let mut text = local.to_string().trim_end_matches('Z').to_owned();
                if *plus_hours != 0 || round.is_some() {
                    text.push_str("||");
                }
                if *plus_hours != 0 {
                    text.push_str(&format!("{plus_hours:+}h"));
                }
                if let Some(unit) = round {
                    text.push_str(&format!("/{unit}"));
                }
                json!(text)
            }
        }
    }
}

impl Range {
    pub(super) fn to_json(&self) -> Value {
        let mut body = Map::new();
        if let Some((end, inside)) = &self.low {
            body.insert(if *inside { "gte" } else { "gt" }.into(), end.to_json(self.zone_hours));
        }
        if let Some((end, inside)) = &self.high {
            body.insert(if *inside { "lte" } else { "lt" }.into(), end.to_json(self.zone_hours));
        }
        if self.field == "@timestamp" {
            body.insert("time_zone".into(), json!(format!("{:+03}:00", self.zone_hours)));
        }
        json!({"range": {self.field: body}})
    }

    pub(super) fn holds(&self, document: &Value) -> bool {
        values(document, self.field).into_iter().any(|value| {
            self.low.as_ref().is_none_or(|(end, inside)| self.keeps(value, end, *inside, true))
                && self.high.as_ref().is_none_or(|(end, inside)| self.keeps(value, end, *inside, false))
        })
    }

    fn keeps(&self, value: &Value, end: &End, inside: bool, is_low: bool) -> bool {
        let order = match end {
            End::Number(end) => value.as_f64().map(|value| value.total_cmp(end)),
            End::Text(end) if self.field == "source.ip" => {
                let ip = |text: &str| text.parse::<IpAddr>().unwrap();
                // Documented: only addresses of one family are compared.
                let same = |value: &IpAddr| value.is_ipv4() == ip(end).is_ipv4();
                value.as_str().map(ip).filter(same).map(|value| value.cmp(&ip(end)))
            }
            End::Text(end) => value.as_str().map(|value| value.cmp(end)),
            End::Date { seconds, plus_hours, round } => {
                let value = Timestamp::parse(value.as_str().unwrap()).unwrap().nanos();
                let at = Timestamp::parse(&time(*seconds)).unwrap().nanos() + plus_hours * HOUR;
                // `gt` and `lte` round up, to the last instant of the unit; the others down. A time is a millisecond wide.
                let unit = match round {
                    Some('d') => 24 * HOUR,
                    Some(_) => HOUR,
                    None => 1_000_000,
                };
                let start = (at + self.zone_hours * HOUR).div_euclid(unit) * unit - self.zone_hours * HOUR;
                return match (is_low, inside) {
                    (true, true) => value >= start,
                    (true, false) => value >= start + unit,
                    (false, true) => value < start + unit,
                    (false, false) => value < start,
                };
            }
        };
        order.is_some_and(
            |order| if is_low { order.is_gt() } else { order.is_lt() } || (inside && order.is_eq()),
        )
    }
}

pub(super) fn range() -> impl Strategy<Value = Range> {
    let number = select(&NUMBERS[..]).prop_map(End::Number);
    let ip = select(&IPS[..4]).prop_map(End::Text);
    let user = select(&USERS[..4]).prop_map(End::Text);
    let round = prop_oneof![Just(None), Just(Some('h')), Just(Some('d'))];
    let date = (0..100_000i64, -30..30i64, round).prop_map(|(seconds, plus_hours, round)| End::Date {
        seconds,
        plus_hours,
        round,
    });
    prop_oneof![
        ends("n", number.boxed()),
        ends("source.ip", ip.boxed()),
        ends("user.name", user.boxed()),
        ends("@timestamp", date.boxed()),
    ]
}

fn ends(field: &'static str, end: BoxedStrategy<End>) -> impl Strategy<Value = Range> {
    let end = || prop::option::weighted(0.8, (end.clone(), any::<bool>()));
    (end(), end(), -11..12i64).prop_map(move |(low, high, zone_hours)| Range { field, low, high, zone_hours })
}
