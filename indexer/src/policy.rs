//! [`Retention`]: what is configured. [`Policy`]: what that means for one tenant's events and splits. Pure.
//!
//! A tenant's own rules are asked before those of all; the first that matches decides. Without one, the tenant's age holds, else that
//! of all. A split's class names the rule by its filter, so that a change of ages alone moves no event.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use locard_event::Event;
use locard_filter::Filter;
use locard_store::{Class, SplitMeta};
use sha2::{Digest, Sha256};

use crate::lock::lock;
use crate::{Age, Rule, Tenant};

/// How long and how much is kept.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// For all tenants; `bytes` is what all of them may have together.
    pub common: Keep,
    /// What is different for some.
    pub tenants: BTreeMap<Tenant, Keep>,
}

/// How long and how much is kept of something.
#[derive(Clone, Debug, Default)]
pub struct Keep {
    /// How long events are kept that no rule matches; nothing: not said here.
    pub age: Option<Age>,
    /// The oldest splits go when all together are larger; nothing: no limit.
    pub bytes: Option<u64>,
    /// The first that matches an event says how long it is kept.
    pub rules: Vec<Rule>,
}

impl Retention {
    /// Everything is kept until it is so old.
    pub fn aged(age: Duration) -> Self {
        Self { common: Keep { age: Some(Age::For(age)), ..Keep::default() }, ..Self::default() }
    }

    /// As much as this is kept.
    pub fn sized(bytes: u64) -> Self {
        Self { common: Keep { bytes: Some(bytes), ..Keep::default() }, ..Self::default() }
    }
}

/// What is kept of one tenant.
#[derive(Debug)]
pub(crate) struct Policy {
    age: Age,
    /// What the tenant may have.
    pub(crate) bytes: Option<u64>,
    rules: Vec<Rule>,
    /// Stands for the filters of the rules, in order; empty: there are none.
    fingerprint: Arc<str>,
}

impl Policy {
    pub(crate) fn of(retention: &Retention, tenant: &Tenant) -> Self {
        let own = retention.tenants.get(tenant);
        let mut rules: Vec<Rule> = Vec::new();
        for rule in own.into_iter().flat_map(|own| &own.rules).chain(&retention.common.rules) {
            if !rules.iter().any(|earlier| earlier.text() == rule.text()) {
                rules.push(rule.clone());
            }
        }
        let age = own.and_then(|own| own.age).or(retention.common.age).unwrap_or(Age::Forever);
        let fingerprint = fingerprint(&rules);
        Self { age, bytes: own.and_then(|own| own.bytes), rules, fingerprint }
    }

    /// The classes, those of rules in order, that of no rule last.
    pub(crate) fn classes(&self) -> Vec<Class> {
        let rules = self.rules.iter().map(Rule::text);
        let class = |rule: &Arc<str>| Class { rule: Arc::clone(rule), rules: Arc::clone(&self.fingerprint) };
        rules.map(class).chain([class(&Arc::default())]).collect()
    }

    /// Which of the classes an event is of.
    pub(crate) fn class_of(&self, event: &Event) -> usize {
        self.rules.iter().position(|rule| rule.matches(event)).unwrap_or(self.rules.len())
    }

    /// For each rule the filter that finds its events alone: those that no earlier rule matches.
    pub(crate) fn filters(&self) -> impl Iterator<Item = Filter> {
        self.rules.iter().enumerate().map(|(at, rule)| {
            let earlier = self.rules.iter().take(at).map(Rule::filter).cloned();
            let earlier: Vec<Filter> = earlier.map(|filter| Filter::Not(Box::new(filter))).collect();
            Filter::all_of([rule.filter().clone()].into_iter().chain(earlier))
        })
    }

    /// Which events are of which class, as places counted over all batches; no places: all of them.
    pub(crate) fn sort(&self, batches: &[Arc<[Event]>]) -> Vec<(Class, Option<Vec<u32>>)> {
        let mut classes = self.classes();
        if self.rules.is_empty() {
            return classes.into_iter().map(|class| (class, None)).collect();
        }
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); classes.len()];
        for (event, place) in batches.iter().flat_map(|batch| batch.iter()).zip(0u32..) {
            if let Some(places) = places.get_mut(self.class_of(event)) {
                places.push(place);
            }
        }
        let found = classes.drain(..).zip(places).filter(|(_, places)| !places.is_empty());
        let mut found: Vec<_> = found.map(|(class, places)| (class, Some(places))).collect();
        if let [(_, places)] = found.as_mut_slice() {
            *places = None;
        }
        found
    }

    /// Whether these rules decided the class.
    pub(crate) fn knows(&self, class: &Class) -> bool {
        class.rules == self.fingerprint
    }

    /// How long a split of this class is kept. If other rules decided it, the longest time that any event of it may have.
    pub(crate) fn age_of(&self, class: &Class) -> Age {
        let rule = self.rules.iter().find(|rule| *rule.text() == class.rule);
        match rule {
            Some(rule) if self.knows(class) => rule.age(),
            None if self.knows(class) && class.rule.is_empty() => self.age,
            _ => self.rules.iter().map(Rule::age).fold(self.age, Age::max),
        }
    }

    /// The shortest time that any event is kept.
    pub(crate) fn shortest(&self) -> Age {
        self.rules.iter().map(Rule::age).fold(self.age, Age::min)
    }

    /// Whether a rule keeps the events of this split, or may.
    pub(crate) fn may_be_ruled(&self, meta: &SplitMeta) -> bool {
        if self.knows(&meta.class) { !meta.class.rule.is_empty() } else { !self.rules.is_empty() }
    }
}

/// Ages are left out: a split's class stays when only they change.
fn fingerprint(rules: &[Rule]) -> Arc<str> {
    if rules.is_empty() {
        return Arc::default();
    }
    let mut hash = Sha256::new();
    for rule in rules {
        hash.update((rule.text().len() as u64).to_le_bytes());
        hash.update(rule.text().as_bytes());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// The policy of every tenant, made when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Policies {
    retention: Retention,
    made: Mutex<HashMap<Tenant, Arc<Policy>>>,
}

impl Policies {
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, made: Mutex::default() }
    }

    pub(crate) fn of(&self, tenant: &Tenant) -> Arc<Policy> {
        let make = || Arc::new(Policy::of(&self.retention, tenant));
        Arc::clone(lock(&self.made).entry(tenant.clone()).or_insert_with(make))
    }

    /// What all tenants may have together.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.retention.common.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use locard_event::{Stream, Timestamp};

    fn keep(age: Option<u64>, rules: &[&str]) -> Keep {
        let age = age.map(|days| Age::For(Duration::from_secs(days * 86_400)));
        Keep { age, bytes: None, rules: rules.iter().map(|rule| Rule::parse(rule).unwrap()).collect() }
    }

    fn policy(common: Keep, own: Option<Keep>) -> Policy {
        let tenants = own.map(|own| (Tenant::default(), own)).into_iter().collect();
        Policy::of(&Retention { common, tenants }, &Tenant::default())
    }

    fn event(message: &str) -> Event {
        Event::new(Timestamp::MIN, Arc::new(Stream::new([("host.name", "node")])), message.to_owned())
    }

    fn days(days: u64) -> Age {
        Age::For(Duration::from_secs(days * 86_400))
    }

    #[test]
    fn the_first_rule_decides_and_the_tenants_come_first() {
        let common = keep(Some(30), &["keep pay for 400d", "keep audit for forever"]);
        let policy = policy(common, Some(keep(None, &["keep audit for 7d", "keep pay for 1d"])));
        for (message, age) in [("pay", 1), ("audit pay", 7), ("other", 30)] {
            let class = policy.classes()[policy.class_of(&event(message))].clone();
            assert_eq!(policy.age_of(&class), days(age), "{message}");
        }
        assert_eq!((policy.classes().len(), policy.shortest()), (3, days(1)));
    }

    #[test]
    fn without_rules_the_tenants_age_holds_else_that_of_all() {
        for (common, own, expected) in
            [(None, None, Age::Forever), (Some(30), None, days(30)), (Some(30), Some(7), days(7))]
        {
            let policy = policy(keep(common, &[]), own.map(|own| keep(Some(own), &[])));
            assert_eq!(policy.age_of(&Class::default()), expected);
            assert!(policy.knows(&Class::default()));
        }
    }

    #[test]
    fn what_other_rules_decided_has_the_longest_time() {
        let old = policy(keep(Some(5), &["keep a for 1d"]), None);
        let new = policy(keep(Some(5), &["keep b for 9d", "keep a for 1d"]), None);
        let class = old.classes()[0].clone();
        assert_eq!((old.age_of(&class), new.age_of(&class)), (days(1), days(9)));
        assert!(!new.knows(&class));
        let longer = policy(keep(Some(6), &["keep a for 2d"]), None);
        assert_eq!(longer.age_of(&class), days(2), "ages alone change no class");
    }

    #[test]
    fn places_are_counted_over_all_batches() {
        let policy = policy(keep(None, &["keep a for 1d", "keep b for 2d"]), None);
        let batches = |batches: &[&[&str]]| -> Vec<Arc<[Event]>> {
            batches.iter().map(|batch| batch.iter().map(|message| event(message)).collect()).collect()
        };
        let found = policy.sort(&batches(&[&["x", "b"], &["b a", "y", "b"]]));
        let places: Vec<_> =
            found.into_iter().map(|(class, places)| (class.rule.to_string(), places)).collect();
        let expected = [("a", vec![2]), ("b", vec![1, 4]), ("", vec![0, 3])];
        assert_eq!(places, expected.map(|(rule, places)| (rule.to_owned(), Some(places))));
        let all = policy.sort(&batches(&[&["a"], &["a"]]));
        assert_eq!(all, [(policy.classes()[0].clone(), None)]);
    }
}
