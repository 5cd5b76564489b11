//! Tests on messages by what their templates say, and on the names of templates.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::sync::Arc;

use locard_filter::ValueTest;

use super::super::columns::Own;
use super::super::fault::Result;
use super::super::mask::Mask;
use super::super::message::{Held, TextPlan, Verdict};
use super::super::ordinals::Ordinals;
use super::super::read::Reader;
use super::super::templates::{Template, Templates};
use super::{Bounds, Wanted, marked};
use crate::Control;

/// A test on messages.
///
/// Where something must be true of every match whatever its template says, as of an address, only the documents for which it may be are
/// looked at, and only their templates are judged, when they are met. Else all templates are judged at once.
#[derive(Debug)]
pub(crate) struct TextNode {
    pub(crate) test: ValueTest,
    plan: TextPlan,
    templates: Arc<Templates>,
    verdicts: RefCell<Verdicts>,
    /// The templates that always match, unless they are judged when they are met; and how many events those have.
    sure: Ordinals,
    pub(crate) always: u64,
    wanted: Vec<Wanted>,
    /// In which order to ask.
    order: Vec<usize>,
}

/// What is known of the templates.
#[derive(Debug)]
struct Verdicts {
    /// For each template: [`UNKNOWN`], [`NEVER`], [`ALWAYS`], or from [`PERHAPS`] on what must be in the filter.
    of_template: Vec<u8>,
    /// Sets of what is wanted, as bits, by verdict less [`PERHAPS`].
    missing: Vec<u64>,
}

const UNKNOWN: u8 = 0;
const NEVER: u8 = 1;
const ALWAYS: u8 = 2;
const PERHAPS: u8 = 3;

/// How often a loop over templates asks whether to stop.
const CHECK_EVERY: usize = 512;

impl Verdicts {
    fn note(&mut self, template: usize, verdict: &Verdict) -> u8 {
        let number = self.number(verdict);
        if let Some(slot) = self.of_template.get_mut(template) {
            *slot = number;
        }
        number
    }

    /// A verdict as a number; keys that must be there are left out when there are too many such sets.
    fn number(&mut self, verdict: &Verdict) -> u8 {
        let missing = match verdict {
            Verdict::Never => return NEVER,
            Verdict::Always => return ALWAYS,
            Verdict::Perhaps { missing } => *missing,
        };
        const ROOM: usize = (u8::MAX - PERHAPS) as usize;
        let missing = if self.missing.len() < ROOM { missing } else { 0 };
        let at = self.missing.iter().position(|known| *known == missing).unwrap_or_else(|| {
            self.missing.push(missing);
            self.missing.len() - 1
        });
        PERHAPS + at.min(ROOM) as u8
    }
}

impl TextNode {
    pub(crate) fn new(
        test: ValueTest,
        plan: TextPlan,
        wanted: Vec<Wanted>,
        templates: Arc<Templates>,
        control: &Control,
    ) -> Result<Self> {
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|at| Reverse(wanted.get(*at).map(|wanted| wanted.weight)));
        let verdicts = Verdicts { of_template: vec![UNKNOWN; templates.len()], missing: Vec::new() };
        let sure = Ordinals::none(templates.len() as u32);
        let verdicts = RefCell::new(verdicts);
        let mut node = Self { test, plan, templates, verdicts, sure, always: 0, wanted, order };
        if !node.is_lazy() {
            node.judge_all(control)?;
        }
        Ok(node)
    }

    /// Whether templates are judged when they are met.
    fn is_lazy(&self) -> bool {
        self.plan.always() != 0
    }

    fn judge_all(&mut self, control: &Control) -> Result<()> {
        let held = self.plan.held(self.templates.folded());
        for (ordinal, template) in self.templates.iter().enumerate() {
            if ordinal % CHECK_EVERY == 0 {
                control.check()?;
            }
            let verdict = self.verdict(ordinal, template, Some(&held));
            if verdict == Verdict::Always {
                self.sure.insert(ordinal as u32);
                self.always += template.events;
            }
            self.verdicts.get_mut().note(ordinal, &verdict);
        }
        Ok(())
    }

    fn verdict(&self, ordinal: usize, template: Template<'_>, held: Option<&Held>) -> Verdict {
        match ordinal {
            0 if template.events == 0 => Verdict::Never,
            0 => Verdict::Perhaps { missing: self.plan.untemplated() },
            _ => match self.templates.folded().view(ordinal, template.text, template.slots) {
                Some(view) => self.plan.against(&view, held),
                None => Verdict::Perhaps { missing: 0 },
            },
        }
    }

    /// The verdict on a template, as a number.
    fn known(&self, verdicts: &mut Verdicts, ordinal: u32) -> u8 {
        match verdicts.of_template.get(ordinal as usize) {
            None => NEVER,
            Some(&UNKNOWN) => match self.templates.get(ordinal) {
                None => NEVER,
                Some(template) => {
                    let verdict = self.verdict(ordinal as usize, template, None);
                    verdicts.note(ordinal as usize, &verdict)
                }
            },
            Some(known) => *known,
        }
    }

    /// How many templates were judged.
    #[cfg(test)]
    pub(crate) fn judged(&self) -> usize {
        self.verdicts.borrow().of_template.iter().filter(|verdict| **verdict != UNKNOWN).count()
    }

    /// Whether no template can have a match, as far as that is known.
    pub(crate) fn never_matches(&self) -> bool {
        !self.is_lazy() && self.verdicts.borrow().of_template.iter().all(|verdict| *verdict == NEVER)
    }

    /// Whether a chunk may hold matching messages besides those of the templates that always match.
    pub(crate) fn may_hold_others(&self, reader: &Reader, chunk: usize) -> Result<bool> {
        let all = reader.all_of(chunk)?;
        if self.is_lazy() {
            return Ok(!self.asking(reader, chunk).allowed(self.plan.always(), &all)?.is_empty());
        }
        Ok(!self.allowed(reader, chunk, &all)?.is_empty())
    }

    /// The documents of the templates that are known to match always.
    pub(crate) fn surely(&self, reader: &Reader, chunk: usize) -> Result<Mask> {
        if self.sure.is_empty() {
            return Ok(Mask::NONE);
        }
        marked(&reader.columns().own(Own::Template, chunk)?, &self.sure)
    }

    /// For each set of `missing`, the documents within that may have it; nothing if none has.
    fn allowed(&self, reader: &Reader, chunk: usize, within: &Mask) -> Result<Vec<Mask>> {
        let verdicts = self.verdicts.borrow();
        let mut asking = self.asking(reader, chunk);
        let allowed = verdicts.missing.iter().map(|missing| asking.allowed(*missing, within));
        let allowed = allowed.collect::<Result<Vec<Mask>>>()?;
        Ok(if allowed.iter().all(Mask::is_empty) { Vec::new() } else { allowed })
    }

    pub(super) fn bounds(&self, reader: &Reader, chunk: usize, within: &Mask) -> Result<Bounds> {
        if self.is_lazy() {
            return self.lazy_bounds(reader, chunk, within);
        }
        let allowed = self.allowed(reader, chunk, within)?;
        if self.sure.is_empty() && allowed.is_empty() {
            return Ok(Bounds::NONE);
        }
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::exact(marked(&page, &self.sure)?);
        let mut open = Mask::NONE;
        allowed.iter().for_each(|allowed| open.or(allowed));
        open.and_not(&bounds.sure);
        let (verdicts, packed) = (self.verdicts.borrow(), page.packed());
        open.each(|place| {
            let verdict = verdicts.of_template.get(packed.get(place) as usize).copied().unwrap_or(NEVER);
            let which = verdict.checked_sub(PERHAPS).and_then(|at| allowed.get(usize::from(at)));
            bounds.maybe.insert_if(place, which.is_some_and(|allowed| allowed.contains(place)));
        });
        Ok(bounds)
    }

    fn lazy_bounds(&self, reader: &Reader, chunk: usize, within: &Mask) -> Result<Bounds> {
        let mut asking = self.asking(reader, chunk);
        let met = asking.allowed(self.plan.always(), within)?;
        if met.is_empty() {
            return Ok(Bounds::NONE);
        }
        let page = reader.columns().own(Own::Template, chunk)?;
        let packed = page.packed();
        let mut verdicts = self.verdicts.borrow_mut();
        let (mut bounds, mut perhaps): (Bounds, Vec<(u8, Mask)>) = (Bounds::NONE, Vec::new());
        met.each(|place| match self.known(&mut verdicts, packed.get(place) as u32) {
            UNKNOWN | NEVER => {}
            ALWAYS => bounds.sure.insert(place),
            number => match perhaps.iter_mut().find(|(known, _)| *known == number) {
                Some((_, places)) => places.insert(place),
                None => perhaps.push((number, Mask::range(place..place + 1))),
            },
        });
        bounds.maybe = bounds.sure;
        for (number, places) in perhaps {
            let missing = verdicts.missing.get(usize::from(number - PERHAPS)).copied().unwrap_or(0);
            bounds.maybe.or(&asking.allowed(missing & !self.plan.always(), &places)?);
        }
        Ok(bounds)
    }

    fn asking<'a>(&'a self, reader: &'a Reader, chunk: usize) -> Asking<'a> {
        Asking { node: self, reader, chunk, known: Vec::new() }
    }
}

/// What is asked of a chunk, each question once.
struct Asking<'a> {
    node: &'a TextNode,
    reader: &'a Reader,
    chunk: usize,
    known: Vec<(usize, Mask)>,
}

impl Asking<'_> {
    /// Those of the documents for which all of the questions may be true.
    fn allowed(&mut self, questions: u64, documents: &Mask) -> Result<Mask> {
        let mut allowed = *documents;
        for at in &self.node.order {
            if questions >> at & 1 == 1 && !allowed.is_empty() {
                let answer = self.answer(*at)?;
                allowed.and(&answer);
            }
        }
        Ok(allowed)
    }

    fn answer(&mut self, at: usize) -> Result<Mask> {
        if let Some((_, answer)) = self.known.iter().find(|(known, _)| *known == at) {
            return Ok(*answer);
        }
        let answer = match self.node.wanted.get(at) {
            Some(wanted) => wanted.mask(self.reader, self.chunk)?,
            None => self.reader.all_of(self.chunk)?,
        };
        self.known.push((at, answer));
        Ok(answer)
    }
}

/// A test on the names of patterns.
#[derive(Debug)]
pub(crate) struct PatternNode {
    /// The templates whose names match.
    pub(crate) templates: Ordinals,
    /// Messages without a template here may have one that a split has no room for.
    pub(crate) has_gaps: bool,
    pub(crate) test: ValueTest,
}

impl PatternNode {
    pub(super) fn bounds(&self, reader: &Reader, chunk: usize) -> Result<Bounds> {
        let page = reader.columns().own(Own::Template, chunk)?;
        let mut bounds = Bounds::exact(marked(&page, &self.templates)?);
        if self.has_gaps {
            let mut place = 0;
            page.packed().each(|ordinal| {
                bounds.maybe.insert_if(place, ordinal == 0);
                place += 1;
            });
        }
        Ok(bounds)
    }
}
