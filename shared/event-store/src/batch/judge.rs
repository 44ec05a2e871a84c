//! Deciding: commands against the states they will be appended to.

use std::collections::HashMap;

use database::{Error as DatabaseError, Tx};

use super::past::subject;
use super::{Batch, MOST_BYTES};
use crate::head::Head;
use crate::ledger::Core;
use crate::store::past::{Past, Wanted};
use crate::submission::{Submission, Verdict};
use crate::unit::NewEvent;
use crate::{Answer, Error, Outcome, StreamRef, Unit};

/// A decision that keeps finding new streams to look at does not end by itself.
const MOST_LOADS: usize = 16;

impl Batch {
    /// Decides one command after the other, each against what those before it added, until the batch
    /// is full.
    pub(super) async fn judge_all(
        &mut self,
        core: &Core,
        tx: &mut Tx,
        submissions: &mut [Submission],
    ) -> Result<(), DatabaseError> {
        for submission in submissions {
            if self.is_full() {
                break;
            }
            let verdict = self.judge(core, tx, submission).await?;
            self.verdicts.push(verdict);
        }
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES
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
                let wanted = Wanted {
                    streams: &missing,
                    ..Wanted::default()
                };
                self.heads.extend(Past::load(tx, &wanted).await?.heads);
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
    pub(super) fn known(&mut self, submission: &Submission) -> Option<Verdict> {
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
            self.deliveries.processed.contains(&inbound.event_id)
        } else {
            let seen = &self.deliveries.seen;
            seen.get(&subject(inbound))
                .is_some_and(|seen| inbound.version <= *seen)
        };
        if stale {
            return Some(Verdict::Known(Outcome::Stale));
        }
        if self.deliveries.queues.hold_up(inbound) {
            self.bytes += inbound.raw.len();
            self.waiting.push(inbound.clone());
            return Some(Verdict::Known(Outcome::Waiting));
        }
        None
    }

    /// Merges what an accepted command staged, so that the next one sees it.
    pub(super) fn keep(
        &mut self,
        submission: &Submission,
        answer: &Answer,
        staged: HashMap<StreamRef, Head>,
        events: Vec<NewEvent>,
    ) {
        self.changed.extend(staged.keys());
        for (stream, head) in staged {
            let head = head.after(self.heads.get(&stream));
            self.heads.insert(stream, head);
        }
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
                self.deliveries.processed.insert(inbound.event_id);
                self.facts.push(inbound.event_id);
            } else {
                self.deliveries
                    .seen
                    .insert(subject(inbound), inbound.version);
                self.raised.insert(subject(inbound), inbound.version);
            }
        }
    }
}
