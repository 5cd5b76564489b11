//! The `retention` key: rules are read, tenants' names checked.

use std::collections::BTreeMap;

use locard_indexer::{Keep, Retention, Rule, Tenant};

use super::raw::{self, TenantRetention};
use super::{Age, Problem};

/// Most rules in one list: every event is held against them.
const MAX_RULES: usize = 100;

/// Reads and checks it.
pub(super) fn read(retention: &raw::Retention, problems: &mut Vec<Problem>) -> Retention {
    let raw::Retention { age, size, rules, tenants } = retention.clone();
    let common = keep("retention", TenantRetention { age, size, rules }, problems);
    let mut read = BTreeMap::new();
    for (name, own) in tenants {
        let at = format!("retention.tenants.{name}");
        let own = keep(&at, own, problems);
        match Tenant::parse(&name) {
            Some(tenant) => drop(read.insert(tenant, own)),
            None => {
                let rule = "up to 63 of a-z 0-9 _ -, beginning with a letter or digit";
                problems.push(Problem::new(at, format!("`{name}` is no tenant name: {rule}")));
            }
        }
    }
    Retention { common, tenants: read }
}

fn keep(at: &str, raw: TenantRetention, problems: &mut Vec<Problem>) -> Keep {
    let at = format!("{at}.rules");
    if raw.rules.len() > MAX_RULES {
        problems.push(Problem::new(at.clone(), format!("at most {MAX_RULES} rules: join filters with OR")));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (index, text) in raw.rules.iter().enumerate() {
        let mut report = |message| problems.push(Problem::new(format!("{at}[{index}]"), message));
        match Rule::parse(text) {
            Ok(rule) if rules.iter().any(|earlier| earlier.text() == rule.text()) => {
                report(format!("`{}` is there twice: only the first would be used, remove one", rule.text()));
            }
            Ok(rule) => rules.push(rule),
            Err(message) => report(message),
        }
    }
    Keep { age: raw.age.map(|Age(age)| age), bytes: raw.size.map(|size| size.0), rules }
}
