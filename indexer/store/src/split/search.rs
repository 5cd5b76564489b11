//! Answers from one split, chunk by chunk: what the compiled filter leaves open is verified with the matcher.

mod patterns;

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

use locard_event::{Event, EventId, Timestamp, Value};
use locard_filter::Matcher;

use super::columns::Own;
use super::compile::Compiler;
use super::fault::Result;
use super::mask::Mask;
use super::node::{AnyNode, Judged, Node, TextNode};
use super::presence_count::{Counter, Having};
use super::read::Reader;
use super::rebuild::Rebuilder;
use super::row::Words;
use super::tally::Tally;
use super::{First, GroupKey, Order, Position, Request, Row, Rows, Top, Write};
use crate::Control;

/// How often a loop over events asks whether to stop.
const CHECK_EVERY: usize = 256;

/// One request at work on one split.
pub(crate) struct Search<'a> {
    reader: &'a Reader,
    control: &'a Control,
    filed: Range<Timestamp>,
    /// Only events with numbers below this, if not all of them have such.
    below: Option<u64>,
    node: Node,
    matcher: Matcher,
    events: Rebuilder<'a>,
    looked_at: usize,
    /// Whether what is left open can be verified without the whole event.
    by_record: bool,
}

/// What matches in a chunk: surely, and perhaps.
struct Found {
    sure: Mask,
    open: Mask,
    judged: Option<Judged>,
}

impl Found {
    fn of(judged: Judged) -> Self {
        let sure = judged.bounds.sure;
        let mut open = judged.bounds.maybe;
        open.and_not(&sure);
        Self { sure, open, judged: Some(judged) }
    }
}

impl<'a> Search<'a> {
    pub(crate) fn new(reader: &'a Reader, request: &Request, control: &'a Control) -> Result<Self> {
        let node = Compiler { reader, control }.compile(&request.filter)?;
        Ok(Self {
            by_record: node.is_settled_by_record(),
            reader,
            control,
            filed: request.filed.clone(),
            below: None,
            node,
            matcher: Matcher::new(&request.filter)?,
            events: Rebuilder::new(reader, control),
            looked_at: 0,
        })
    }

    /// The same, among events with numbers below this one.
    pub(crate) fn below(self, below: u64) -> Self {
        let all_are = self.reader.object().header().sequences.end <= below;
        Self { below: (!all_are).then_some(below), ..self }
    }

    /// The documents of a chunk that are asked for, whatever the filter says of them.
    fn within(&self, chunk: usize) -> Result<Mask> {
        let mut within = self.reader.filed_within(chunk, Some(self.filed.start), Some(self.filed.end))?;
        let Some(below) = self.below.filter(|_| !within.is_empty()) else { return Ok(within) };
        let page = self.reader.columns().own(Own::Sequence, chunk)?;
        let sequences = page.packed();
        let mut known = Mask::NONE;
        for place in 0..sequences.len() {
            known.insert_if(place, (sequences.get(place) as u64) < below);
        }
        within.and(&known);
        Ok(within)
    }

    /// What the compiled filter says of a chunk.
    fn found(&self, chunk: usize) -> Result<Found> {
        self.control.check()?;
        let none = Found { sure: Mask::NONE, open: Mask::NONE, judged: None };
        if matches!(self.node, Node::Const(false)) {
            return Ok(none);
        }
        let within = self.within(chunk)?;
        if within.is_empty() {
            return Ok(none);
        }
        Ok(Found::of(self.node.judge(self.reader, chunk, &within)?))
    }

    /// The matching documents of a chunk.
    fn matching(&mut self, chunk: usize) -> Result<Mask> {
        let found = self.found(chunk)?;
        let mut sure = found.sure;
        for place in self.events.by_record(chunk, &found.open)? {
            sure.insert_if(place, self.verify(chunk, place, &found)?);
        }
        Ok(sure)
    }

    /// Now and then asks whether to stop.
    fn look(&mut self) -> Result<()> {
        self.looked_at += 1;
        if self.looked_at.is_multiple_of(CHECK_EVERY) {
            self.control.check()?;
        }
        Ok(())
    }

    /// Whether a document that was left open matches.
    fn verify(&mut self, chunk: usize, place: usize, found: &Found) -> Result<bool> {
        self.look()?;
        match &found.judged {
            Some(judged) if self.by_record => {
                let record = self.events.record(chunk, place)?;
                self.node.verify(judged, place, &record)
            }
            _ => Ok(self.matcher.matches(&self.events.event(chunk, place)?)),
        }
    }

    /// How many events match.
    pub(crate) fn count(&mut self) -> Result<u64> {
        if let Some(count) = self.counted()? {
            return Ok(count);
        }
        let mut count = 0;
        for chunk in 0..self.reader.chunks().len() {
            count += self.matching(chunk)?.count() as u64;
        }
        Ok(count)
    }

    /// Whether every event of the split is in the ranges asked for.
    fn is_whole(&self) -> bool {
        let (first, last) = self.reader.object().header().filed;
        self.below.is_none() && first >= self.filed.start && last < self.filed.end
    }

    /// How many match, where tables know it.
    fn counted(&mut self) -> Result<Option<u64>> {
        if !self.is_whole() {
            return Ok(None);
        }
        let node = std::mem::replace(&mut self.node, Node::Unknown);
        let counted = self.counted_of(&node);
        self.node = node;
        counted
    }

    fn counted_of(&mut self, node: &Node) -> Result<Option<u64>> {
        let events = u64::from(self.reader.chunks().documents());
        Ok(match node {
            Node::Const(true) => Some(events),
            Node::Const(false) => Some(0),
            Node::Not(part) => self.counted_of(part)?.map(|count| events - count),
            Node::Text(text) => Some(self.count_text(text, None, node)?),
            Node::Anywhere(any) if any.is_only_text() => match &any.text {
                Some(text) => Some(self.count_text(text, Some(any), node)?),
                None => None,
            },
            Node::Field(field) => field.counted(self.reader)?,
            _ => None,
        })
    }

    /// The templates that always match know how often they do; only chunks that may hold others are looked at.
    fn count_text(&mut self, text: &TextNode, any: Option<&AnyNode>, node: &Node) -> Result<u64> {
        let mut count = text.always;
        for chunk in 0..self.reader.chunks().len() {
            let loose = any.map_or(Ok(false), |any| any.may_hold_loose(self.reader, chunk))?;
            if !loose && !text.may_hold_others(self.reader, chunk)? {
                continue;
            }
            self.control.check()?;
            let found = Found::of(node.judge(self.reader, chunk, &self.reader.all_of(chunk)?)?);
            let mut others = found.sure;
            others.and_not(&text.surely(self.reader, chunk)?);
            count += others.count() as u64;
            for place in self.events.by_record(chunk, &found.open)? {
                self.look()?;
                let record = self.events.record(chunk, place)?;
                count += u64::from(match &found.judged {
                    Some(judged) => node.verify(judged, place, &record)?,
                    None => false,
                });
            }
        }
        Ok(count)
    }

    /// The first `limit` events after `after`, and how many match in all.
    pub(crate) fn top(
        &mut self,
        order: Order,
        after: Option<Position>,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Top> {
        let (found, matched) = self.first(First { order, after, limit, max_bytes, count: true })?;
        let (mut events, mut bytes) = (Vec::new(), 0);
        let wanted = found.len();
        for (_, chunk, place) in found {
            let event = self.event(chunk, place)?;
            bytes += event.heap_bytes();
            if bytes > max_bytes && !events.is_empty() {
                break;
            }
            events.push(event);
        }
        let cut = events.len() < wanted;
        Ok(Top { events, cut, matched })
    }

    /// As [`Search::top`], row by row.
    pub(crate) fn rows(
        &mut self,
        first: First,
        write: Write<'_>,
        visit: &mut dyn FnMut(&Row<'_>) -> usize,
    ) -> Result<Rows> {
        let (found, matched) = self.first(first)?;
        let mut words = Words::new(write);
        let (mut bytes, mut handed) = (0, 0);
        for (_, chunk, place) in &found {
            self.look()?;
            bytes += self.events.row(*chunk, *place, &mut words, visit)?;
            handed += 1;
            if bytes > first.max_bytes {
                break;
            }
        }
        Ok(Rows { cut: handed < found.len(), matched })
    }

    /// Where the first events are, and how many match.
    fn first(&mut self, first: First) -> Result<(Vec<Ranked>, u64)> {
        let First { order, after, limit, count, .. } = first;
        let counted = if count { self.counted()? } else { None };
        let is_counted = counted.is_some() || !count;
        let mut best = Best { order, limit, found: Vec::new() };
        let mut matched = 0;
        for chunk in self.chunks_in(order) {
            let span = self.reader.chunks().get(chunk)?.filed;
            let wanted = limit > 0 && best.wants(span) && !is_behind(order, after, span);
            if !wanted && is_counted {
                continue;
            }
            let found = self.found(chunk)?;
            matched += found.sure.count() as u64;
            let window = if wanted { self.window(chunk, order, after)? } else { Mask::NONE };
            let mut matching = found.sure;
            // What is open must be verified to be counted; else only as far as it may be among the first.
            let open = match is_counted {
                true => ordered(&found.open, order).collect(),
                false => self.events.by_record(chunk, &found.open)?,
            };
            for place in open {
                let is_wanted = window.contains(place);
                if is_counted && (!is_wanted || best.is_full_with(&matching, &window, place)) {
                    continue;
                }
                if self.verify(chunk, place, &found)? {
                    matched += 1;
                    matching.insert(place);
                }
            }
            if wanted {
                matching.and(&window);
                self.add_best(&mut best, chunk, &matching)?;
            }
        }
        Ok((best.found, counted.unwrap_or(matched)))
    }

    /// All chunks, those that begin the order first.
    fn chunks_in(&self, order: Order) -> Vec<usize> {
        let chunks = self.reader.chunks();
        let mut at: Vec<(usize, (i64, i64))> = chunks.iter().map(|chunk| chunk.filed).enumerate().collect();
        match order {
            Order::Descending => at.sort_by_key(|(_, filed)| Reverse(filed.1)),
            Order::Ascending => at.sort_by_key(|(_, filed)| filed.0),
        }
        at.into_iter().map(|(chunk, _)| chunk).collect()
    }

    /// The first documents of a chunk that match are candidates for the first of all.
    fn add_best(&self, best: &mut Best, chunk: usize, matching: &Mask) -> Result<()> {
        if matching.is_empty() {
            return Ok(());
        }
        let (filed, sequence) =
            (self.reader.columns().own(Own::Filed, chunk)?, self.reader.columns().own(Own::Sequence, chunk)?);
        let (filed, sequence) = (filed.packed(), sequence.packed());
        for place in ordered(matching, best.order).take(best.limit) {
            best.found.push(((filed.get(place), sequence.get(place) as u64), chunk, place));
        }
        best.cut();
        Ok(())
    }

    /// The documents of a chunk that come after `after`.
    fn window(&self, chunk: usize, order: Order, after: Option<Position>) -> Result<Mask> {
        let all = self.reader.all_of(chunk)?;
        let Some(Position { filed, id }) = after else { return Ok(all) };
        let (times, sequences) =
            (self.reader.columns().own(Own::Filed, chunk)?, self.reader.columns().own(Own::Sequence, chunk)?);
        let (times, sequences) = (times.packed(), sequences.packed());
        let mut window = Mask::NONE;
        for place in 0..times.len() {
            let own = EventId::new(self.reader.partition(), sequences.get(place) as u64);
            let own = Position { filed: Timestamp::from_nanos(times.get(place)), id: own };
            let comes = own.cmp(&Position { filed, id });
            let is_after = match order {
                Order::Ascending => comes == Ordering::Greater,
                Order::Descending => comes == Ordering::Less,
            };
            window.insert_if(place, is_after);
        }
        Ok(window)
    }

    /// Calls `visit` with the filed time of every matching event.
    pub(crate) fn times(&mut self, visit: &mut dyn FnMut(Timestamp)) -> Result<()> {
        for chunk in 0..self.reader.chunks().len() {
            let matching = self.matching(chunk)?;
            if matching.is_empty() {
                continue;
            }
            let page = self.reader.columns().own(Own::Filed, chunk)?;
            let filed = page.packed();
            matching.iter().for_each(|place| visit(Timestamp::from_nanos(filed.get(place))));
        }
        Ok(())
    }

    /// Calls `visit` with every matching event in sequence order, from number `first` on, until it breaks.
    pub(crate) fn each(&mut self, first: u64, visit: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<()> {
        for group in sequence_groups(self.reader, first) {
            let mut places = Vec::new();
            for chunk in group {
                let (all, page) = (self.matching(chunk)?, self.reader.columns().own(Own::Sequence, chunk)?);
                let sequences = page.packed();
                let placed = all.iter().map(|place| (sequences.get(place) as u64, chunk, place));
                places.extend(placed.filter(|(sequence, ..)| *sequence >= first));
            }
            places.sort_unstable();
            for (_, chunk, place) in places {
                if visit(self.event(chunk, place)?).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Calls `visit` with combinations of values of `keys`, and how many matching events have each.
    pub(crate) fn tally(
        &mut self,
        keys: &[GroupKey],
        visit: &mut dyn FnMut(&[Value], u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut tally = Tally::new(self.reader, keys)?;
        if matches!(self.node, Node::Const(true)) && self.is_whole() && tally.add_everything()? {
            return tally.hand_out(visit).map(drop);
        }
        for chunk in 0..self.reader.chunks().len() {
            let matching = self.matching(chunk)?;
            tally.add(chunk, &matching, &mut self.events)?;
            if tally.is_full() && !tally.hand_out(visit)? {
                return Ok(());
            }
        }
        tally.hand_out(visit).map(drop)
    }

    /// How many of the matching events have each name, and how many match.
    pub(crate) fn having(&mut self) -> Result<(BTreeMap<Box<str>, Having>, u64)> {
        let mut counter = Counter::new(self.reader);
        let mut matched = 0;
        for chunk in 0..self.reader.chunks().len() {
            let matching = self.matching(chunk)?;
            if !matching.is_empty() {
                matched += matching.count() as u64;
                counter.add(chunk, &matching)?;
            }
        }
        Ok((counter.finish(), matched))
    }

    fn event(&mut self, chunk: usize, place: usize) -> Result<Event> {
        self.look()?;
        self.events.event(chunk, place)
    }
}

/// The event with this sequence number.
pub(crate) fn get(reader: &Reader, sequence: u64) -> Result<Option<Event>> {
    let control = Control::default();
    for chunk in 0..reader.chunks().len() {
        if let Some(place) = reader.place_of(chunk, sequence)? {
            return Rebuilder::new(reader, &control).event(chunk, place).map(Some);
        }
    }
    Ok(None)
}

/// Calls `visit` with every event, in document order, until it breaks.
pub(crate) fn everything(
    reader: &Reader,
    control: &Control,
    visit: &mut dyn FnMut(Event) -> ControlFlow<()>,
) -> Result<()> {
    let mut events = Rebuilder::new(reader, control);
    for chunk in 0..reader.chunks().len() {
        for place in 0..reader.chunks().get(chunk)?.documents {
            if place.is_multiple_of(CHECK_EVERY) {
                control.check()?;
            }
            if visit(events.event(chunk, place)?).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Chunks that reach beyond number `first`, in groups that follow one another in sequence: within a group, sequence numbers mix.
fn sequence_groups(reader: &Reader, first: u64) -> Vec<Vec<usize>> {
    let all = reader.chunks().iter().map(|chunk| &chunk.sequences).enumerate();
    let mut chunks: Vec<(usize, &Range<u64>)> = all.filter(|(_, sequences)| sequences.end > first).collect();
    chunks.sort_by_key(|(_, sequences)| sequences.start);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut end = 0;
    for (chunk, sequences) in chunks {
        match groups.last_mut() {
            Some(group) if sequences.start < end => group.push(chunk),
            _ => groups.push(vec![chunk]),
        }
        end = end.max(sequences.end);
    }
    groups
}

/// Whether everything in a span of filed times comes before `after`, or at its instant at the latest.
fn is_behind(order: Order, after: Option<Position>, (first, last): (i64, i64)) -> bool {
    match (after, order) {
        (None, _) => false,
        (Some(after), Order::Descending) => first > after.filed.nanos(),
        (Some(after), Order::Ascending) => last < after.filed.nanos(),
    }
}

/// (filed, sequence), chunk, place.
type Ranked = ((i64, u64), usize, usize);

/// The first places of an order found so far.
struct Best {
    order: Order,
    limit: usize,
    /// In order.
    found: Vec<Ranked>,
}

impl Best {
    /// Whether something in a span of filed times may be among the first.
    fn wants(&self, (first, last): (i64, i64)) -> bool {
        let worst = self.limit.checked_sub(1).and_then(|at| self.found.get(at));
        match (worst, self.order) {
            (None, _) => true,
            (Some(((filed, _), ..)), Order::Descending) => last >= *filed,
            (Some(((filed, _), ..)), Order::Ascending) => first <= *filed,
        }
    }

    /// Whether a chunk has enough matching documents that come before `place`.
    fn is_full_with(&self, matching: &Mask, window: &Mask, place: usize) -> bool {
        let mut before = *matching;
        before.and(window);
        let rank = before.rank(place);
        let ahead = match self.order {
            Order::Ascending => rank,
            Order::Descending => before.count() - rank,
        };
        ahead >= self.limit
    }

    fn cut(&mut self) {
        match self.order {
            Order::Ascending => self.found.sort_unstable(),
            Order::Descending => self.found.sort_unstable_by_key(|found| Reverse(*found)),
        }
        self.found.truncate(self.limit);
    }
}

/// The members of a set in the order asked for.
fn ordered(mask: &Mask, order: Order) -> Box<dyn Iterator<Item = usize> + '_> {
    match order {
        Order::Ascending => Box::new(mask.iter()),
        Order::Descending => Box::new(mask.iter().rev()),
    }
}
