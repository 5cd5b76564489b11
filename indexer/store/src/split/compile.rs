//! A filter to a [`Node`]: what can be said once for a whole split is said here, from tables and dictionaries.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use ipnet::{IpNet, Ipv4Net};
use locard_event::{EventId, Value, name};
use locard_filter::{Filter, Predicate, Test, TimePoint, TimeRange, ValueTest, word};

use super::canonical::canonical;
use super::columns::Own;
use super::dictionary::Dictionary;
use super::fault::Result;
use super::key::{self, kind};
use super::message::{Ask, TextPlan};
use super::node::{AnyNode, FieldNode, Keys, Node, NumberTest, PatternNode, TextNode, Wanted};
use super::ordinals::Ordinals;
use super::read::Reader;
use crate::Control;
use locard_filter::template::{key_of_presence, key_of_value};

/// Compiles filters for one split.
pub(crate) struct Compiler<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) control: &'a Control,
}

impl Compiler<'_> {
    pub(crate) fn compile(&self, filter: &Filter) -> Result<Node> {
        self.control.check()?;
        Ok(match filter {
            Filter::All => Node::Const(true),
            Filter::And(parts) => self.together(parts, false, Node::And)?,
            Filter::Or(parts) => self.together(parts, true, Node::Or)?,
            Filter::Not(part) => match self.compile(part)? {
                Node::Const(truth) => Node::Const(!truth),
                node => Node::Not(Box::new(node)),
            },
            Filter::Is(predicate) => self.predicate(predicate)?,
        })
    }

    /// Several parts as one: `decides` is what a single part makes all of it, as a false one makes an `AND` false.
    fn together(&self, parts: &[Filter], decides: bool, several: fn(Vec<Node>) -> Node) -> Result<Node> {
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            match self.compile(part)? {
                Node::Const(truth) if truth == decides => return Ok(Node::Const(decides)),
                Node::Const(_) => {}
                node => nodes.push(node),
            }
        }
        nodes.sort_by_key(cost);
        Ok(match nodes.len() {
            0 => Node::Const(!decides),
            1 => nodes.swap_remove(0),
            _ => several(nodes),
        })
    }

    fn predicate(&self, Predicate { field, test }: &Predicate) -> Result<Node> {
        match field.as_deref() {
            None => self.anywhere(test),
            Some(name::MESSAGE) => self.message(test),
            Some(name::STREAM) => {
                let ask = ValueTest::new(test)?;
                let streams = self.reader.streams();
                Ok(of_streams(Ordinals::of(streams.len() as u32, |ordinal| {
                    let stream = streams.get(ordinal as usize);
                    stream.is_some_and(|stream| ask.matches_bytes(stream.id().to_string().as_bytes()))
                })))
            }
            Some(name::ID) => Ok(self.id(test)),
            Some(name::PATTERN) => self.pattern(test),
            Some(name::TIME | name::TIMESTAMP) => Ok(time(test)),
            Some(name::INGESTED) => {
                let dictionary = self.reader.columns().dictionary(Own::Ingested as usize)?;
                Ok(Node::Own(Own::Ingested, self.values(&dictionary, test, &ValueTest::new(test)?)?))
            }
            Some(field) => self.field(field, test),
        }
    }

    fn id(&self, test: &Test) -> Node {
        let (Test::Equals(text) | Test::Contains(text)) = test else { return Node::Unknown };
        let Ok(id) = text.parse::<EventId>() else { return Node::Unknown };
        if id.partition == self.reader.partition() { Node::Sequence(id.sequence) } else { Node::Const(false) }
    }

    fn pattern(&self, test: &Test) -> Result<Node> {
        let (test, templates) = (ValueTest::new(test)?, self.reader.templates()?);
        let matching = Ordinals::of(templates.len() as u32, |ordinal| {
            templates.name(ordinal).is_some_and(|name| test.matches_bytes(name.as_bytes()))
        });
        let has_gaps = templates.has_gaps();
        if matching.is_empty() && !has_gaps {
            return Ok(Node::Const(false));
        }
        Ok(Node::Pattern(Box::new(PatternNode { templates: matching, has_gaps, test })))
    }

    fn message(&self, test: &Test) -> Result<Node> {
        Ok(match test {
            Test::Exists => Node::Const(true),
            _ => match TextPlan::of(test) {
                None => Node::Unknown,
                Some(plan) => {
                    let text = self.text(plan, test)?;
                    if text.never_matches() { Node::Const(false) } else { Node::Text(Box::new(text)) }
                }
            },
        })
    }

    /// What the templates of the split say.
    fn text(&self, plan: TextPlan, test: &Test) -> Result<TextNode> {
        let wanted = self.wanted(&plan)?;
        TextNode::new(ValueTest::new(test)?, plan, wanted, self.reader.templates()?, self.control)
    }

    /// The questions of a plan, listed words looked up.
    fn wanted(&self, plan: &TextPlan) -> Result<Vec<Wanted>> {
        let words = self.reader.columns().dictionary(Own::Words as usize)?;
        let only = |range: &Range<u32>| {
            let mut of_range = Ordinals::none(words.len());
            range.clone().for_each(|ordinal| of_range.insert(ordinal));
            words.chunks_of(&of_range, self.reader.chunks().len())
        };
        let wanted = plan.asks().iter().map(|ask| match ask {
            Ask::Key(key, weight) => Wanted { words: 0..0, only: None, key: Some(*key), weight: *weight },
            Ask::Word(word) => {
                let words = words.find(word).map_or(0..0, |at| at..at + 1);
                Wanted { only: only(&words), words, key: None, weight: usize::MAX }
            }
            Ask::Prefix(prefix, key) => {
                // No listed word holds a byte as great as this.
                let end = [prefix, [u8::MAX].as_slice()].concat();
                let words = words.rank(prefix)..words.rank(&end);
                Wanted { only: only(&words), words, key: Some(*key), weight: prefix.len() }
            }
        });
        Ok(wanted.collect())
    }

    /// What must be true of a value that is in no dictionary for a text test to match it.
    fn untemplated(&self, plan: Option<&TextPlan>) -> Result<Keys> {
        let Some(plan) = plan else { return Ok(Keys::Unknown) };
        let which = plan.untemplated();
        let wanted = self.wanted(plan)?.into_iter().enumerate();
        let mut all: Vec<Wanted> =
            wanted.filter(|(at, _)| which >> at & 1 == 1).map(|(_, wanted)| wanted).collect();
        all.sort_by_key(|wanted| Reverse(wanted.weight));
        Ok(Keys::All(all))
    }

    fn anywhere(&self, test: &Test) -> Result<Node> {
        if matches!(test, Test::Exists) {
            return Ok(Node::Const(true));
        }
        let ask = ValueTest::new(test)?;
        let plan = TextPlan::of(test);
        let columns = self.reader.columns();
        let labels = self.reader.labels().streams_where(|label| ask.matches_bytes(label.as_bytes()));
        let (mut values, mut loose) = (Vec::new(), Vec::new());
        for (at, column) in columns.named() {
            let dictionary = columns.dictionary(at)?;
            let found = self.values(&dictionary, test, &ask)?;
            if !found.is_empty() {
                let only = dictionary.chunks_of(&found, self.reader.chunks().len());
                values.push((at, found, only));
            }
            if column.residue > 0 || column.has_numbers() && may_match_kind(test, kind::INT) {
                loose.push(at);
            }
        }
        let keys = self.untemplated(plan.as_ref())?;
        let text = plan.map(|plan| self.text(plan, test)).transpose()?;
        let left_out = columns.left_out > 0;
        let numbers = NumberTest::new(ask);
        Ok(Node::Anywhere(Box::new(AnyNode { text, labels, values, loose, numbers, keys, left_out })))
    }

    /// A field, or the label of that name where the event has no such field.
    fn field(&self, field: &str, test: &Test) -> Result<Node> {
        let ask = ValueTest::new(test)?;
        let columns = self.reader.columns();
        let labels = self.reader.labels().streams_with(field, |label| ask.matches_bytes(label.as_bytes()));
        let column = columns.find(field);
        let presence = (columns.left_out > 0).then(|| key_of_presence(field));
        if column.is_none() && presence.is_none() {
            return Ok(of_streams(labels));
        }
        let (mut values, mut only) = (Ordinals::none(0), None);
        if let Some(at) = column {
            let (column, dictionary) = (columns.get(at)?, columns.dictionary(at)?);
            values = self.values(&dictionary, test, &ask)?;
            // No value that matches is elsewhere: in numbers, in the residue, or a label.
            if column.residue == 0 && !column.has_numbers() && labels.is_empty() && presence.is_none() {
                only = dictionary.chunks_of(&values, self.reader.chunks().len());
            }
        }
        let keys = match test {
            Test::Equals(literal) => Keys::Any(keys_of_equals(field, literal)),
            _ => self.untemplated(TextPlan::of(test).as_ref())?,
        };
        let numbers = NumberTest::new(ask);
        Ok(Node::Field(Box::new(FieldNode {
            name: field.into(),
            column,
            values,
            numbers,
            keys,
            only,
            labels,
            presence,
        })))
    }

    /// The values of a dictionary that match.
    fn values(&self, dictionary: &Dictionary, test: &Test, ask: &ValueTest) -> Result<Ordinals> {
        let mut found = Ordinals::none(dictionary.len());
        let strings = dictionary.of_kind(kind::STR);
        for kind in
            [kind::FALSE, kind::TRUE, kind::INT, kind::FLOAT, kind::TIME, kind::IP4, kind::IP6, kind::LIST]
        {
            if may_match_kind(test, kind) {
                self.each_value(dictionary, dictionary.of_kind(kind), ask, &mut found)?;
            }
        }
        match test {
            Test::Equals(literal) => match canonical(literal) {
                None => found_one(&mut found, dictionary.find(&text_key(literal))),
                Some(_) => {
                    found_one(&mut found, dictionary.find(&text_key(literal)));
                    if let Ok(ip) = literal.parse::<IpAddr>() {
                        let mut wanted = Vec::new();
                        key::encode(&Value::Ip(ip), &mut wanted);
                        found_one(&mut found, dictionary.find(&wanted));
                    }
                    // Numbers, addresses and times in other spellings. An IPv4 address has one.
                    let firsts: &[u8] =
                        if literal.parse::<Ipv4Addr>().is_ok() { b"" } else { b"-.0123456789:ABCDEFabcdef" };
                    for first in firsts {
                        let (from, to) = ([kind::STR, *first], [kind::STR, first + 1]);
                        let range = dictionary.rank(&from)..dictionary.rank(&to);
                        self.each_value(dictionary, range, ask, &mut found)?;
                    }
                }
            },
            Test::Contains(literal) => {
                let folded = word::fold_str(literal);
                for ordinal in dictionary.texts_with(folded.as_bytes()) {
                    self.each_value(dictionary, ordinal..ordinal + 1, ask, &mut found)?;
                }
            }
            Test::Cidr(IpNet::V4(network)) => {
                let range = texts_of(dictionary, *network, strings);
                self.each_value(dictionary, range, ask, &mut found)?;
            }
            Test::Wildcard(_) => self.strings_with(dictionary, strings, ask, &mut found)?,
            _ => self.each_value(dictionary, strings, ask, &mut found)?,
        }
        Ok(found)
    }

    fn each_value(
        &self,
        dictionary: &Dictionary,
        ordinals: Range<u32>,
        ask: &ValueTest,
        found: &mut Ordinals,
    ) -> Result<()> {
        for ordinal in ordinals {
            if ordinal % 1024 == 0 {
                self.control.check()?;
            }
            let matches = match dictionary.key(ordinal).split_first() {
                Some((&kind::STR, text)) => ask.matches_bytes(text),
                _ => ask.matches(&dictionary.value(ordinal)?),
            };
            if matches {
                found.insert(ordinal);
            }
        }
        Ok(())
    }

    /// Asks many strings as one text, and halves of it where that matches: what none of them holds costs one pass over their
    /// bytes. The byte between two of them is no word character, so that what is in one of them is in the whole.
    fn strings_with(
        &self,
        dictionary: &Dictionary,
        ordinals: Range<u32>,
        ask: &ValueTest,
        found: &mut Ordinals,
    ) -> Result<()> {
        self.control.check()?;
        match ordinals.len() {
            0..=8 => self.each_value(dictionary, ordinals, ask, found),
            _ if !ask.matches_bytes(dictionary.text_of(ordinals.clone())) => Ok(()),
            count => {
                let middle = ordinals.start + count as u32 / 2;
                self.strings_with(dictionary, ordinals.start..middle, ask, found)?;
                self.strings_with(dictionary, middle..ordinals.end, ask, found)
            }
        }
    }
}

/// The strings among which all addresses of an IPv4 network are: those that begin as all of them do.
fn texts_of(dictionary: &Dictionary, network: Ipv4Net, strings: Range<u32>) -> Range<u32> {
    let octets = network.network().octets();
    let fixed = octets.iter().take(usize::from(network.prefix_len() / 8).min(3));
    let prefix: String = fixed.map(|octet| format!("{octet}.")).collect();
    if prefix.is_empty() {
        return strings;
    }
    let mut end = text_key(&prefix);
    end.push(u8::MAX);
    dictionary.rank(&text_key(&prefix))..dictionary.rank(&end)
}

/// The key of a text.
fn text_key(text: &str) -> Vec<u8> {
    let mut key = vec![kind::STR];
    key.extend_from_slice(text.as_bytes());
    key
}

/// Whether a value of this kind can match: a word with letters is in no number and in no address.
fn may_match_kind(test: &Test, kind: u8) -> bool {
    match (test, kind) {
        (_, kind::FALSE | kind::TRUE | kind::LIST) => true,
        (Test::Wildcard(pattern), kind::INT) => {
            let in_integers = |byte: u8| byte.is_ascii_digit() || b"-*?\\".contains(&byte);
            pattern.bytes().all(in_integers)
        }
        (Test::Contains(literal), kind::INT) => {
            literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
        }
        (Test::Contains(literal), _) => {
            let in_numbers = |byte: u8| byte.is_ascii_hexdigit() || b".:-+tTzZ".contains(&byte);
            literal.bytes().all(in_numbers)
        }
        // The address itself is looked up.
        (Test::Equals(literal), kind::IP4 | kind::IP6) => {
            literal.parse::<IpAddr>().is_err() && canonical(literal).is_some()
        }
        (Test::Equals(literal), _) => canonical(literal).is_some(),
        _ => true,
    }
}

fn found_one(found: &mut Ordinals, ordinal: Option<u32>) {
    if let Some(ordinal) = ordinal {
        found.insert(ordinal);
    }
}

fn of_streams(streams: Ordinals) -> Node {
    if streams.is_empty() {
        Node::Const(false)
    } else if streams.is_all() {
        Node::Const(true)
    } else {
        Node::Streams(streams)
    }
}

/// A value that equals `literal` has one of these keys.
fn keys_of_equals(field: &str, literal: &str) -> Vec<u64> {
    let mut keys = vec![key_of_value(field, literal)];
    keys.extend(canonical(literal).map(|form| key_of_value(field, &form)));
    keys
}

fn time(test: &Test) -> Node {
    let Test::Time(TimeRange { from, to }) = test else { return Node::Unknown };
    match (from, to) {
        (Some(TimePoint::Now(_)), _) | (_, Some(TimePoint::Now(_))) => Node::Unknown,
        (from, to) => {
            let at = |point: &Option<TimePoint>| match point {
                Some(TimePoint::At(time)) => Some(*time),
                _ => None,
            };
            Node::Time(at(from), at(to))
        }
    }
}

/// Cheap parts first, so that dear ones have less to look at.
fn cost(node: &Node) -> u8 {
    match node {
        Node::Const(_) => 0,
        Node::Time(..) | Node::Sequence(_) => 1,
        Node::Streams(_) | Node::Own(..) => 2,
        Node::Field(_) => 3,
        Node::Text(_) | Node::Pattern(_) => 4,
        Node::And(_) | Node::Or(_) | Node::Not(_) => 5,
        Node::Anywhere(_) => 6,
        Node::Unknown => 7,
    }
}
