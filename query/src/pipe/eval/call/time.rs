//! Functions of times. Without a zone they are in UTC; zones are names such as `Europe/Berlin`, or offsets such as `+02:00`.

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use locard_event::{Timestamp, Value};

/// How a time is written unless asked otherwise.
const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The beginning of the bucket that a time or number is in.
pub(super) fn bucket(value: &Value, span: &Value) -> Value {
    match (value.as_time(), value.as_f64(), span.as_f64()) {
        (Some(time), None, Some(span)) if span >= 1.0 => {
            let nanos = time.nanos();
            Timestamp::from_nanos(nanos.saturating_sub(nanos.rem_euclid(span as i64))).into()
        }
        (_, Some(number), Some(span)) if span > 0.0 => {
            let start = (number / span).floor() * span;
            match (value, span.fract() == 0.0 && start.abs() < 9e15) {
                (Value::Int(_), true) => Value::Int(start as i64),
                _ => super::float(start),
            }
        }
        _ => Value::Null,
    }
}

/// A time as text; a number is a Unix time.
pub(super) fn format(value: &Value, format: &Value, zone: &Value) -> Value {
    let time = value.as_time().or_else(|| match value {
        Value::Int(number) => Some(Timestamp::from_epoch(*number)),
        _ => None,
    });
    let (Some(time), Some(zone)) = (time, self::zone(zone)) else { return Value::Null };
    let Ok(instant) = jiff::Timestamp::from_nanosecond(i128::from(time.nanos())) else { return Value::Null };
    let format = if *format == Value::Null { FORMAT.into() } else { format.text() };
    match strtime::format(format.as_bytes(), &instant.to_zoned_datetime(zone)) {
        Ok(text) => super::text::bounded(text),
        Err(_) => Value::Null,
    }
}

/// A text as time, by its format or else as filters read times.
pub(super) fn parse(value: &Value, format: &Value, zone: &Value) -> Value {
    let text = value.to_string();
    let Some(zone) = self::zone(zone) else { return Value::Null };
    if *format == Value::Null {
        return Timestamp::parse(&text).map_or(Value::Null, Value::Time);
    }
    let Ok(broken) = strtime::parse(format.text().as_bytes(), text.as_bytes()) else { return Value::Null };
    let instant = broken.to_timestamp().ok().or_else(|| {
        let civil = broken.to_datetime().or_else(|_| broken.to_date().map(DateTime::from)).ok()?;
        civil.to_zoned_datetime(zone).ok().map(|zoned| zoned.timestamp())
    });
    let nanos = instant.and_then(|instant| i64::try_from(instant.as_nanosecond()).ok());
    nanos.map_or(Value::Null, |nanos| Timestamp::from_nanos(nanos).into())
}

fn zone(value: &Value) -> Option<TimeZone> {
    let text = value.text();
    if text.is_empty() {
        return Some(TimeZone::UTC);
    }
    offset(&text).map(TimeZone::fixed).or_else(|| TimeZone::get(&text).ok())
}

/// `+02:00`, `-0330`, `+2`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let number: i32 = digits.parse().ok().filter(|number| *number >= 0)?;
    let minutes = if digits.len() <= 2 { number * 60 } else { number / 100 * 60 + number % 100 };
    Offset::from_seconds(sign * minutes * 60).ok()
}
