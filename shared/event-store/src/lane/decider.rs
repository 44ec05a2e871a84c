//! Decides the next batch while the last one is written.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::sync::Arc;

use database::Reader;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::LaneLimits;
use super::committer::{Job, LONGEST_BATCH};
use crate::StreamRef;
use crate::batch::Batch;
use crate::ledger::Core;
use crate::submission::Submission;

/// Commands decided in one go: more would keep the decider from noticing that a batch has ended.
const CHUNK: usize = 64;

/// Hands batches to the committer in the order in which their commands arrived.
pub(super) struct Decider {
    core: Arc<Core>,
    reader: Reader,
    queue: mpsc::Receiver<Submission>,
    limits: LaneLimits,
    jobs: mpsc::Sender<Job>,
    /// Not decided yet.
    arrived: VecDeque<Submission>,
    ahead: Ahead,
    flight: Option<Flight>,
    /// Nothing arrives any more.
    ended: bool,
}

/// Decided ahead for the next batch.
#[derive(Default)]
struct Ahead {
    submissions: Vec<Submission>,
    batch: Batch,
    /// It takes no more.
    closed: bool,
}

/// The batch that is being written, and what it may change.
struct Flight {
    landed: oneshot::Receiver<()>,
    streams: HashSet<StreamRef>,
    keys: HashSet<String>,
}

impl Decider {
    pub(super) fn new(
        core: Arc<Core>,
        queue: mpsc::Receiver<Submission>,
        limits: LaneLimits,
        jobs: mpsc::Sender<Job>,
    ) -> Self {
        let reader = core.database.reader();
        Self {
            core,
            reader,
            queue,
            limits,
            jobs,
            arrived: VecDeque::new(),
            ahead: Ahead::default(),
            flight: None,
            ended: false,
        }
    }

    /// Works until `stop`, then through what was still queued.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut fresh = Vec::with_capacity(self.limits.batch);
        while !(self.ended && self.is_idle()) {
            if self.flight.is_none() && !self.launch().await {
                return; // The committer is gone.
            }
            let room = self.room();
            tokio::select! {
                biased; // Or a queue that is never empty would hide the stop.
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close(); // What is queued is still carried out.
                }
                () = landing(&mut self.flight), if self.flight.is_some() => self.flight = None,
                received = self.queue.recv_many(&mut fresh, room), if room > 0 && !self.ended => {
                    self.ended = received == 0;
                    self.arrived.extend(fresh.drain(..));
                }
                () = std::future::ready(()), if self.may_decide() => self.decide().await,
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.flight.is_none() && self.arrived.is_empty() && self.ahead.submissions.is_empty()
    }

    /// How many more may be taken from the queue, where those beyond the bound are refused.
    fn room(&self) -> usize {
        let taken = self.arrived.len() + self.ahead.submissions.len();
        self.limits.batch.saturating_sub(taken)
    }

    /// Hands the next batch to the committer, if there is one: what was decided ahead or, when nothing
    /// was, what has arrived, to be decided under the lane's lock. Returns whether somebody takes it.
    async fn launch(&mut self) -> bool {
        let ahead = std::mem::take(&mut self.ahead);
        let (submissions, decided) = if ahead.submissions.is_empty() {
            let count = self.arrived.len().min(self.limits.batch);
            (self.arrived.drain(..count).collect(), None)
        } else {
            (ahead.submissions, Some(ahead.batch))
        };
        if submissions.is_empty() {
            return true;
        }
        let (landed, landing) = oneshot::channel();
        self.flight = Some(Flight::of(&submissions, landing));
        let job = Job {
            submissions,
            decided,
            landed,
        };
        self.jobs.send(job).await.is_ok()
    }

    /// Only beside a batch that is being written: otherwise the next one can have the lock at once.
    fn may_decide(&self) -> bool {
        let Some(flight) = &self.flight else {
            return false;
        };
        let next = self.arrived.front();
        !self.ahead.closed && next.is_some_and(|next| !flight.may_change(next))
    }

    /// Decides the next few.
    async fn decide(&mut self) {
        let Some(flight) = &self.flight else { return };
        let free = self.arrived.iter().take(CHUNK);
        let count = free.take_while(|next| !flight.may_change(next)).count();
        let chunk = &mut self.arrived.make_contiguous()[..count];
        let deciding = self
            .ahead
            .batch
            .decide_ahead(&self.core, &self.reader, chunk);
        match tokio::time::timeout(LONGEST_BATCH, deciding).await {
            Ok(Ok(taken)) => {
                self.ahead.submissions.extend(self.arrived.drain(..taken));
                self.ahead.closed = taken < count;
            }
            Ok(Err(error)) => self.leave_it(&error),
            Err(elapsed) => self.leave_it(&elapsed),
        }
    }

    /// Leaves everything to be decided under the lock, where what went wrong here is found and told.
    fn leave_it(&mut self, why: &dyn Error) {
        debug!("cannot decide ahead: {why}");
        let ahead = std::mem::take(&mut self.ahead);
        for submission in ahead.submissions.into_iter().rev() {
            self.arrived.push_front(submission);
        }
        self.ahead.closed = true;
    }
}

impl Flight {
    fn of(submissions: &[Submission], landed: oneshot::Receiver<()>) -> Self {
        let streams = submissions
            .iter()
            .flat_map(|one| one.streams.iter().copied());
        let inbound = submissions.iter().filter_map(|one| one.inbound.as_ref());
        Self {
            landed,
            streams: streams.collect(),
            keys: inbound.map(|inbound| inbound.key.clone()).collect(),
        }
    }

    /// Whether a command has to wait for this batch, as far as can be told before it is decided.
    fn may_change(&self, next: &Submission) -> bool {
        let inbound = next.inbound.as_ref();
        next.streams
            .iter()
            .any(|stream| self.streams.contains(stream))
            || inbound.is_some_and(|inbound| self.keys.contains(&inbound.key))
    }
}

/// Completes when the batch that is being written has ended.
async fn landing(flight: &mut Option<Flight>) {
    if let Some(flight) = flight {
        // Dropped unsent: that it ended is all there is to know.
        let _ended = (&mut flight.landed).await;
    }
}
