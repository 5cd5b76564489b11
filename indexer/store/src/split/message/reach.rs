//! [`Reach`]: which states of a Thompson automaton are reached from which, by no byte, by a byte, or by any of a mask. Knows no text.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;

use super::ByteMask;

/// A set of states of the automaton under construction.
#[derive(Debug, Default)]
pub(super) struct Reach {
    members: Vec<StateID>,
    stack: Vec<StateID>,
    /// Whether a state has been met.
    marks: Vec<bool>,
    marked: Vec<StateID>,
}

/// Where `byte` leads from a state of the automaton.
pub(super) fn after(nfa: &NFA, state: StateID, byte: u8) -> Option<StateID> {
    match nfa.state(state) {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(sparse) => sparse.matches_byte(byte),
        State::Dense(dense) => dense.matches_byte(byte),
        _ => None,
    }
}

impl Reach {
    pub(super) fn new(nfa: &NFA) -> Self {
        Self { marks: vec![false; nfa.states().len()], ..Self::default() }
    }

    /// The states of the set, in the order in which they were added.
    pub(super) fn member(&self, index: usize) -> Option<StateID> {
        self.members.get(index).copied()
    }

    /// The set, sorted; the next one is empty.
    pub(super) fn take(&mut self) -> Vec<StateID> {
        for state in self.marked.drain(..) {
            if let Some(mark) = self.marks.get_mut(state.as_usize()) {
                *mark = false;
            }
        }
        self.members.sort_unstable();
        std::mem::take(&mut self.members)
    }

    /// Adds what is reached from `state` without a byte.
    pub(super) fn from(&mut self, nfa: &NFA, state: StateID, at_start: bool) {
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
    pub(super) fn through(&mut self, nfa: &NFA, state: StateID, mask: &ByteMask) {
        match nfa.state(state) {
            State::ByteRange { trans } if mask.meets(trans.start, trans.end) => {
                self.from(nfa, trans.next, false)
            }
            State::Sparse(sparse) => {
                for trans in sparse.transitions.iter().filter(|trans| mask.meets(trans.start, trans.end)) {
                    self.from(nfa, trans.next, false);
                }
            }
            State::Dense(dense) => {
                let bytes = (0..=u8::MAX).filter(|byte| mask.has(*byte));
                for next in bytes.filter_map(|byte| dense.matches_byte(byte)) {
                    self.from(nfa, next, false);
                }
            }
            _ => {}
        }
    }

    /// Whether the end of the text leads from one of the states to a match.
    pub(super) fn ends(&mut self, nfa: &NFA, members: &[StateID]) -> bool {
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
