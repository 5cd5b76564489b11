//! [`Machine`]: whether a text with unknown parts may match an expression.
//!
//! A Thompson automaton made deterministic as it is walked. A slot is a symbol like a byte: behind it the automaton is in every
//! state that one or more bytes of the slot's mask can lead to. Assertions other than the start and the end of the text are
//! taken to hold, and work beyond a budget is not done: both only ever make the answer too generous.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::{Arc, Mutex, PoisonError};

use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Hir;

use super::hash::TableHasher;
use super::{ByteMask, SLOT};

/// Largest automaton, in bytes.
const MAX_NFA_BYTES: usize = 4 << 20;
/// How many visits of states of the automaton one plan may spend; some 50 ms.
const MAX_VISITS: usize = 4_000_000;
/// How many states are kept before all are forgotten.
const MAX_STATES: usize = 4096;
/// A transition that nobody has taken yet.
const UNKNOWN: u32 = u32::MAX;

/// An expression to be walked over texts with slots.
#[derive(Debug)]
pub(super) struct Machine {
    nfa: NFA,
    classes: Classes,
    walk: Mutex<Walk>,
}

/// Bytes that the automaton never tells apart; the marker of a slot is a class of its own.
#[derive(Debug)]
struct Classes {
    of_byte: [u8; 256],
    /// How many there are; a row of the table of transitions is as long.
    count: usize,
}

/// The deterministic part that is known so far.
#[derive(Debug, Default)]
struct Walk {
    states: Vec<Known>,
    ids: HashMap<Arc<[StateID]>, u32, BuildHasherDefault<TableHasher>>,
    /// By state and class of byte.
    bytes: Vec<u32>,
    slots: HashMap<(u32, ByteMask), u32, BuildHasherDefault<TableHasher>>,
    /// Visits spent, forgotten states included.
    visits: usize,
    scratch: Scratch,
}

/// A state: the states of the automaton it may be in, those that consume bytes, wait for the end or match.
#[derive(Debug)]
struct Known {
    members: Arc<[StateID]>,
    accepts: bool,
    accepts_at_end: bool,
}

/// A set of states of the automaton under construction.
#[derive(Debug, Default)]
struct Scratch {
    members: Vec<StateID>,
    stack: Vec<StateID>,
    /// Whether a state has been met.
    marks: Vec<bool>,
    marked: Vec<StateID>,
}

/// Why a walk ended early.
enum Stop {
    Accepted,
    Exhausted,
}

impl Machine {
    /// Nothing if the automaton is too large.
    pub(super) fn new(hir: &Hir) -> Option<Self> {
        let config =
            Config::new().utf8(false).nfa_size_limit(Some(MAX_NFA_BYTES)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(config).build_from_hir(hir).ok()?;
        Some(Self { classes: Classes::of(&nfa), nfa, walk: Mutex::default() })
    }

    /// Whether a text of this template may match, its slots being of these masks.
    pub(super) fn may_match(&self, template: &[u8], masks: &[ByteMask]) -> bool {
        let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        !matches!(walk.run(self, template, masks), Ok(false))
    }

    /// Whether constant text alone matches, whatever is in the slots.
    pub(super) fn surely_matches(&self, template: &[u8]) -> bool {
        if !self.nfa.look_set_any().is_empty() {
            return false;
        }
        let mut walk = self.walk.lock().unwrap_or_else(PoisonError::into_inner);
        let mut runs = template.split(|byte| *byte == SLOT);
        runs.any(|run| matches!(walk.run(self, run, &[]), Err(Stop::Accepted) | Ok(true)))
    }
}

impl Classes {
    fn of(nfa: &NFA) -> Self {
        let classes = nfa.byte_classes();
        let mut of_byte = [0; 256];
        for (byte, class) in (0..=u8::MAX).zip(&mut of_byte) {
            *class = classes.get(byte);
        }
        // The class of the end of the input is not used otherwise. If it is no byte, the marker has no class to itself: where
        // all bytes are told apart, its own will do, for constant text never holds it.
        let count = classes.alphabet_len();
        if let (Some(class), Ok(end)) = (of_byte.get_mut(usize::from(SLOT)), u8::try_from(count - 1)) {
            *class = end;
        }
        Self { of_byte, count }
    }

    #[inline]
    fn get(&self, byte: u8) -> usize {
        self.of_byte.get(usize::from(byte)).map_or(0, |class| usize::from(*class))
    }
}

impl Walk {
    fn run(&mut self, machine: &Machine, template: &[u8], masks: &[ByteMask]) -> Result<bool, Stop> {
        let Machine { nfa, classes, .. } = machine;
        let mut masks = masks.iter();
        let mut state = self.start(nfa)?;
        for byte in template {
            state = match self.bytes.get(state as usize * classes.count + classes.get(*byte)) {
                Some(&next) if next != UNKNOWN => next,
                _ if *byte == SLOT => self.after_slot(nfa, state, masks.next().unwrap_or(&ByteMask::ALL))?,
                _ => self.after_byte(nfa, state, *byte)?,
            };
            if state == ACCEPTED {
                return Err(Stop::Accepted);
            }
        }
        Ok(self.states.get(state as usize).is_none_or(|known| known.accepts_at_end))
    }
}

/// The state of a text that matches whatever follows.
const ACCEPTED: u32 = 0;
/// The state before a text.
const START: u32 = 1;

impl Walk {
    fn start(&mut self, nfa: &NFA) -> Result<u32, Stop> {
        if self.states.len() >= MAX_STATES {
            let visits = self.visits;
            *self = Self { visits, ..Self::default() };
        }
        if self.states.is_empty() {
            self.scratch.marks.resize(nfa.states().len(), false);
            self.push(nfa, Vec::new(), true);
            self.scratch.reach(nfa, nfa.start_anchored(), true);
            let members = self.take();
            self.push(nfa, members, false);
        }
        match self.states.get(START as usize) {
            Some(known) if !known.accepts => Ok(START),
            _ => Err(Stop::Accepted),
        }
    }

    fn after_byte(&mut self, nfa: &NFA, state: u32, byte: u8) -> Result<u32, Stop> {
        let members = self.members(state)?;
        for member in members.iter() {
            if let Some(next) = after(nfa, *member, byte) {
                self.scratch.reach(nfa, next, false);
            }
        }
        let next = self.intern(nfa);
        let class = usize::from(nfa.byte_classes().get(byte));
        if let Some(entry) = self.bytes.get_mut(state as usize * nfa.byte_classes().alphabet_len() + class) {
            *entry = next;
        }
        Ok(next)
    }

    fn after_slot(&mut self, nfa: &NFA, state: u32, mask: &ByteMask) -> Result<u32, Stop> {
        if let Some(next) = self.slots.get(&(state, *mask)) {
            return Ok(*next);
        }
        let next = self.close(nfa, state, mask)?;
        self.slots.insert((state, *mask), next);
        Ok(next)
    }

    /// Where one or more bytes of the mask lead.
    fn close(&mut self, nfa: &NFA, state: u32, mask: &ByteMask) -> Result<u32, Stop> {
        let members = self.members(state)?;
        for member in members.iter() {
            self.scratch.reach_through(nfa, *member, mask);
        }
        // A match may begin at any byte of the slot.
        self.scratch.reach(nfa, nfa.start_anchored(), false);
        let mut done = 0;
        while let Some(member) = self.scratch.members.get(done).copied() {
            self.scratch.reach_through(nfa, member, mask);
            done += 1;
        }
        self.visits += done;
        Ok(self.intern(nfa))
    }

    fn members(&mut self, state: u32) -> Result<Arc<[StateID]>, Stop> {
        let known = self.states.get(state as usize).ok_or(Stop::Exhausted)?;
        self.visits += known.members.len() + 1;
        if self.visits > MAX_VISITS { Err(Stop::Exhausted) } else { Ok(Arc::clone(&known.members)) }
    }

    /// The state of the set under construction, from which a match may also begin.
    fn intern(&mut self, nfa: &NFA) -> u32 {
        self.scratch.reach(nfa, nfa.start_anchored(), false);
        let members = self.take();
        self.visits += members.len();
        if let Some(id) = self.ids.get(members.as_slice()) {
            return *id;
        }
        let accepts = members.iter().any(|member| matches!(nfa.state(*member), State::Match { .. }));
        if accepts { ACCEPTED } else { self.push(nfa, members, false) }
    }

    fn take(&mut self) -> Vec<StateID> {
        let mut members = self.scratch.take();
        members.sort_unstable();
        members
    }

    fn push(&mut self, nfa: &NFA, members: Vec<StateID>, is_accepted: bool) -> u32 {
        let id = u32::try_from(self.states.len()).unwrap_or(UNKNOWN);
        let is_match = |member: &StateID| matches!(nfa.state(*member), State::Match { .. });
        let accepts = is_accepted || members.iter().any(is_match);
        let accepts_at_end = accepts || self.scratch.ends(nfa, &members);
        let members: Arc<[StateID]> = members.into();
        if !accepts {
            self.ids.insert(Arc::clone(&members), id);
        }
        self.states.push(Known { members, accepts, accepts_at_end });
        self.bytes.resize(self.states.len() * nfa.byte_classes().alphabet_len(), UNKNOWN);
        id
    }
}

/// Where `byte` leads from a state of the automaton.
fn after(nfa: &NFA, state: StateID, byte: u8) -> Option<StateID> {
    match nfa.state(state) {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(sparse) => sparse.matches_byte(byte),
        State::Dense(dense) => dense.matches_byte(byte),
        _ => None,
    }
}

impl Scratch {
    fn take(&mut self) -> Vec<StateID> {
        for state in self.marked.drain(..) {
            if let Some(mark) = self.marks.get_mut(state.as_usize()) {
                *mark = false;
            }
        }
        std::mem::take(&mut self.members)
    }

    /// Adds what is reached from `state` without a byte.
    fn reach(&mut self, nfa: &NFA, state: StateID, at_start: bool) {
        self.stack.push(state);
        while let Some(state) = self.stack.pop() {
            match self.marks.get_mut(state.as_usize()) {
                Some(mark) if !*mark => *mark = true,
                _ => continue,
            }
            self.marked.push(state);
            match nfa.state(state) {
                State::Look { look: Look::Start, .. } if !at_start => {}
                State::Look { look: Look::End, .. }
                | State::ByteRange { .. }
                | State::Sparse(_)
                | State::Dense(_)
                | State::Match { .. } => self.members.push(state),
                other => self.stack.extend(next_without_byte(other)),
            }
        }
    }

    /// Adds what is reached from `state` by one byte of the mask.
    fn reach_through(&mut self, nfa: &NFA, state: StateID, mask: &ByteMask) {
        match nfa.state(state) {
            State::ByteRange { trans } if mask.meets(trans.start, trans.end) => {
                self.reach(nfa, trans.next, false)
            }
            State::Sparse(sparse) => {
                for trans in sparse.transitions.iter().filter(|trans| mask.meets(trans.start, trans.end)) {
                    self.reach(nfa, trans.next, false);
                }
            }
            State::Dense(dense) => {
                let bytes = (0..=u8::MAX).filter(|byte| mask.has(*byte));
                for next in bytes.filter_map(|byte| dense.matches_byte(byte)) {
                    self.reach(nfa, next, false);
                }
            }
            _ => {}
        }
    }

    /// Whether the end of the text leads from one of the states to a match.
    fn ends(&mut self, nfa: &NFA, members: &[StateID]) -> bool {
        self.stack.extend(members.iter().filter(|member| matches!(nfa.state(**member), State::Look { .. })));
        let mut is_match = false;
        while let Some(state) = self.stack.pop() {
            match self.marks.get_mut(state.as_usize()) {
                Some(mark) if !*mark => *mark = true,
                _ => continue,
            }
            self.marked.push(state);
            is_match |= matches!(nfa.state(state), State::Match { .. });
            self.stack.extend(next_without_byte(nfa.state(state)));
        }
        self.take();
        is_match
    }
}

/// The states that one leads to without a byte.
fn next_without_byte(state: &State) -> impl Iterator<Item = StateID> {
    let (alternates, pair): (&[StateID], [Option<StateID>; 2]) = match state {
        State::Union { alternates } => (alternates, [None, None]),
        State::BinaryUnion { alt1, alt2 } => (&[], [Some(*alt1), Some(*alt2)]),
        State::Look { next, .. } | State::Capture { next, .. } => (&[], [Some(*next), None]),
        _ => (&[], [None, None]),
    };
    alternates.iter().copied().chain(pair.into_iter().flatten())
}
