//! One batch of the lane: load, decide, write, commit. All of it stands on this page.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use database::{Error as DatabaseError, Tx, Writer};
use uuid::Uuid;

use crate::head::{Head, Heads};
use crate::ledger::Core;
use crate::projection::{StreamChange, Tables};
use crate::store::dead_letters::Queues;
use crate::store::idempotency::Answers;
use crate::store::inbox::Subject;
use crate::store::streams::HeadRow;
use crate::store::{dead_letters, events, idempotency, inbox, streams, timers};
use crate::submission::{Submission, Verdict};
use crate::unit::NewEvent;
use crate::{Answer, Error, IdempotencyKey, Inbound, Outcome, StreamRef, Timer, Unit};

/// A decision that keeps finding new streams to look at does not end by itself.
const MOST_LOADS: usize = 16;
/// A batch takes no further command once it holds so many bytes of events; the rest is the next batch.
const MOST_BYTES: usize = 1024 * 1024;

/// What a batch knows of the past and what it adds.
#[derive(Default)]
struct Batch {
    heads: Heads,
    answers: Answers,
    processed: HashSet<Uuid>,
    seen: HashMap<Subject, u64>,
    queues: Queues,
    // What it adds:
    events: Vec<NewEvent>,
    changed: Vec<StreamRef>,
    facts: Vec<Uuid>,
    raised: HashMap<Subject, u64>,
    waiting: Vec<Inbound>,
    /// How much of that there is.
    bytes: usize,
}

/// What the announced commands will look at.
struct Wanted<'a> {
    streams: Vec<StreamRef>,
    keys: Vec<&'a IdempotencyKey>,
    facts: Vec<Uuid>,
    subjects: Vec<Subject>,
    partition_keys: Vec<String>,
}

impl<'a> Wanted<'a> {
    fn by(submissions: &'a [Submission]) -> Self {
        let inbound = || {
            submissions
                .iter()
                .filter_map(|submission| submission.inbound.as_ref())
        };
        let mut streams: Vec<StreamRef> = submissions
            .iter()
            .flat_map(|submission| submission.streams.clone())
            .collect();
        streams.sort_unstable();
        streams.dedup();
        Self {
            streams,
            keys: submissions
                .iter()
                .filter_map(|submission| submission.key.as_ref())
                .collect(),
            facts: inbound()
                .filter(|event| event.fact)
                .map(|event| event.event_id)
                .collect(),
            subjects: inbound().filter(|event| !event.fact).map(subject).collect(),
            partition_keys: inbound().map(|event| event.key.clone()).collect(),
        }
    }
}

/// What a committed batch did.
pub(crate) struct Committed {
    /// Of the submissions, in order. Fewer than there are when the batch was full before the last.
    pub(crate) verdicts: Vec<Verdict>,
    /// The newest position, when events were written.
    pub(crate) position: Option<i64>,
    pub(crate) buckets: u16,
    pub(crate) timers_changed: bool,
    pub(crate) events: usize,
}

/// Runs the submissions as one transaction. Nothing has happened unless this returns `Ok`.
pub(crate) async fn run(
    core: &Core,
    writer: &Writer,
    submissions: &mut [Submission],
) -> Result<Committed, DatabaseError> {
    let mut tx = writer.begin().await?; // Holding the lane's lock.
    let mut batch = Batch::load(core, &mut tx, Wanted::by(submissions)).await?;

    let mut verdicts = Vec::with_capacity(submissions.len());
    for submission in &mut *submissions {
        verdicts.push(batch.judge(core, &mut tx, submission).await?);
        if batch.bytes >= MOST_BYTES {
            break;
        }
    }

    let keys = new_answers(submissions, &verdicts);
    if batch.is_empty() && keys.is_empty() {
        tx.rollback().await?;
        return Ok(Committed {
            verdicts,
            position: None,
            buckets: 0,
            timers_changed: false,
            events: 0,
        });
    }
    let (position, timers_changed) = batch.write(core, &mut tx, &keys).await?;
    tx.commit().await?;
    Ok(Committed {
        verdicts,
        position,
        buckets: batch.buckets(),
        timers_changed,
        events: batch.events.len(),
    })
}

/// The answers that have to be remembered. A key repeated inside the batch is `Known`, not `Accepted`.
fn new_answers<'a>(
    submissions: &'a [Submission],
    verdicts: &'a [Verdict],
) -> Vec<(&'a IdempotencyKey, &'a Answer)> {
    let with_key = submissions.iter().zip(verdicts);
    with_key
        .filter_map(|(submission, verdict)| match (&submission.key, verdict) {
            (Some(key), Verdict::Accepted(answer)) => Some((key, answer)),
            _ => None,
        })
        .collect()
}

impl Batch {
    /// Reads everything the announced commands need, one query per table.
    async fn load(core: &Core, tx: &mut Tx, wanted: Wanted<'_>) -> Result<Self, DatabaseError> {
        let mut batch = Self::default();
        let consumer = core.app.id();
        streams::load(tx, &wanted.streams, &mut batch.heads).await?;
        if !wanted.keys.is_empty() {
            batch.answers = idempotency::find(tx, &wanted.keys).await?;
        }
        if !wanted.facts.is_empty() {
            batch.processed = inbox::processed(tx, consumer, &wanted.facts).await?;
        }
        if !wanted.subjects.is_empty() {
            batch.seen = inbox::seen(tx, consumer, &wanted.subjects).await?;
        }
        if !wanted.partition_keys.is_empty() {
            batch.queues = dead_letters::queues(tx, consumer, &wanted.partition_keys).await?;
        }
        Ok(batch)
    }

    /// Decides one command against the state it will be appended to.
    async fn judge(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        submission: &mut Submission,
    ) -> Result<Verdict, DatabaseError> {
        if let Some(known) = self.known(submission) {
            return Ok(known);
        }
        for _ in 0..MOST_LOADS {
            let mut unit = Unit::new(
                &mut self.heads,
                &submission.context,
                core.app,
                core.clock.as_ref(),
            );
            let verdict = submission.decision.decide(&mut unit);
            if !unit.missing.is_empty() {
                let missing = std::mem::take(&mut unit.missing);
                drop(unit);
                streams::load(tx, &missing, &mut self.heads).await?;
                continue;
            }
            if let Some(fault) = unit.fault.take() {
                return Ok(Verdict::Failed(fault));
            }
            if let Verdict::Accepted(answer) = &verdict {
                let (staged, events) = unit.into_staged();
                self.keep(submission, answer, staged, events);
            }
            return Ok(verdict);
        }
        Ok(Verdict::Failed(Error::Bug(
            "a decision looks at too many streams".to_owned(),
        )))
    }

    /// The outcome of a command that need not be decided.
    fn known(&mut self, submission: &Submission) -> Option<Verdict> {
        if let Some(key) = &submission.key
            && let Some((hash, answer)) = self.answers.get(&(key.owner.as_uuid(), key.key.clone()))
        {
            return Some(if hash.as_slice() == key.request_hash {
                Verdict::Known(Outcome::Replayed(answer.clone()))
            } else {
                Verdict::Failed(Error::KeyReused)
            });
        }
        let inbound = submission.inbound.as_ref()?;
        let stale = if inbound.fact {
            self.processed.contains(&inbound.event_id)
        } else {
            self.seen
                .get(&subject(inbound))
                .is_some_and(|seen| inbound.version <= *seen)
        };
        if stale {
            return Some(Verdict::Known(Outcome::Stale));
        }
        if self.queues.hold_up(inbound) {
            self.bytes += inbound.raw.len();
            self.waiting.push(inbound.clone());
            return Some(Verdict::Known(Outcome::Waiting));
        }
        None
    }

    /// Merges what an accepted command staged, so that the next one sees it.
    fn keep(
        &mut self,
        submission: &Submission,
        answer: &Answer,
        staged: HashMap<StreamRef, Head>,
        events: Vec<NewEvent>,
    ) {
        self.changed.extend(staged.keys());
        self.heads.extend(staged);
        self.bytes += events
            .iter()
            .map(|event| event.envelope.len())
            .sum::<usize>();
        self.events.extend(events);
        if let Some(key) = &submission.key {
            let entry = (key.request_hash.to_vec(), answer.clone());
            self.answers
                .insert((key.owner.as_uuid(), key.key.clone()), entry);
        }
        if let Some(inbound) = &submission.inbound {
            if inbound.fact {
                self.processed.insert(inbound.event_id);
                self.facts.push(inbound.event_id);
            } else {
                self.seen.insert(subject(inbound), inbound.version);
                self.raised.insert(subject(inbound), inbound.version);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.facts.is_empty()
            && self.raised.is_empty()
            && self.waiting.is_empty()
    }

    /// Writes everything the batch adds, one statement per table.
    async fn write(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        answers: &[(&IdempotencyKey, &Answer)],
    ) -> Result<(Option<i64>, bool), DatabaseError> {
        let consumer = core.app.id();
        let now = core.clock.now();
        let mut position = None;
        let mut timers_changed = false;
        if !self.events.is_empty() {
            position = Some(events::append(tx, &self.events, now).await?);
            let changes = self.changes();
            timers_changed = timers::replace(tx, &wanted_timers(&changes)).await?;
            for projection in &core.projections {
                projection.apply(tx, Tables::LIVE, &changes).await?;
            }
            // After the projections: had one of them hidden an error, PostgreSQL would answer the
            // commit of the broken transaction with success. This statement it refuses.
            self.write_heads(tx, &changes, now).await?;
        }
        if !answers.is_empty() {
            idempotency::insert(tx, answers, now).await?;
        }
        if !self.facts.is_empty() {
            inbox::insert(tx, consumer, &self.facts, now).await?;
        }
        if !self.raised.is_empty() {
            inbox::raise(tx, consumer, &self.raised).await?;
        }
        for inbound in &self.waiting {
            dead_letters::wait(tx, consumer, inbound, now).await?;
        }
        Ok((position, timers_changed))
    }

    async fn write_heads(
        &self,
        tx: &mut Tx,
        changes: &[StreamChange],
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<(), DatabaseError> {
        let rows: Vec<HeadRow<'_>> = changes
            .iter()
            .filter_map(|change| {
                let stream = change.stream();
                let state = self.heads.get(&stream)?.json.as_deref()?;
                let owner = change.snapshot.owner();
                Some(HeadRow {
                    stream,
                    owner,
                    version: change.version,
                    state,
                    state_version: change.snapshot.state_version(),
                })
            })
            .collect();
        let written = streams::upsert(tx, &rows, now).await?;
        if usize::try_from(written).ok() == Some(changes.len()) {
            return Ok(());
        }
        // Somebody wrote past the lane's lock. Committing would lose one of the two writes.
        Err(DatabaseError::Corrupt {
            table: "stream",
            column: "version",
            id: format!(
                "{} of {} heads",
                changes.len() as u64 - written,
                changes.len()
            ),
            reason: "a head changed while the lane held its lock".to_owned(),
        })
    }

    /// Every changed stream once, with its newest state, in a fixed order.
    fn changes(&mut self) -> Vec<StreamChange> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let change = |stream: &StreamRef| {
            let head = self.heads.get(stream)?;
            Some(StreamChange {
                kind: stream.kind,
                stream_id: stream.stream_id,
                version: head.version,
                snapshot: Arc::clone(head.snapshot.as_ref()?),
            })
        };
        self.changed.iter().filter_map(change).collect()
    }

    /// Which of the relay's buckets have something to publish, a bit each.
    fn buckets(&self) -> u16 {
        let published = self
            .events
            .iter()
            .filter(|event| event.event_type.topic.is_some());
        published.fold(0, |bits, event| {
            bits | 1 << crate::relay::bucket_of(event.key)
        })
    }
}

fn wanted_timers(changes: &[StreamChange]) -> Vec<(StreamRef, Vec<Timer>)> {
    let with_timers = changes.iter().filter(|change| change.snapshot.has_timers());
    let wanted = |change: &StreamChange| (change.stream(), change.snapshot.timers());
    with_timers.map(wanted).collect()
}

fn subject(inbound: &Inbound) -> Subject {
    (inbound.source.clone(), inbound.subject)
}
