//! A command in the lane's queue, whatever its types.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{Answer, Context, Error, IdempotencyKey, Inbound, Outcome, StreamRef, Unit};

/// A command in the lane's queue.
pub(crate) struct Submission {
    pub(crate) context: Context,
    pub(crate) key: Option<IdempotencyKey>,
    pub(crate) inbound: Option<Inbound>,
    pub(crate) streams: Vec<StreamRef>,
    pub(crate) decision: Box<dyn Decision>,
}

/// How the lane's part of a command ended.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// The decision said yes; so does the commit.
    Accepted(Answer),
    /// The decision said no; the error is kept in it.
    Refused,
    /// Not decided: the outcome is known already.
    Known(Outcome),
    /// The ledger could not.
    Failed(Error),
}

/// A decision whose error type the lane does not know.
pub(crate) trait Decision: Send {
    /// Decides; may be called again when a stream was missing or the batch was split.
    fn decide(&mut self, unit: &mut Unit<'_>) -> Verdict;

    /// Answers whoever waits.
    fn finish(self: Box<Self>, verdict: Verdict);
}

pub(crate) struct TypedDecision<E, F> {
    pub(crate) decide: F,
    pub(crate) refusal: Option<E>,
    pub(crate) reply: oneshot::Sender<Result<Outcome, E>>,
}

impl<E, F> Decision for TypedDecision<E, F>
where
    E: From<Error> + Send + 'static,
    F: Fn(&mut Unit<'_>) -> Result<Answer, E> + Send + 'static,
{
    fn decide(&mut self, unit: &mut Unit<'_>) -> Verdict {
        // A panicking decision must not take its neighbors and the lane with it.
        match catch_unwind(AssertUnwindSafe(|| (self.decide)(unit))) {
            Ok(Ok(answer)) => Verdict::Accepted(answer),
            Ok(Err(refusal)) => {
                self.refusal = Some(refusal);
                Verdict::Refused
            }
            Err(_) => Verdict::Failed(Error::Bug("a decision panicked".to_owned())),
        }
    }

    fn finish(self: Box<Self>, verdict: Verdict) {
        let result = match verdict {
            Verdict::Accepted(answer) => Ok(Outcome::Accepted(answer)),
            Verdict::Known(outcome) => Ok(outcome),
            Verdict::Failed(error) => Err(error.into()),
            Verdict::Refused => Err(self.refusal.unwrap_or_else(|| {
                Error::Bug("a refused decision has no error".to_owned()).into()
            })),
        };
        // Whoever asked may have gone; the command was carried out all the same.
        let _ = self.reply.send(result);
    }
}

#[cfg(test)]
impl Submission {
    /// One that is accepted and changes nothing.
    pub(crate) fn of_nothing() -> Self {
        Self::of(|_| Ok(Answer::default()))
    }

    /// A fact that is delivered and changes nothing.
    pub(crate) fn of_fact(key: &str, event: u128) -> Self {
        Self {
            inbound: Some(Inbound {
                topic: "task-events".to_owned(),
                event_id: uuid::Uuid::from_u128(event),
                event_type: "task.created.v1".to_owned(),
                source: "/elsewhere".to_owned(),
                subject: uuid::Uuid::from_u128(event),
                version: 1,
                key: key.to_owned(),
                raw: b"{}".to_vec(),
                fact: true,
            }),
            ..Self::of_nothing()
        }
    }

    /// One for whose answer nobody waits.
    pub(crate) fn of(
        decide: impl Fn(&mut Unit<'_>) -> Result<Answer, Error> + Send + 'static,
    ) -> Self {
        let (reply, _answer) = oneshot::channel();
        Self {
            context: Context::of_worker(event_schema::App::Notifier, chrono::DateTime::UNIX_EPOCH),
            key: None,
            inbound: None,
            streams: Vec::new(),
            decision: Box::new(TypedDecision {
                decide,
                refusal: None,
                reply,
            }),
        }
    }
}
