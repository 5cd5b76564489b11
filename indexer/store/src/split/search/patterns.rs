//! The patterns of what matches: how often each occurs, since when and until when, and an example.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use locard_event::{EventId, Timestamp};
use locard_filter::template::{pattern_id, show};

use super::super::columns::{Own, Page};
use super::super::fault::Result;
use super::super::templates::Templates;
use super::super::{PatternRow, Position, pattern_id_of, pattern_of};
use super::Search;

/// Patterns held that a split has no room for; then they are handed out, and may come again.
const MAX_OTHER_PATTERNS: usize = if cfg!(test) { 3 } else { 1 << 16 };

impl Search<'_> {
    /// Calls `visit` with every pattern of the matching events: how many, the first and the last, an example. Answers how many match.
    pub(crate) fn patterns(&mut self, visit: &mut dyn FnMut(PatternRow)) -> Result<u64> {
        let templates = self.reader.templates()?;
        let mut seen: Vec<Option<Seen>> = vec![None; templates.len()];
        let mut others: HashMap<u64, Seen, RandomState> = HashMap::default();
        let mut matched = 0;
        for chunk in 0..self.reader.chunks().len() {
            if others.len() > MAX_OTHER_PATTERNS {
                self.other_rows(std::mem::take(&mut others), visit)?;
            }
            let matching = self.matching(chunk)?;
            if matching.is_empty() {
                continue;
            }
            matched += matching.count() as u64;
            let columns = self.reader.columns();
            let (ordinals, filed) = (columns.own(Own::Template, chunk)?, columns.own(Own::Filed, chunk)?);
            let (ordinals, filed) = (ordinals.packed(), filed.packed());
            for place in matching.iter() {
                let now = Seen::once(filed.get(place), (chunk, place));
                match ordinals.get(place) as usize {
                    0 => {
                        let other = pattern_id_of(self.events.record(chunk, place)?.message);
                        if let Some(other) = other {
                            others.entry(other).and_modify(|seen| seen.add(&now)).or_insert(now);
                        }
                    }
                    ordinal => match seen.get_mut(ordinal) {
                        Some(Some(seen)) => seen.add(&now),
                        Some(slot) => *slot = Some(now),
                        None => {}
                    },
                }
            }
        }
        self.pattern_rows(&templates, seen, visit)?;
        self.other_rows(others, visit)?;
        Ok(matched)
    }

    /// Rows of patterns that the split has no room for, in the order in which their examples are stored: in the order of the documents.
    fn other_rows(
        &mut self,
        others: HashMap<u64, Seen, RandomState>,
        visit: &mut dyn FnMut(PatternRow),
    ) -> Result<()> {
        let mut rows: Vec<_> = others.into_iter().collect();
        rows.sort_unstable_by_key(|(_, seen)| seen.example);
        let mut pages = None;
        for (id, seen) in rows {
            let example = self.example(seen.example, &mut pages)?;
            let template = pattern_of(&example.1).map_or_else(String::new, |(_, text)| text);
            visit(seen.row(id, template, example));
        }
        Ok(())
    }

    /// Rows of templates in the order in which their examples are stored, so that no block is read again and again.
    fn pattern_rows(
        &mut self,
        templates: &Templates,
        seen: Vec<Option<Seen>>,
        visit: &mut dyn FnMut(PatternRow),
    ) -> Result<()> {
        let seen = templates.iter().zip(seen).enumerate();
        let mut rows: Vec<_> =
            seen.filter_map(|(ordinal, (template, seen))| Some((ordinal, template, seen?))).collect();
        rows.sort_unstable_by_key(|(ordinal, _, seen)| (seen.example.0, *ordinal));
        let mut pages = None;
        for (_, template, seen) in rows {
            let example = self.example(seen.example, &mut pages)?;
            visit(seen.row(pattern_id(template.text), show(template.text), example));
        }
        Ok(())
    }

    /// Where an event stands, and its message: there may be a hundred thousand patterns, and the fields of none are asked for. `pages` are
    /// those of the chunk that was asked for last.
    fn example(
        &mut self,
        (chunk, place): (usize, usize),
        pages: &mut Option<(usize, Page, Page)>,
    ) -> Result<(Position, Box<[u8]>)> {
        self.look()?;
        let (filed, sequence) = match pages {
            Some((known, filed, sequence)) if *known == chunk => (filed, sequence),
            slot => {
                let own = |own: Own| self.reader.columns().own(own, chunk);
                let (_, filed, sequence) = slot.insert((chunk, own(Own::Filed)?, own(Own::Sequence)?));
                (filed, sequence)
            }
        };
        let id = EventId::new(self.reader.partition(), sequence.packed().get(place) as u64);
        let filed = Timestamp::from_nanos(filed.packed().get(place));
        Ok((Position { filed, id }, self.events.record(chunk, place)?.message.into()))
    }
}

/// What was seen of a template.
#[derive(Clone)]
struct Seen {
    count: u64,
    filed: (i64, i64),
    example: (usize, usize),
}

impl Seen {
    fn once(filed: i64, example: (usize, usize)) -> Self {
        Self { count: 1, filed: (filed, filed), example }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.filed = (self.filed.0.min(other.filed.0), self.filed.1.max(other.filed.1));
    }

    fn row(&self, id: u64, template: String, example: (Position, Box<[u8]>)) -> PatternRow {
        let (first, last) = (Timestamp::from_nanos(self.filed.0), Timestamp::from_nanos(self.filed.1));
        PatternRow { id, template, count: self.count, first, last, example }
    }
}
