//! [`Machine`]: whether a text with unknown parts may match an expression.
//!
//! A Thompson automaton made deterministic as it is walked. A slot is a symbol like a byte: behind it the automaton is in every
//! state that one or more bytes of the slot's mask can lead to. Assertions other than the start and the end of the text are
//! taken to hold, and work beyond a budget is not done: both only ever make the answer too generous.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use regex_automata::nfa::thompson::{Compiler, Config, NFA, State, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::Hir;

use super::reach::{Reach, after};
use super::{ByteMask, SLOT};
use locard_filter::template::TableHasher;

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
    slots: HashMap<SlotKey, u32, BuildHasherDefault<TableHasher>>,
    /// Visits spent, forgotten states included.
    visits: usize,
    reach: Reach,
}

/// A state before a slot, and the slot.
#[derive(Debug, PartialEq, Eq)]
struct SlotKey {
    state: u32,
    mask: ByteMask,
}

impl Hash for SlotKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // One product a word, none waiting for another: this is done for every slot of every template.
        let words = self.mask.0.iter().zip(ODD).map(|(word, odd)| word.wrapping_mul(odd).rotate_right(32));
        hasher.write_u64(words.fold(u64::from(self.state), |all, word| all ^ word));
    }
}

/// Odd numbers with no pattern.
const ODD: [u64; 4] =
    [0x9e37_79b9_7f4a_7c15, 0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb, 0xd6e8_feb8_6659_fd93];

/// A state: the states of the automaton it may be in, those that consume bytes, wait for the end or match.
#[derive(Debug)]
struct Known {
    members: Arc<[StateID]>,
    accepts: bool,
    accepts_at_end: bool,
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
    pub(super) fn may_match<'m>(&self, template: &[u8], masks: impl Iterator<Item = &'m ByteMask>) -> bool {
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
        runs.any(|run| matches!(walk.run(self, run, std::iter::empty()), Err(Stop::Accepted) | Ok(true)))
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
    fn run<'m>(
        &mut self,
        machine: &Machine,
        template: &[u8],
        mut masks: impl Iterator<Item = &'m ByteMask>,
    ) -> Result<bool, Stop> {
        let Machine { nfa, classes, .. } = machine;
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
            self.reach = Reach::new(nfa);
            self.push(nfa, Vec::new(), true);
            self.reach.from(nfa, nfa.start_anchored(), true);
            let members = self.reach.take();
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
                self.reach.from(nfa, next, false);
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
        let key = SlotKey { state, mask: *mask };
        if let Some(next) = self.slots.get(&key) {
            return Ok(*next);
        }
        let next = self.close(nfa, state, mask)?;
        self.slots.insert(key, next);
        Ok(next)
    }

    /// Where one or more bytes of the mask lead. A match may begin at any of them: every state is one where a match may begin.
    fn close(&mut self, nfa: &NFA, state: u32, mask: &ByteMask) -> Result<u32, Stop> {
        let members = self.members(state)?;
        for member in members.iter() {
            self.reach.through(nfa, *member, mask);
        }
        let mut done = 0;
        while let Some(member) = self.reach.member(done) {
            self.reach.through(nfa, member, mask);
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
        self.reach.from(nfa, nfa.start_anchored(), false);
        let members = self.reach.take();
        self.visits += members.len();
        if let Some(id) = self.ids.get(members.as_slice()) {
            return *id;
        }
        let accepts = members.iter().any(|member| matches!(nfa.state(*member), State::Match { .. }));
        if accepts { ACCEPTED } else { self.push(nfa, members, false) }
    }

    fn push(&mut self, nfa: &NFA, members: Vec<StateID>, is_accepted: bool) -> u32 {
        let id = u32::try_from(self.states.len()).unwrap_or(UNKNOWN);
        let is_match = |member: &StateID| matches!(nfa.state(*member), State::Match { .. });
        let accepts = is_accepted || members.iter().any(is_match);
        let accepts_at_end = accepts || self.reach.ends(nfa, &members);
        let members: Arc<[StateID]> = members.into();
        if !accepts {
            self.ids.insert(Arc::clone(&members), id);
        }
        self.states.push(Known { members, accepts, accepts_at_end });
        self.bytes.resize(self.states.len() * nfa.byte_classes().alphabet_len(), UNKNOWN);
        id
    }
}
