//! [`Place`]: a moment at which an export looks, and how far it has come. What is exported again from there is the same, byte for byte,
//! whatever arrived meanwhile.

use std::fmt;
use std::str::FromStr;

use locard_event::{EventId, Timestamp};
use locard_indexer::{Principal, View};
use locard_store::{Order, Position};

use super::Error;
use super::cursor::Cursor;
use super::part::position;
use super::plan::Moment;
use super::searcher::{Searcher, clock};

/// First part of the text form; another form gets another number.
const VERSION: &str = "e1";

/// Where an export stands. Text form: `e1.d.<now>.<below>`, and `.<filed>.<id>` of the last event, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which way it goes.
    pub(crate) order: Order,
    /// What it looks at.
    pub(crate) moment: Moment,
    /// Its last event.
    pub(crate) after: Option<Position>,
}

impl Place {
    /// The cursor that a search goes on by.
    pub(crate) fn cursor(&self) -> Option<String> {
        let Self { order, moment, after } = *self;
        after.map(|after| Cursor { order, now: moment.now, after }.to_string())
    }

    /// The place that a search's cursor leads to.
    pub(crate) fn at(self, cursor: &str) -> Self {
        Self { after: cursor.parse::<Cursor>().ok().map(|cursor| cursor.after).or(self.after), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Descending => 'd',
            Order::Ascending => 'a',
        };
        write!(f, "{VERSION}.{order}.{}.{}", self.moment.now.nanos(), self.moment.below)?;
        match &self.after {
            Some(Position { filed, id }) => write!(f, ".{}.{id}", filed.nanos()),
            None => Ok(()),
        }
    }
}

/// The text was no place of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ParsePlaceError;

impl FromStr for Place {
    type Err = ParsePlaceError;

    fn from_str(text: &str) -> Result<Self, ParsePlaceError> {
        let parts: Vec<&str> = text.split('.').collect();
        let (fixed, after) = parts.split_at_checked(4).ok_or(ParsePlaceError)?;
        let [VERSION, order, now, below] = fixed else { return Err(ParsePlaceError) };
        let order = match *order {
            "d" => Order::Descending,
            "a" => Order::Ascending,
            _ => return Err(ParsePlaceError),
        };
        let nanos = |text: &str| text.parse().map(Timestamp::from_nanos).map_err(|_| ParsePlaceError);
        let moment = Moment { now: nanos(now)?, below: below.parse().map_err(|_| ParsePlaceError)? };
        let after = match after {
            [] => None,
            [filed, id] => {
                let id: EventId = id.parse().map_err(|_| ParsePlaceError)?;
                Some(Position { filed: nanos(filed)?, id })
            }
            _ => return Err(ParsePlaceError),
        };
        Ok(Self { order, moment, after })
    }
}

impl Searcher {
    /// What there is now, for an export to begin.
    pub(crate) fn moment(&self, principal: &Principal) -> Moment {
        let view = self.indexer.view(&principal.tenant);
        let hot = view.hot.iter().filter_map(|batch| batch.last()?.id).map(|id| id.sequence + 1);
        let splits = view.splits.iter().map(|split| split.meta().sequences.end);
        Moment { now: clock(), below: hot.chain(splits).max().unwrap_or_default() }
    }

    /// Where the event with this id stands, if it may be seen.
    ///
    /// # Errors
    /// As [`Searcher::event`].
    pub(crate) async fn position(&self, principal: &Principal, id: EventId) -> Result<Position, Error> {
        let event = self.event(principal, id).await?;
        position(&event).ok_or(Error::NotFound)
    }
}

/// What of a view was there at a moment.
pub(super) fn known(mut view: View, moment: Option<Moment>) -> View {
    let Some(Moment { below, .. }) = moment else { return view };
    // A batch becomes visible as a whole.
    view.hot.retain(|batch| batch.first().and_then(|event| event.id).is_some_and(|id| id.sequence < below));
    view.splits.retain(|split| split.meta().sequences.start < below);
    view.splits.iter_mut().for_each(|split| *split = split.below(below));
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_garbage_is_none() {
        let moment = Moment { now: Timestamp::from_nanos(-5), below: u64::MAX };
        let position = Position { filed: Timestamp::MIN, id: EventId::new(7, 3) };
        for order in [Order::Ascending, Order::Descending] {
            for after in [None, Some(position)] {
                let place = Place { order, moment, after };
                assert_eq!(place.to_string().parse(), Ok(place));
            }
        }
        for text in
            ["", "e1", "e1.d.0", "1.d.0.0.0-0", "e1.x.0.0", "e1.d.0.0.5", "e1.d.0.-1", "e1.d.0.0.0.0-0.1"]
        {
            assert_eq!(text.parse::<Place>(), Err(ParsePlaceError), "{text}");
        }
    }
}
