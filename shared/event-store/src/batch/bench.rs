//! The lane's inside without a database, for the micro benchmarks. No service has a use for it.

use std::collections::HashMap;
use std::hint::black_box;

use clock::Clock;
use event_schema::{App, State};
use uuid::Uuid;

use super::Batch;
use super::past::{Wanted, subject};
use crate::head::{Head, Heads};
use crate::submission::{Decision, Submission, Verdict};
use crate::{Aggregate, Answer, Context, Inbound, StateOf, StreamRef, Unit};

/// The streams that a batch has loaded.
#[derive(Default)]
#[expect(missing_debug_implementations, reason = "nobody prints it")]
pub struct Loaded(Heads);

impl Loaded {
    /// Adds a stream: its version and today's state, or that there is none.
    #[must_use]
    pub fn with<A: Aggregate>(mut self, id: Uuid, stored: Option<(u64, String)>) -> Self {
        let shape = i32::try_from(StateOf::<A>::VERSION).unwrap_or(i32::MAX);
        let stored = stored.map(|(version, json)| Head::stored(version, json, shape));
        self.0
            .insert(StreamRef::of::<A>(id), stored.unwrap_or_default());
        self
    }

    /// Lets a command stage its events and merges them as the lane does; returns the envelopes' bytes.
    pub fn stage(
        &mut self,
        app: App,
        context: &Context,
        clock: &dyn Clock,
        decide: impl FnOnce(&mut Unit<'_>),
    ) -> usize {
        let mut unit = Unit::new(&mut self.0, context, app, clock);
        decide(&mut unit);
        let (staged, events) = unit.into_staged();
        self.0.extend(staged);
        events.iter().map(|event| event.envelope.len()).sum()
    }
}

/// A batch of deliveries before the inbox's gates.
#[expect(missing_debug_implementations, reason = "nobody prints it")]
pub struct Gate {
    batch: Batch,
    submissions: Vec<Submission>,
}

impl Gate {
    /// `known` are deliveries that were processed before; nothing is parked.
    pub fn new(known: &[Inbound], context: &Context, deliveries: Vec<Inbound>) -> Self {
        let mut batch = Batch::default();
        for inbound in known {
            if inbound.fact {
                batch.deliveries.processed.insert(inbound.event_id);
            } else {
                batch
                    .deliveries
                    .seen
                    .insert(subject(inbound), inbound.version);
            }
        }
        let submission = |inbound| Submission {
            context: context.clone(),
            key: None,
            inbound: Some(inbound),
            streams: Vec::new(),
            decision: Box::new(Nothing),
        };
        let submissions = deliveries.into_iter().map(submission).collect();
        Self { batch, submissions }
    }

    /// Sends the deliveries through; returns how many of them pass.
    pub fn check(&mut self) -> usize {
        let Self { batch, submissions } = self;
        black_box(Wanted::by(submissions)); // What would be loaded for them.
        let mut passed = 0;
        for submission in &*submissions {
            if batch.known(submission).is_none() {
                batch.keep(submission, &Answer::default(), HashMap::new(), Vec::new());
                passed += 1;
            }
        }
        passed
    }
}

/// A decision that nobody takes.
struct Nothing;

impl Decision for Nothing {
    fn decide(&mut self, _unit: &mut Unit<'_>) -> Verdict {
        Verdict::Accepted(Answer::default())
    }

    fn finish(self: Box<Self>, _verdict: Verdict) {}
}
