//! [`Fuzzer`]: makes inputs, tries them, keeps those that are of a new kind, and makes the bad ones small.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::Stock;
use crate::random::Random;
use crate::{Ground, Target, seeds};

/// Most inputs that are kept to make others from.
const MAX_STOCK: usize = 20_000;
/// Most tries to make a bad input smaller.
const MAX_TRIES: usize = 3_000;
const MAX_SHRINKING: Duration = Duration::from_secs(20);

/// The last panic, for who has only a failed answer.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// An input that something is wrong with.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// The input.
    pub input: Vec<u8>,
}

/// One search for bad inputs of a target.
#[derive(Debug)]
pub struct Fuzzer {
    target: Target,
    stock: Stock,
    random: Random,
    kinds: HashSet<String>,
    seeds: usize,
    /// How many inputs were tried.
    pub inputs: u64,
    /// The longest that an input took, and how many bytes it has.
    pub slowest: (Duration, usize),
}

/// Panics are told by the checks, not by the hook.
pub fn hush() {
    std::panic::set_hook(Box::new(|panic| {
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
    }));
}

/// Tries an input; a panic is something wrong with it.
///
/// # Errors
/// What is wrong.
pub fn attempt(target: Target, ground: &Ground, input: &[u8]) -> Result<String, String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let outcome = catch_unwind(AssertUnwindSafe(|| target.check(ground, input)));
    let panic = std::mem::take(&mut *PANIC.lock().unwrap_or_else(PoisonError::into_inner));
    match outcome {
        Ok(Ok(kind)) if panic.is_empty() => Ok(kind),
        // It broke on another thread, and was answered somehow.
        Ok(Ok(_)) => Err(panic),
        Ok(Err(wrong)) if panic.is_empty() => Err(wrong),
        Ok(Err(wrong)) => Err(format!("{wrong}: {panic}")),
        Err(_) => Err(if panic.is_empty() { "it panics".to_owned() } else { panic }),
    }
}

/// The inputs that are kept for a target, and their names.
///
/// # Errors
/// They cannot be read.
pub fn kept(target: Target) -> io::Result<Vec<(String, Vec<u8>)>> {
    seeds::kept(target)
}

impl Fuzzer {
    /// A search that begins with the kept inputs, which are tried first.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn new(target: Target, seed: u64) -> io::Result<Self> {
        let mut stock = Stock::default();
        kept(target)?.into_iter().for_each(|(_, input)| stock.add(input));
        let seeds = stock.inputs.len();
        Ok(Self {
            target,
            stock,
            random: Random::new(seed),
            kinds: HashSet::new(),
            seeds,
            inputs: 0,
            slowest: (Duration::ZERO, 0),
        })
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        match usize::try_from(self.inputs).ok().filter(|at| *at < self.seeds) {
            Some(at) => self.stock.inputs.get(at).cloned().unwrap_or_default(),
            None => self.stock.make(&mut self.random),
        }
    }

    /// Tries an input, how long it took beside what is wrong with it.
    pub fn attempt(&mut self, ground: &Ground, input: &[u8]) -> (Duration, Option<Finding>) {
        let began = Instant::now();
        let outcome = attempt(self.target, ground, input);
        let took = began.elapsed();
        self.inputs += 1;
        self.slowest = self.slowest.max((took, input.len()));
        match outcome {
            Ok(kind) => {
                let is_new = self.kinds.insert(kind) && self.stock.inputs.len() < MAX_STOCK;
                if is_new && self.inputs > self.seeds as u64 {
                    self.stock.add(input.to_vec());
                }
                (took, None)
            }
            Err(what) => (took, Some(Finding { what, input: input.to_vec() })),
        }
    }

    /// How many kinds of inputs there were.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// The finding with as little input as shows it.
    #[must_use]
    pub fn shrunk(&self, ground: &Ground, finding: Finding) -> Finding {
        let until = Instant::now() + MAX_SHRINKING;
        let kind = kind(&finding.what);
        let mut smallest = finding;
        let (mut size, mut tries) = (smallest.input.len() / 2, 0);
        while size > 0 && tries < MAX_TRIES && Instant::now() < until {
            let mut at = 0;
            let before = smallest.input.len();
            while at < smallest.input.len() && tries < MAX_TRIES && Instant::now() < until {
                tries += 1;
                let mut input = smallest.input.clone();
                drop(input.drain(at..(at + size).min(input.len())));
                match attempt(self.target, ground, &input) {
                    Err(what) if self::kind(&what) == kind => smallest = Finding { what, input },
                    _ => at += size,
                }
            }
            if smallest.input.len() == before {
                size /= 2;
            }
        }
        smallest
    }
}

/// What tells one defect from another.
#[must_use]
pub fn kind(what: &str) -> String {
    what.chars().filter(|char| !char.is_ascii_digit()).take(48).collect()
}
