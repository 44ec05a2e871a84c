//! One stream: its events folded, against every state that was written down.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use event_schema::{Decoded, Envelope, State, decode};
use uuid::Uuid;

use crate::store::audit::{HeadRow, TimerRow};
use crate::store::timers::storable;
use crate::{Aggregate, Recorded, StateOf};

/// A stream whose events are folded one after the other; what is wrong goes to `wrong`.
pub(crate) trait Fold: Send {
    /// The stream's next event.
    fn add(&mut self, version: i64, envelope: &str, wrong: &mut Vec<String>);
    /// After the last event: against the head and the timers.
    fn end(&self, head: &HeadRow, timers: &[TimerRow], wrong: &mut Vec<String>);
}

pub(crate) struct TypedFold<A: Aggregate> {
    version: i64,
    state: Option<StateOf<A>>,
}

impl<A: Aggregate> Default for TypedFold<A> {
    fn default() -> Self {
        Self {
            version: 0,
            state: None,
        }
    }
}

impl<A: Aggregate> Fold for TypedFold<A> {
    fn add(&mut self, version: i64, envelope: &str, wrong: &mut Vec<String>) {
        let expected = self.version + 1;
        self.version = version;
        if version != expected {
            wrong.push(format!("version {expected} is missing"));
        }
        let decoded = Envelope::parse(envelope.as_bytes())
            .map_err(|error| error.to_string())
            .and_then(|envelope| decode::<A::Events>(&envelope).map_err(|error| error.to_string()));
        match decoded {
            Ok(Decoded::Known(data)) => {
                // After a hole the fold goes on from what the event says.
                let folded = A::evolve(self.state.take(), &data.change);
                if version == expected && folded.as_ref() != Some(&data.state) {
                    wrong.push(format!(
                        "version {version}: its state is not the fold up to it"
                    ));
                    self.state = folded;
                } else {
                    self.state = Some(data.state);
                }
            }
            Ok(Decoded::Unknown) => wrong.push(format!("version {version}: of an unknown type")),
            Err(error) => wrong.push(format!("version {version}: {error}")),
        }
    }

    fn end(&self, head: &HeadRow, timers: &[TimerRow], wrong: &mut Vec<String>) {
        if head.version != self.version {
            wrong.push(format!(
                "its head is at version {}, its events end at {}",
                head.version, self.version
            ));
        }
        let state = Recorded::<StateOf<A>>::of_head(head.version, &head.state, head.state_version);
        match state.map(|head| head.state) {
            Err(error) => wrong.push(format!("the state of its head cannot be read: {error}")),
            Ok(state) if Some(&state) != self.state.as_ref() => {
                wrong.push("the state of its head is not the fold of its events".to_owned());
            }
            Ok(state) => {
                check_timers(&A::timers(&state), timers, wrong);
                if state.owner().as_uuid() != head.owner_id {
                    wrong.push("its head names another owner than its state".to_owned());
                }
            }
        }
    }
}

fn check_timers(wanted: &[crate::Timer], timers: &[TimerRow], wrong: &mut Vec<String>) {
    let mut wanted: BTreeMap<Uuid, DateTime<Utc>> = wanted
        .iter()
        .map(|timer| (timer.timer_id, storable(timer.fire_at)))
        .collect();
    for timer in timers {
        let (id, at) = (timer.timer_id, timer.fire_at);
        match wanted.remove(&id) {
            Some(wants) if wants == at => {}
            Some(wants) => wrong.push(format!("timer {id} is at {at}, its state wants {wants}")),
            None => wrong.push(format!("timer {id} is at {at}, its state wants none")),
        }
    }
    for (id, wants) in wanted {
        wrong.push(format!("timer {id} is missing, its state wants {wants}"));
    }
}
