//! [`Plan`]: what becomes of the members of a line, worked out once for all lines with the same members in the same order.

use std::collections::HashMap;
use std::rc::Rc;

use locard_event::{Name, Shape};
use locard_parse::flatten::MAX_NAMES_BYTES;

use super::labels::{LabelSet, Streams};
use super::line::Place;
use super::members::{Id, Member, Members};
use crate::mix::MixState;

/// Most plans kept for one body; lines beyond have theirs worked out anew.
const MAX_PLANS: usize = 1024;

/// Places in [`super::line::Line::said`].
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) time: Option<usize>,
    pub(super) message: Option<usize>,
    /// In the order of the label set.
    pub(super) labels: Vec<usize>,
    pub(super) label_set: Rc<LabelSet>,
    /// In the order of the shape; which texts may be addresses.
    pub(super) fields: Vec<(usize, bool)>,
    pub(super) shape: Shape,
}

/// The plans of one body.
#[derive(Debug, Default)]
pub(super) struct Plans(HashMap<Box<[Place]>, Option<Rc<Plan>>, MixState>);

impl Plans {
    /// The plan for a line with these members; `None` if it is to be read in the slow way.
    pub(super) fn find(
        &mut self,
        places: &[Place],
        members: &Members<'_>,
        streams: &mut Streams<'_>,
    ) -> Option<Rc<Plan>> {
        if let Some(plan) = self.0.get(places) {
            return plan.clone();
        }
        let plan = make(places, members, streams).map(Rc::new);
        if self.0.len() < MAX_PLANS {
            self.0.insert(places.into(), plan.clone());
        }
        plan
    }
}

/// `None` where the order in which things are said matters, or a value may have to be set aside.
fn make(places: &[Place], members: &Members<'_>, streams: &mut Streams<'_>) -> Option<Plan> {
    let mut ids: Vec<Id> = places.iter().map(|place| place.id()).collect();
    ids.sort_unstable();
    let repeated = ids.array_windows().any(|[one, next]| one == next);
    let mut values: Vec<(usize, &Member)> = Vec::with_capacity(places.len());
    for place in places {
        let member = members.get(place.id())?;
        // Such an object would have been the time, the message.
        if repeated || place.is_object() && (member.time.is_some() || member.message.is_some()) {
            return None;
        }
        if !place.is_object() {
            values.push((values.len(), member));
        }
    }
    values.sort_unstable_by_key(|(_, member)| &*member.name);
    if values.array_windows().any(|[(_, one), (_, next)]| one.name == next.name) {
        return None;
    }
    let time = first(&values, |member| member.time);
    values.retain(|(place, member)| Some(*place) != time || members.keeps(&member.name));
    let message = first(&values, |member| member.message);
    values.retain(|(place, member)| Some(*place) != message || members.keeps(&member.name));
    divide(&values, time, message, streams)
}

/// The place of the member that stands first in the list of those.
fn first(values: &[(usize, &Member)], rank: impl Fn(&Member) -> Option<usize>) -> Option<usize> {
    values.iter().filter_map(|(place, member)| Some((rank(member)?, *place))).min().map(|(_, place)| place)
}

fn divide(
    values: &[(usize, &Member)],
    time: Option<usize>,
    message: Option<usize>,
    streams: &mut Streams<'_>,
) -> Option<Plan> {
    let name_bytes: usize = values.iter().map(|(_, member)| member.name.len()).sum();
    if name_bytes > MAX_NAMES_BYTES {
        return None;
    }
    let (labels, fields): (Vec<_>, Vec<_>) = values.iter().copied().partition(|(_, member)| member.label);
    if fields.iter().any(|(_, member)| member.reserved) {
        return None;
    }
    let names = |values: &[(usize, &Member)]| -> Vec<Name> {
        values.iter().map(|(_, member)| member.name.clone()).collect()
    };
    Some(Plan {
        time,
        message,
        label_set: streams.set(names(&labels), true),
        labels: labels.iter().map(|(place, _)| *place).collect(),
        shape: Shape::new(names(&fields)),
        fields: fields.iter().map(|(place, member)| (*place, member.ip)).collect(),
    })
}
