//! Patterns of dates as Java writes them (`yyyy-MM-dd'T'HH:mm:ss.SSSXXX`): read and write the parts of a date.

use jiff::ZonedDateTime as Zoned;

/// The parts of a date that a text gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) year: i16,
    pub(super) month: Option<i8>,
    pub(super) day: Option<i8>,
    pub(super) hour: Option<i8>,
    pub(super) minute: Option<i8>,
    pub(super) second: Option<i8>,
    pub(super) nanos: Option<i32>,
    /// Nanoseconds between this time and the next that can be written so; a millisecond or less.
    pub(super) step: i64,
    /// Seconds east of UTC.
    pub(super) offset: Option<i32>,
}

/// One item of a pattern: a letter and how often, or a text.
enum Item {
    Field(char, usize),
    Text(String),
}

fn items(pattern: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\'' => {
                let mut text = String::new();
                while let Some(quoted) = chars.next() {
                    match (quoted, chars.peek()) {
                        ('\'', Some('\'')) => {
                            chars.next();
                            text.push('\'');
                        }
                        ('\'', _) => break,
                        (other, _) => text.push(other),
                    }
                }
                items.push(Item::Text(if text.is_empty() { "'".to_owned() } else { text }));
            }
            letter if letter.is_ascii_alphabetic() => match items.last_mut() {
                Some(Item::Field(last, count)) if *last == letter => *count += 1,
                _ => items.push(Item::Field(letter, 1)),
            },
            // Optional sections are read and written as if they were there.
            '[' | ']' => {}
            other => items.push(Item::Text(other.into())),
        }
    }
    items
}

/// What is left of a text while it is read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn take(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(text)?;
        Some(())
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        if digits < least { None } else { number.parse().ok() }
    }

    /// A fraction of a second, and the distance to the next one.
    fn fraction(&mut self, most: usize) -> Option<(i32, i64)> {
        let digits = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let number = self.number(1, digits)?;
        let scale = 10i64.pow(9 - u32::try_from(digits).ok()?);
        Some((i32::try_from(number * scale).ok()?, scale.min(1_000_000)))
    }

    fn offset(&mut self) -> Option<i32> {
        if self.take("Z").is_some() {
            return Some(0);
        }
        let sign = match self.0.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        self.0 = self.0.get(1..)?;
        let hours = self.number(2, 2)?;
        let _colon = self.take(":");
        let minutes = self.number(2, 2).unwrap_or(0);
        i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()
    }

    fn small(&mut self, least: usize) -> Option<i8> {
        i8::try_from(self.number(least, 2)?).ok()
    }
}

/// Reads a text by a pattern; nothing if it does not fit whole, or a letter is not known.
pub(super) fn parse(pattern: &str, text: &str) -> Option<Parts> {
    let mut rest = Rest(text);
    let mut parts = Parts { year: 1970, step: 1_000_000, ..Parts::default() };
    for item in items(pattern) {
        match item {
            Item::Text(text) => rest.take(&text)?,
            Item::Field(letter, count) => read(&mut parts, &mut rest, letter, count)?,
        }
    }
    rest.0.is_empty().then_some(parts)
}

fn read(parts: &mut Parts, rest: &mut Rest<'_>, letter: char, count: usize) -> Option<()> {
    let least = count.min(2);
    match letter {
        'y' | 'u' if count == 2 => parts.year = 2000 + i16::try_from(rest.number(2, 2)?).ok()?,
        'y' | 'u' | 'Y' => parts.year = i16::try_from(rest.number(count.min(4), 4)?).ok()?,
        'M' | 'L' if count <= 2 => parts.month = Some(rest.small(least)?),
        'd' => parts.day = Some(rest.small(least)?),
        'H' => parts.hour = Some(rest.small(least)?),
        'm' => parts.minute = Some(rest.small(least)?),
        's' => parts.second = Some(rest.small(least)?),
        'S' | 'n' => {
            let (nanos, step) = rest.fraction(count.clamp(1, 9))?;
            (parts.nanos, parts.step) = (Some(nanos), step);
        }
        'X' | 'x' | 'Z' | 'V' | 'z' => parts.offset = Some(rest.offset()?),
        _ => return None,
    }
    Some(())
}

/// Reads ISO 8601 with as many parts as are given: `2026`, `2026-03`, `2026-03-29T12:34:56.789+01:00`.
pub(super) fn parse_iso(text: &str) -> Option<Parts> {
    let mut rest = Rest(text);
    let year = i16::try_from(rest.number(4, 4)?).ok()?;
    let mut parts = Parts { year, step: 1_000_000, ..Parts::default() };
    if rest.take("-").is_some() {
        parts.month = Some(rest.small(2)?);
        if rest.take("-").is_some() {
            parts.day = Some(rest.small(2)?);
        }
    }
    if parts.day.is_some() && (rest.take("T").is_some() || rest.take(" ").is_some()) && !rest.0.is_empty() {
        iso_time(&mut parts, &mut rest)?;
    }
    rest.0.is_empty().then_some(parts)
}

fn iso_time(parts: &mut Parts, rest: &mut Rest<'_>) -> Option<()> {
    parts.hour = Some(rest.small(2)?);
    if rest.take(":").is_some() {
        parts.minute = Some(rest.small(2)?);
        if rest.take(":").is_some() {
            parts.second = Some(rest.small(2)?);
            if rest.take(".").is_some() || rest.take(",").is_some() {
                let (nanos, step) = rest.fraction(9)?;
                (parts.nanos, parts.step) = (Some(nanos), step);
            }
        }
    }
    if !rest.0.is_empty() {
        parts.offset = Some(rest.offset()?);
    }
    Some(())
}

/// Writes a date by a format: a name that Elasticsearch knows, or a pattern.
pub(super) fn write(format: &str, date: &Zoned) -> String {
    let first = format.split("||").next().unwrap_or(format);
    match first {
        "epoch_millis" => date.timestamp().as_millisecond().to_string(),
        "epoch_second" => date.timestamp().as_second().to_string(),
        "strict_date_optional_time"
        | "date_optional_time"
        | "iso8601"
        | "date_time"
        | "strict_date_time"
        | "" => by("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", date),
        "strict_date_optional_time_nanos" => {
            by(&format!("yyyy-MM-dd'T'HH:mm:ss.{}XXX", "S".repeat(digits_of(date))), date)
        }
        "date_time_no_millis" | "strict_date_time_no_millis" => by("yyyy-MM-dd'T'HH:mm:ssXXX", date),
        "date" | "strict_date" | "year_month_day" | "strict_year_month_day" => by("yyyy-MM-dd", date),
        "year_month" | "strict_year_month" => by("yyyy-MM", date),
        "year" | "strict_year" => by("yyyy", date),
        "basic_date" => by("yyyyMMdd", date),
        "date_hour_minute_second" | "strict_date_hour_minute_second" => by("yyyy-MM-dd'T'HH:mm:ss", date),
        custom => by(custom, date),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn by(pattern: &str, date: &Zoned) -> String {
    let mut text = String::new();
    for item in items(pattern) {
        match item {
            Item::Text(literal) => text.push_str(&literal),
            Item::Field(letter, count) => text.push_str(&field(letter, count, date)),
        }
    }
    text
}

fn field(letter: char, count: usize, date: &Zoned) -> String {
    let padded = |number: i64| format!("{number:0count$}");
    let name = |names: &[&str], index: usize| {
        let name = names.get(index).copied().unwrap_or_default();
        if count == 3 { name.get(..3).unwrap_or(name).to_owned() } else { name.to_owned() }
    };
    match letter {
        'y' | 'u' if count == 2 => format!("{:02}", date.year().rem_euclid(100)),
        'y' | 'u' | 'Y' => padded(date.year().into()),
        'M' | 'L' if count >= 3 => name(&MONTHS, usize::try_from(date.month() - 1).unwrap_or(0)),
        'M' | 'L' => padded(date.month().into()),
        'd' => padded(date.day().into()),
        'D' => padded(date.day_of_year().into()),
        'H' => padded(date.hour().into()),
        'h' => padded((i64::from(date.hour()) + 11) % 12 + 1),
        'a' => if date.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        'm' => padded(date.minute().into()),
        's' => padded(date.second().into()),
        'S' => {
            let nanos = format!("{:09}", date.subsec_nanosecond());
            nanos.get(..count.min(9)).unwrap_or(&nanos).to_owned()
        }
        'E' | 'e' => name(&DAYS, usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)),
        'X' if date.offset().seconds() == 0 => "Z".to_owned(),
        'X' | 'x' | 'Z' => {
            let seconds = date.offset().seconds();
            let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
            let colon = if count >= 3 && letter != 'Z' { ":" } else { "" };
            format!("{sign}{:02}{colon}{:02}", seconds / 3600, seconds / 60 % 60)
        }
        _ => String::new(),
    }
}

/// Digits that a fraction of a second needs, 3 at least.
fn digits_of(date: &Zoned) -> usize {
    let nanos = format!("{:09}", date.subsec_nanosecond());
    nanos.trim_end_matches('0').len().max(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_by_a_pattern() {
        let date: Zoned = "2026-03-09T04:05:06.078+01:00[+01:00]".parse().unwrap();
        for (format, expected) in [
            ("yyyy-MM-dd", "2026-03-09"),
            ("dd/MMM/yy HH:mm", "09/Mar/26 04:05"),
            ("strict_date_optional_time", "2026-03-09T04:05:06.078+01:00"),
            ("epoch_millis", "1773025506078"),
            ("EEE d 'o''clock'", "Mon 9 o'clock"),
            ("uuuu.MM.dd'T'HHmmssZ", "2026.03.09T040506+0100"),
        ] {
            assert_eq!(write(format, &date), expected, "{format}");
        }
    }
}
