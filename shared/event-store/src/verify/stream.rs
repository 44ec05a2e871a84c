//! One stream: its events folded, against every state that was written down.

use chrono::{DateTime, Utc};
use event_schema::{Decoded, Envelope, State, decode};
use uuid::Uuid;

use crate::store::audit::HeadRow;
use crate::{Aggregate, Recorded, StateOf};

/// Finds what is wrong with a stream, given its envelopes by version and its timers by id.
pub(super) type Check = fn(&HeadRow, &[(i64, String)], &[(Uuid, DateTime<Utc>)]) -> Vec<String>;

pub(super) fn check<A: Aggregate>(
    head: &HeadRow,
    envelopes: &[(i64, String)],
    timers: &[(Uuid, DateTime<Utc>)],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let folded = fold::<A>(envelopes, &mut wrong);
    let version = envelopes.last().map_or(0, |(version, _)| *version);
    if head.version != version {
        wrong.push(format!(
            "its head is at version {}, its events end at {version}",
            head.version
        ));
    }
    let head_state = Recorded::<StateOf<A>>::of_head(head.version, &head.state, head.state_version);
    match head_state.map(|head| head.state) {
        Err(error) => wrong.push(format!("the state of its head cannot be read: {error}")),
        Ok(state) if Some(&state) != folded.as_ref() => {
            wrong.push("the state of its head is not the fold of its events".to_owned());
        }
        Ok(state) => {
            check_timers::<A>(&state, timers, &mut wrong);
            if state.owner().as_uuid() != head.owner_id {
                wrong.push("its head names another owner than its state".to_owned());
            }
        }
    }
    wrong
}

fn fold<A: Aggregate>(envelopes: &[(i64, String)], wrong: &mut Vec<String>) -> Option<StateOf<A>> {
    let mut state = None;
    for (expected, (version, envelope)) in (1_i64..).zip(envelopes) {
        if *version != expected {
            wrong.push(format!("version {expected} is missing"));
            return state;
        }
        let decoded = Envelope::parse(envelope.as_bytes())
            .map_err(|error| error.to_string())
            .and_then(|envelope| decode::<A::Events>(&envelope).map_err(|error| error.to_string()));
        match decoded {
            Ok(Decoded::Known(data)) => {
                state = A::evolve(state, &data.change);
                if state.as_ref() != Some(&data.state) {
                    wrong.push(format!(
                        "version {version}: its state is not the fold up to it"
                    ));
                }
            }
            Ok(Decoded::Unknown) => wrong.push(format!("version {version}: of an unknown type")),
            Err(error) => wrong.push(format!("version {version}: {error}")),
        }
    }
    state
}

fn check_timers<A: Aggregate>(
    state: &StateOf<A>,
    timers: &[(Uuid, DateTime<Utc>)],
    wrong: &mut Vec<String>,
) {
    let mut wanted: Vec<_> = A::timers(state)
        .iter()
        .map(|timer| (timer.timer_id, timer.fire_at))
        .collect();
    wanted.sort_unstable();
    if wanted != timers {
        let (has, wants) = (timers.len(), wanted.len());
        wrong.push(format!(
            "its {has} timers are not the {wants} that its state wants"
        ));
    }
}
