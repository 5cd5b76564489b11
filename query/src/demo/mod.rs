//! `locard up --demo`: an incident of the last hour, so that a newcomer has something to investigate.
//!
//! Everything is made up here, deterministic but for the time, and goes in by the same door as real logs: the lines are parsed like
//! any others. The addresses are those of RFC 5737. What happened is told in `docs/demo.md`; `incident` is its code.

mod incident;
mod line;
mod place;
mod quiet;
mod random;
mod script;

use std::sync::Arc;

use bytes::Bytes;
use locard_event::Timestamp;
use locard_indexer::{Delivery, Door, Error, Indexer, Principal};
use locard_wire::{BatchId, Encoding};

use script::Script;

/// How long the story is.
const LASTS_NANOS: i64 = 3_600_000_000_000;

/// What became of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Its events.
    pub events: u64,
    /// It was there already: nothing was added now.
    pub repeated: bool,
    /// When it ends; it begins an hour before.
    pub until: Timestamp,
}

impl Played {
    /// When it begins.
    pub fn from(self) -> Timestamp {
        self.until.plus_nanos(-LASTS_NANOS)
    }
}

/// Plays the incident into the default tenant. Within a day of the first time it is recognised as a repeat and adds nothing.
///
/// # Errors
/// The indexer refused it.
pub async fn play(indexer: &Arc<Indexer>, now: Timestamp) -> Result<Played, Error> {
    let events = events(now);
    let batch = BatchId { source: "demo".into(), first: 0, last: events.len() as u64 };
    let delivery = Delivery {
        door: Door::Otlp,
        encoding: Encoding::Identity,
        batch: Some(batch.clone()),
        body: Bytes::from(locard_wire::encode(&events)),
    };
    let principal = Principal::loopback();
    let ack = indexer.ingest(&principal, delivery).await?;
    // It was accepted the moment it ended.
    let then = if ack.repeated { indexer.accepted_at(&principal.tenant, &batch).await? } else { None };
    Ok(Played { events: ack.accepted, repeated: ack.repeated, until: then.unwrap_or(now) })
}

/// The whole hour before `now`, in order of time.
fn events(now: Timestamp) -> Vec<locard_event::Event> {
    let mut script = Script::new(now);
    quiet::write(&mut script);
    incident::write(&mut script);
    script.finish()
}

#[cfg(test)]
mod tests {
    use locard_parse::{Context, normalise};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_507_200);

    /// As the indexer sees them.
    fn parsed() -> Vec<locard_event::Event> {
        let mut events = events(NOW);
        let context = Context { received: NOW, time_known: true };
        events.iter_mut().for_each(|event| normalise(event, context));
        events
    }

    #[test]
    fn it_is_the_same_story_every_time_and_ends_now() {
        let (one, two) = (events(NOW), events(NOW));
        assert_eq!(one, two);
        assert!((3_500..=4_500).contains(&one.len()), "{}", one.len());
        assert!(one.is_sorted_by_key(|event| event.time));
        let hour = 3_600_000_000_000;
        assert!(one.iter().all(|event| event.time <= NOW && event.time >= NOW.plus_nanos(-hour)));
    }

    #[test]
    fn every_line_is_understood() {
        for event in parsed() {
            assert!(event.fields.get("error.message").is_none(), "{event:?}");
            let dataset = event.stream.get("event.dataset").unwrap();
            assert!(event.fields.len() > 1 || dataset == "journald", "nothing was read from {event:?}");
        }
    }

    #[track_caller]
    fn check(filter: &str, expected: std::ops::RangeInclusive<usize>) {
        let filter = locard_filter::parse(filter).unwrap();
        let matcher = locard_filter::Matcher::new(&filter).unwrap();
        let found = parsed().iter().filter(|event| matcher.matches(event)).count();
        assert!(expected.contains(&found), "{filter:?} finds {found}");
    }

    /// The questions that `docs/demo.md` asks.
    #[test]
    fn each_step_can_be_found() {
        check("event.outcome:failure source.ip=203.0.113.77 process.name:sshd", 300..=600);
        check("event.outcome:success source.ip=203.0.113.77 process.name:sshd", 1..=2);
        check("process.name:sudo user.name:deploy", 3..=8);
        check("kubernetes.audit.verb:create kubernetes.audit.objectRef.subresource:exec", 1..=1);
        check("kubernetes.audit.verb:get kubernetes.audit.objectRef.resource:secrets payments-db", 1..=1);
        check("\"/dev/tcp/203.0.113.77/4444\"", 1..=3);
        check("\"EGRESS DROP\" destination.ip=203.0.113.77", 1..=20);
        check("203.0.113.77", 400..=1200);
    }
}
