//! One batch of the lane: load, decide, write, commit. All of it stands on this page.

#[cfg(feature = "bench")]
pub mod bench;
mod judge;
mod past;
mod write;

use std::collections::HashMap;

use database::{Error as DatabaseError, Reader, Tx, Writer};
use uuid::Uuid;

use crate::head::Heads;
use crate::ledger::Core;
use crate::store::idempotency::Answers;
use crate::store::inbox::Subject;
use crate::store::past::Past;
use crate::submission::{Submission, Verdict};
use crate::unit::NewEvent;
use crate::{Answer, IdempotencyKey, Inbound, StreamRef};
use past::{Arrivals, Deliveries, Wanted};
use write::{Basis, Written};

/// A batch takes no further command once it holds so many bytes of events; the rest is the next batch.
const MOST_BYTES: usize = 1024 * 1024;

/// What a batch knows of the past and what it adds.
#[derive(Default)]
pub(crate) struct Batch {
    heads: Heads,
    answers: Answers,
    deliveries: Deliveries,
    // What it adds:
    events: Vec<NewEvent>,
    changed: Vec<StreamRef>,
    facts: Vec<Uuid>,
    raised: HashMap<Subject, u64>,
    waiting: Vec<Inbound>,
    /// How much of that there is.
    bytes: usize,
    /// Of the submissions, in order. Fewer than there are when the batch was full before the last.
    verdicts: Vec<Verdict>,
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
    let mut batch = Batch::default();
    batch.learn(Wanted::by(submissions).load(core, &mut tx).await?);
    batch.judge_all(core, &mut tx, submissions).await?;
    let locked = Basis::Locked;
    let committed = batch
        .write_and_commit(core, tx, submissions, &locked)
        .await?;
    committed.ok_or_else(|| DatabaseError::Corrupt {
        table: "inbox",
        column: "event_id",
        id: "one of a batch".to_owned(),
        reason: "a delivery was processed while the lane held its lock".to_owned(),
    })
}

/// Runs the submissions as one statement, decided on what was read just before. `None` and nothing has
/// happened when that cannot be: then they run under the lane's lock.
pub(crate) async fn run_alone(
    core: &Core,
    writer: &Writer,
    submissions: &mut [Submission],
) -> Result<Option<Committed>, DatabaseError> {
    let mut tx = writer.read().await?;
    let Ok(past) = Wanted::by(submissions).load(core, &mut tx).await else {
        return Ok(None); // The kept connection may have been ended; the lock comes with a new one.
    };
    let mut batch = Batch::default();
    let decided = batch.decide_ahead(core, &mut tx, past, submissions).await;
    if decided.is_err() {
        return Ok(None);
    }
    tx.rollback().await?;
    batch.commit(core, writer, submissions, true).await
}

/// Reads what submissions will look at, without the lane's lock. In the transaction they can look
/// further.
pub(crate) async fn look(
    core: &Core,
    reader: &Reader,
    submissions: &mut [Submission],
) -> Result<(Tx, Past), DatabaseError> {
    let mut tx = reader.begin().await?;
    let past = Wanted::by(submissions).load(core, &mut tx).await?;
    Ok((tx, past))
}

impl Batch {
    /// Decides further submissions before the batch has the lane's lock, while another is written, on
    /// what [`look`] found. Returns how many it took: the first ones, fewer than there are when it is
    /// full.
    pub(crate) async fn decide_ahead(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        past: Past,
        submissions: &mut [Submission],
    ) -> Result<usize, DatabaseError> {
        let before = self.verdicts.len();
        self.learn(past);
        self.judge_all(core, tx, submissions).await?;
        Ok(self.verdicts.len() - before)
    }

    /// Writes as one transaction what was decided ahead; with one statement and without waiting for the
    /// lane's lock when the lane is `alone`. `None` and nothing has happened when the decisions were
    /// overtaken: what they looked at is not so any more, or somebody else has the lock.
    pub(crate) async fn commit(
        self,
        core: &Core,
        writer: &Writer,
        submissions: &mut [Submission],
        alone: bool,
    ) -> Result<Option<Committed>, DatabaseError> {
        if self.has_queues() {
            return Ok(None);
        }
        let arrivals = Arrivals::of(submissions);
        let (tx, basis) = if alone {
            (writer.statement().await?, Basis::Alone(arrivals))
        } else {
            (writer.begin().await?, Basis::Ahead(arrivals)) // Holding the lane's lock.
        };
        self.write_and_commit(core, tx, submissions, &basis).await
    }

    async fn write_and_commit(
        mut self,
        core: &Core,
        mut tx: Tx,
        submissions: &mut [Submission],
        basis: &Basis,
    ) -> Result<Option<Committed>, DatabaseError> {
        let verdicts = std::mem::take(&mut self.verdicts);
        let keys = new_answers(submissions, &verdicts);
        let written = self.write(core, &mut tx, &keys, basis).await?;
        if written.is_none() || self.is_empty() && keys.is_empty() {
            tx.rollback().await?;
        } else {
            tx.commit().await?;
        }
        let committed = |written: Written| Committed {
            position: written.position,
            buckets: self.buckets(),
            timers_changed: written.timers_changed,
            events: self.events.len(),
            verdicts,
        };
        Ok(written.map(committed))
    }

    /// Whether there is nothing to write.
    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.facts.is_empty()
            && self.raised.is_empty()
            && self.waiting.is_empty()
    }
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

#[cfg(test)]
mod tests;
