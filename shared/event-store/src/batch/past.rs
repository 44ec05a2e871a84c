//! What a batch knows of the past: loaded, and found unchanged when it is written.

use std::collections::{HashMap, HashSet};

use database::{Error as DatabaseError, Tx};
use uuid::Uuid;

use super::Batch;
use crate::ledger::Core;
use crate::store::dead_letters::{self, Queues};
use crate::store::inbox::Subject;
use crate::store::past::{self, Past};
use crate::store::streams;
use crate::store::trip::Trip;
use crate::submission::Submission;
use crate::{IdempotencyKey, Inbound, StreamRef};

/// What is known of deliveries.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pub(super) processed: HashSet<Uuid>,
    pub(super) seen: HashMap<Subject, u64>,
    pub(super) queues: Queues,
}

/// Which deliveries a batch holds.
#[derive(Default)]
pub(super) struct Arrivals {
    facts: Vec<Uuid>,
    subjects: Vec<Subject>,
    keys: Vec<String>,
}

impl Arrivals {
    pub(super) fn of(submissions: &[Submission]) -> Self {
        let mut arrivals = Self::default();
        for inbound in submissions.iter().filter_map(|one| one.inbound.as_ref()) {
            if inbound.fact {
                arrivals.facts.push(inbound.event_id);
            } else {
                arrivals.subjects.push(subject(inbound));
            }
            arrivals.keys.push(inbound.key.clone());
        }
        arrivals
    }
}

/// What the announced commands will look at.
pub(super) struct Wanted<'a> {
    streams: Vec<StreamRef>,
    keys: Vec<&'a IdempotencyKey>,
    arrivals: Arrivals,
}

impl<'a> Wanted<'a> {
    pub(super) fn by(submissions: &'a [Submission]) -> Self {
        let streams = submissions
            .iter()
            .flat_map(|one| one.streams.iter().copied());
        let mut streams: Vec<StreamRef> = streams.collect();
        streams.sort_unstable();
        streams.dedup();
        Self {
            streams,
            keys: submissions
                .iter()
                .filter_map(|one| one.key.as_ref())
                .collect(),
            arrivals: Arrivals::of(submissions),
        }
    }

    pub(super) async fn load(&self, core: &Core, tx: &mut Tx) -> Result<Past, DatabaseError> {
        let arrivals = &self.arrivals;
        let wanted = past::Wanted {
            consumer: core.app.id(),
            streams: &self.streams,
            answers: &self.keys,
            facts: &arrivals.facts,
            subjects: &arrivals.subjects,
            keys: &arrivals.keys,
        };
        Past::load(tx, &wanted).await
    }
}

impl Batch {
    /// Takes in what was read. What the batch knows already stays as it is: it may have changed it.
    pub(super) fn learn(&mut self, past: Past) {
        for (stream, head) in past.heads {
            self.heads.entry(stream).or_insert(head);
        }
        for (key, answer) in past.answers {
            self.answers.entry(key).or_insert(answer);
        }
        let deliveries = &mut self.deliveries;
        deliveries.processed.extend(past.processed);
        for (subject, version) in past.seen {
            deliveries.seen.entry(subject).or_insert(version);
        }
        deliveries.queues.add(past.queues);
    }

    /// Asks whether what the batch was decided on is still so, as far as its writes will not tell: they
    /// raise versions and record facts, answers and events once only. What is stale stays stale.
    pub(super) async fn doubt(
        &self,
        core: &Core,
        trip: &mut Trip<'_>,
        arrivals: &Arrivals,
    ) -> Result<(), DatabaseError> {
        let changed: HashSet<&StreamRef> = self.changed.iter().collect();
        let looked_at = self.heads.iter().filter(|(at, _)| !changed.contains(at));
        let looked_at: Vec<(StreamRef, u64)> =
            looked_at.map(|(at, head)| (*at, head.version)).collect();
        if !looked_at.is_empty() {
            streams::count_moved(trip, &looked_at).await?;
        }
        if !arrivals.keys.is_empty() {
            dead_letters::count_queues(trip, core.app.id(), &arrivals.keys).await?;
        }
        Ok(())
    }

    /// Whether some keys have queues of dead letters, which may move at any time: that is decided under
    /// the lane's lock.
    pub(super) fn has_queues(&self) -> bool {
        !self.deliveries.queues.is_empty()
    }
}

pub(super) fn subject(inbound: &Inbound) -> Subject {
    (inbound.source.clone(), inbound.subject)
}
