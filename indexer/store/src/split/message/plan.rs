//! [`TextPlan`]: a test compiled for templates and needle keys. Knows no filter of keys and no events.

use locard_event::Value;
use locard_filter::Test;
use locard_filter::glob::{self, Piece};
use locard_filter::word;
use regex_syntax::hir::{Dot, Hir, Look, Repetition};

use super::folded::{Folded, Members, View};
use super::machine::Machine;
use super::need::{Ask, Needs};
use super::sure::Sure;
use super::{ByteMask, required};

/// A text test compiled for templates and needle keys.
#[derive(Debug)]
pub(crate) struct TextPlan {
    sure: Sure,
    needs: Needs,
    /// What the text around the slots must be like; nothing if that is not known, or follows from the rest.
    machine: Option<Machine>,
    /// A slot of these bytes can hold a match by itself: the machine need not be asked.
    literal: Option<ByteMask>,
    /// Whether the machine reads templates whose case is folded.
    folds: bool,
    /// Whether a template without slots that is not sure to match never does.
    is_exact: bool,
}

/// What a template says about its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// None matches.
    Never,
    /// Those may match of which all these are true: bit i stands for question i of the plan.
    Perhaps { missing: u64 },
    /// All match.
    Always,
}

/// Which templates hold the texts of a plan: found for all of them at once.
#[derive(Debug)]
pub(crate) struct Held {
    /// Those that may be sure to match.
    sure: Option<Members>,
    /// One for each word of the needs.
    words: Vec<Members>,
}

impl TextPlan {
    /// For a test on a text; nothing if it is about presence, order, numbers, addresses or times.
    pub(crate) fn of(test: &Test) -> Option<Self> {
        match test {
            Test::Contains(literal) => Some(Self::of_literal(literal)),
            Test::Wildcard(pattern) => Some(Self::of_pieces(&glob::pieces(pattern))),
            Test::Regex { pattern, ignore_case } => Some(Self::of_regex(pattern, *ignore_case)),
            Test::Equals(text) => Self::of_whole(text),
            Test::Compare(..) | Test::Range(..) | Test::Cidr(_) | Test::Exists | Test::Time(_) => None,
        }
    }

    fn of_literal(literal: &str) -> Self {
        let mut needs = Needs::default();
        needs.add(literal, (true, true));
        let folded = word::fold_str(literal);
        let held = Some(ByteMask::of(folded.as_bytes()));
        // A single word is in one slot or in none: the needs say it all.
        let is_word = folded.chars().all(word::is_word_char);
        let machine = (!is_word).then(|| Machine::new(&Hir::literal(folded.into_bytes()))).flatten();
        let sure = Sure::of_literal(literal);
        let is_exact = matches!(sure, Sure::Texts { .. });
        Self { sure, needs, machine, literal: held, folds: true, is_exact }
    }

    fn of_pieces(pieces: &[Piece]) -> Self {
        let mut needs = Needs::default();
        let mut parts = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            parts.push(match piece {
                Piece::Any => Hir::repetition(any_bytes(0, None)),
                // A character, or a byte that is part of none.
                Piece::One => Hir::repetition(any_bytes(1, Some(4))),
                Piece::Literal(text) => {
                    needs.add(text, (index == 0, index + 1 == pieces.len()));
                    Hir::literal(word::fold_str(text).into_bytes())
                }
            });
        }
        let sure = Sure::of_pieces(pieces);
        let is_exact = matches!(sure, Sure::Texts { .. });
        let is_part_of_word = match pieces {
            [Piece::Literal(text), Piece::Any]
            | [Piece::Any, Piece::Literal(text)]
            | [Piece::Any, Piece::Literal(text), Piece::Any] => text.chars().all(word::is_word_char),
            _ => false,
        };
        let machine = (!is_part_of_word).then(|| Machine::new(&Hir::concat(parts))).flatten();
        Self { sure, needs, machine, literal: None, folds: true, is_exact }
    }

    fn of_regex(pattern: &str, ignore_case: bool) -> Self {
        let mut needs = Needs::default();
        let mut parser = regex_syntax::ParserBuilder::new();
        let hir = parser.utf8(false).case_insensitive(ignore_case).build().parse(pattern).ok();
        if let Some(hir) = &hir {
            required::each_text(hir, &mut |text, bounded| needs.add(text, bounded));
        }
        let machine = hir.as_ref().and_then(Machine::new);
        Self { sure: Sure::Machine, needs, machine, literal: None, folds: false, is_exact: false }
    }

    /// The whole text is this one. Numbers, addresses and times are equal in other spellings too, of which nothing is known here.
    fn of_whole(text: &str) -> Option<Self> {
        let value = Value::str(text);
        if value.as_f64().is_some() || value.as_ip().is_some() || value.as_time().is_some() {
            return None;
        }
        let mut needs = Needs::default();
        needs.add(text, (true, true));
        let hir =
            Hir::concat(vec![Hir::look(Look::Start), Hir::literal(text.as_bytes()), Hir::look(Look::End)]);
        let sure = Sure::Whole(text.as_bytes().into());
        Some(Self { sure, needs, machine: Machine::new(&hir), literal: None, folds: false, is_exact: true })
    }

    /// Which of a split's templates hold the texts of this plan.
    pub(crate) fn held(&self, folded: &Folded) -> Held {
        Held { sure: self.sure.held(folded), words: self.needs.held(folded) }
    }

    /// What a template says; `held` if more than a few are asked about.
    pub(crate) fn against(&self, template: &View<'_>, held: Option<&Held>) -> Verdict {
        if !template.bytes.has_all(self.needs.bytes()) {
            return Verdict::Never;
        }
        let may_be_sure =
            held.and_then(|held| held.sure.as_ref()).is_none_or(|sure| sure.contains(template.at));
        if may_be_sure && self.sure.holds(template.text, template.folded) {
            return Verdict::Always;
        }
        if self.is_exact && template.slots.places().is_empty() {
            return Verdict::Never;
        }
        let words = held.map(|held| held.words.as_slice());
        let Some(missing) = self.needs.missing(template, words) else { return Verdict::Never };
        self.judge(template, missing)
    }

    /// What a template says as far as the needs leave it open.
    fn judge(&self, template: &View<'_>, missing: u64) -> Verdict {
        let is_held = self.literal.as_ref().is_some_and(|literal| template.can_hold(literal));
        let Some(machine) = self.machine.as_ref().filter(|_| !is_held) else {
            return Verdict::Perhaps { missing };
        };
        let may_match = match self.folds {
            true => machine.may_match(template.folded, template.slots.folded()),
            false => machine.may_match(template.text, template.slots.plain()),
        };
        match may_match {
            false => Verdict::Never,
            true if matches!(self.sure, Sure::Machine) && machine.surely_matches(template.text) => {
                Verdict::Always
            }
            true => Verdict::Perhaps { missing },
        }
    }

    /// What must be true of every message that matches, whatever its template says.
    pub(crate) fn always(&self) -> u64 {
        self.needs.always()
    }

    /// What must be true of messages without a template to match.
    pub(crate) fn untemplated(&self) -> u64 {
        self.needs.all()
    }

    /// What this plan may ask about a message beside its template, at most 64 questions.
    pub(crate) fn asks(&self) -> &[Ask] {
        self.needs.asks()
    }
}

fn any_bytes(min: u32, max: Option<u32>) -> Repetition {
    Repetition { min, max, greedy: true, sub: Box::new(Hir::dot(Dot::AnyByte)) }
}
