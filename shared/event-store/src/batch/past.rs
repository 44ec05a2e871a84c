//! What a batch knows of the past: loaded, and found unchanged when it is written.

use std::collections::{HashMap, HashSet};

use database::{Error as DatabaseError, Tx};
use uuid::Uuid;

use super::Batch;
use crate::head::Heads;
use crate::ledger::Core;
use crate::store::dead_letters::{self, Queues};
use crate::store::idempotency::{self, Answers};
use crate::store::inbox::{self, Subject};
use crate::store::streams;
use crate::submission::Submission;
use crate::{IdempotencyKey, Inbound, StreamRef};

/// What is known of deliveries.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// One query per table.
    async fn load(&self, core: &Core, tx: &mut Tx) -> Result<Deliveries, DatabaseError> {
        let consumer = core.app.id();
        let mut deliveries = Deliveries::default();
        if !self.facts.is_empty() {
            deliveries.processed = inbox::processed(tx, consumer, &self.facts).await?;
        }
        if !self.subjects.is_empty() {
            deliveries.seen = inbox::seen(tx, consumer, &self.subjects).await?;
        }
        if !self.keys.is_empty() {
            deliveries.queues = dead_letters::queues(tx, consumer, &self.keys).await?;
        }
        Ok(deliveries)
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
}

/// What was read for some commands.
pub(crate) struct Past {
    heads: Heads,
    answers: Answers,
    deliveries: Deliveries,
}

impl Past {
    /// Reads everything that is wanted, one query per table.
    pub(super) async fn load(
        core: &Core,
        tx: &mut Tx,
        wanted: Wanted<'_>,
    ) -> Result<Self, DatabaseError> {
        let mut heads = Heads::default();
        if !wanted.streams.is_empty() {
            streams::load(tx, &wanted.streams, &mut heads).await?;
        }
        let mut answers = Answers::default();
        if !wanted.keys.is_empty() {
            answers = idempotency::find(tx, &wanted.keys).await?;
        }
        Ok(Self {
            heads,
            answers,
            deliveries: wanted.arrivals.load(core, tx).await?,
        })
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
        self.loaded.add(past.deliveries.clone());
        self.deliveries.add(past.deliveries);
    }

    /// Whether what the batch was decided on is still so, asked under the lane's lock. The streams that
    /// it changes need not be asked: their next versions can be written once only.
    pub(super) async fn still_holds(
        &self,
        core: &Core,
        tx: &mut Tx,
        arrivals: Arrivals,
    ) -> Result<bool, DatabaseError> {
        let changed: HashSet<&StreamRef> = self.changed.iter().collect();
        let looked_at = self.heads.iter().filter(|(at, _)| !changed.contains(at));
        let looked_at: Vec<(StreamRef, u64)> =
            looked_at.map(|(at, head)| (*at, head.version)).collect();
        if !looked_at.is_empty() && !streams::are_at(tx, &looked_at).await? {
            return Ok(false);
        }
        Ok(arrivals.load(core, tx).await? == self.loaded)
    }
}

impl Deliveries {
    fn add(&mut self, more: Self) {
        self.processed.extend(more.processed);
        for (subject, version) in more.seen {
            self.seen.entry(subject).or_insert(version);
        }
        self.queues.add(more.queues);
    }
}

pub(super) fn subject(inbound: &Inbound) -> Subject {
    (inbound.source.clone(), inbound.subject)
}
