//! [`Key`]: what `by` groups by, a field or the networks of its addresses: `source.ip/24`, or `source.ip/24/48` for both families.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use locard_event::Value;
use locard_filter::SyntaxError;

use super::read::Reader;
use super::record::Record;

/// What an IPv6 address is cut to where only a length for IPv4 is written: a network of one site's hosts.
const IPV6_BITS: u8 = 64;

/// What records are grouped by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose values.
    pub field: Box<str>,
    /// The networks of these, not the values themselves. What is no address is in none.
    pub network: Option<Network>,
}

/// How much of an address is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Bits of an IPv4 address.
    pub v4: u8,
    /// Bits of an IPv6 address.
    pub v6: u8,
}

impl Key {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let quoted = reader.peek() == Some('"');
        let start = reader.position();
        let name = reader.field("a field name")?;
        // Labels have slashes in their names, so only numbers are lengths.
        let Some((field, lengths)) = lengths(&name).filter(|_| !quoted) else {
            return Ok(Self { field: name, network: None });
        };
        let network = Network::of(&lengths).ok_or_else(|| {
            SyntaxError::new(start..reader.position(), format!("`{name}` is no network"))
                .hint("write field/24 for IPv4, field/24/48 for both families; IPv4 has 32 bits, IPv6 128")
        })?;
        Ok(Self { field: field.into(), network: Some(network) })
    }

    /// Several, separated by commas.
    pub(super) fn parse_list(reader: &mut Reader<'_>) -> Result<Vec<Self>, SyntaxError> {
        let mut keys = vec![Self::parse(reader)?];
        while reader.eat(',') {
            keys.push(Self::parse(reader)?);
        }
        Ok(keys)
    }

    /// Its column's name.
    pub(super) fn name(&self) -> String {
        match self.network {
            None => self.field.to_string(),
            Some(Network { v4, v6: IPV6_BITS }) => format!("{}/{v4}", self.field),
            Some(Network { v4: 32, v6 }) => format!("{}/{v6}", self.field),
            Some(Network { v4, v6 }) => format!("{}/{v4}/{v6}", self.field),
        }
    }

    /// What a record has of it; null if nothing.
    pub(super) fn value<'a>(&self, record: &Record<'a>) -> Cow<'a, Value> {
        let value = record.value(&self.field);
        match self.network {
            None => value,
            Some(network) => Cow::Owned(network.value(&value)),
        }
    }
}

/// The numbers behind the name: `a/b/24/48` is `a/b`, 24 and 48.
fn lengths(name: &str) -> Option<(&str, Vec<&str>)> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (field, last) = name.rsplit_once('/').filter(|(field, last)| !field.is_empty() && is_number(last))?;
    match field.rsplit_once('/') {
        Some((shorter, first)) if !shorter.is_empty() && is_number(first) => {
            Some((shorter, vec![first, last]))
        }
        _ => Some((field, vec![last])),
    }
}

impl Network {
    fn of(lengths: &[&str]) -> Option<Self> {
        let numbers: Option<Vec<u8>> = lengths.iter().map(|length| length.parse().ok()).collect();
        match numbers?[..] {
            [v4 @ 0..=32] => Some(Self { v4, v6: IPV6_BITS }),
            [v6 @ 33..=128] => Some(Self { v4: 32, v6 }),
            [v4 @ 0..=32, v6 @ 0..=128] => Some(Self { v4, v6 }),
            _ => None,
        }
    }

    /// The network of each address of a value.
    fn value(self, value: &Value) -> Value {
        match value {
            Value::List(values) => Value::List(values.iter().map(|value| self.value(value)).collect()),
            Value::Ip(ip) => self.text(*ip).into(),
            Value::Str(text) => match text.parse::<IpAddr>() {
                Ok(ip) => self.text(ip).into(),
                Err(_) => Value::Null,
            },
            _ => Value::Null,
        }
    }

    fn text(self, ip: IpAddr) -> String {
        match ip {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.v4)).unwrap_or(0);
                format!("{}/{}", Ipv4Addr::from_bits(ip.to_bits() & mask), self.v4)
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.v6)).unwrap_or(0);
                format!("{}/{}", Ipv6Addr::from_bits(ip.to_bits() & mask), self.v6)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, value: impl Into<Value>, expected: &str) {
        let key = Key::parse(&mut Reader::new(text, 0)).unwrap();
        let (columns, cells) = ([key.field.to_string()], [value.into()]);
        let value = key.value(&Record::Row { columns: &columns, cells: &cells });
        assert_eq!(format!("{} of {}: {}", key.name(), key.field, *value), expected);
    }

    #[test]
    fn addresses_are_cut_to_networks() {
        check("ip/24", Value::ip_or_str("10.1.2.3"), "ip/24 of ip: 10.1.2.0/24");
        check("ip/24", "10.1.2.3", "ip/24 of ip: 10.1.2.0/24");
        check("ip/0", "10.1.2.3", "ip/0 of ip: 0.0.0.0/0");
        check("ip/32", "10.1.2.3", "ip/32 of ip: 10.1.2.3/32");
        check("ip/24", "2001:db8:1:2:3::4", "ip/24 of ip: 2001:db8:1:2::/64");
        check("ip/48", "2001:db8:1:2:3::4", "ip/48 of ip: 2001:db8:1::/48");
        check("ip/48", "10.1.2.3", "ip/48 of ip: 10.1.2.3/32");
        check("ip/16/128", "::1", "ip/16/128 of ip: ::1/128");
        check("ip/8", "root", "ip/8 of ip: ");
        let both = Value::List(vec!["10.1.2.3".into(), "10.1.9.9".into()]);
        check("ip/16", both, "ip/16 of ip: [10.1.0.0/16, 10.1.0.0/16]");
    }

    #[test]
    fn only_numbers_behind_a_slash_are_lengths() {
        check(
            "labels.app.kubernetes.io/name",
            "x",
            "labels.app.kubernetes.io/name of labels.app.kubernetes.io/name: x",
        );
        check("\"odd/24\"", "x", "odd/24 of odd/24: x");
        let error = Key::parse(&mut Reader::new("ip/129", 0)).unwrap_err();
        assert_eq!((error.span, error.message.as_str()), (0..6, "`ip/129` is no network"));
        assert!(Key::parse(&mut Reader::new("ip/24/129", 0)).is_err());
    }
}
