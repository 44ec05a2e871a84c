//! The batch after the one that is being written.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use database::Reader;
use tokio::sync::{Mutex, Notify};
use tracing::debug;

use crate::StreamRef;
use crate::batch::Batch;
use crate::ledger::Core;
use crate::submission::Submission;

/// Commands decided in one go: more would keep the committer waiting when it asks for them.
const CHUNK: usize = 32;
/// When deciding ahead is given up: the committer would wait for it.
const LONGEST_CHUNK: Duration = Duration::from_secs(1);

/// What the decider fills and the committer takes, in the order in which the commands arrived.
pub(super) struct Next {
    core: Arc<Core>,
    reader: Reader,
    /// Commands of a batch at most.
    most: usize,
    state: Mutex<State>,
    pub(super) arrived: Notify,
    pub(super) taken: Notify,
}

#[derive(Default)]
struct State {
    /// Not decided yet.
    arrived: VecDeque<Submission>,
    ahead: Ahead,
    /// What the batch that is being written may change; `None` when the committer waits.
    flight: Option<Footprint>,
    /// Nothing arrives any more.
    ended: bool,
}

/// Decided ahead.
#[derive(Default)]
struct Ahead {
    submissions: Vec<Submission>,
    batch: Batch,
    /// It takes no more.
    closed: bool,
}

/// Commands to commit, and what was decided ahead for all of them, unless nothing was.
pub(super) struct Job {
    pub(super) submissions: Vec<Submission>,
    pub(super) decided: Option<Batch>,
}

impl Next {
    pub(super) fn new(core: Arc<Core>, most: usize) -> Self {
        Self {
            reader: core.database.reader(),
            core,
            most,
            state: Mutex::default(),
            arrived: Notify::new(),
            taken: Notify::new(),
        }
    }

    /// How many more commands it takes; those beyond wait in the queue, which is bounded.
    pub(super) async fn room(&self) -> usize {
        let state = self.state.lock().await;
        let held = state.arrived.len() + state.ahead.submissions.len();
        self.most.saturating_sub(held)
    }

    /// Adds commands behind those that are here.
    pub(super) async fn add(&self, arrived: impl Iterator<Item = Submission>) {
        self.state.lock().await.arrived.extend(arrived);
        self.arrived.notify_one();
    }

    /// Says that nothing will be added any more.
    pub(super) async fn end(&self) {
        self.state.lock().await.ended = true;
        self.arrived.notify_one();
    }

    /// Decides a few commands ahead, if that can be done now; returns whether there may be more.
    pub(super) async fn decide(&self) -> bool {
        self.state
            .lock()
            .await
            .decide(&self.core, &self.reader)
            .await
    }

    /// The next batch, as soon as there is one; the last one has ended. What was decided ahead or, when
    /// nothing was, what has arrived, to be decided under the lane's lock. `None` after the end.
    pub(super) async fn take(&self) -> Option<Job> {
        loop {
            let mut state = self.state.lock().await;
            if let Some(job) = state.take(self.most) {
                self.taken.notify_one();
                return Some(job);
            }
            if state.ended {
                return None;
            }
            drop(state);
            self.arrived.notified().await;
        }
    }
}

impl State {
    fn take(&mut self, most: usize) -> Option<Job> {
        let ahead = std::mem::take(&mut self.ahead);
        let (submissions, decided) = if ahead.submissions.is_empty() {
            let count = self.arrived.len().min(most);
            (self.arrived.drain(..count).collect(), None)
        } else {
            (ahead.submissions, Some(ahead.batch))
        };
        if submissions.is_empty() {
            self.flight = None;
            return None;
        }
        self.flight = Some(Footprint::of(&submissions));
        Some(Job {
            submissions,
            decided,
        })
    }

    async fn decide(&mut self, core: &Core, reader: &Reader) -> bool {
        // Without a batch before it, the next one can have the lock at once.
        let Some(flight) = &self.flight else {
            return false;
        };
        let free = self.arrived.iter().take(CHUNK);
        let count = free.take_while(|next| !flight.touches(next)).count();
        if count == 0 || self.ahead.closed {
            return false;
        }
        let chunk = &mut self.arrived.make_contiguous()[..count];
        let deciding = self.ahead.batch.decide_ahead(core, reader, chunk);
        match tokio::time::timeout(LONGEST_CHUNK, deciding).await {
            Ok(Ok(taken)) => {
                self.ahead.submissions.extend(self.arrived.drain(..taken));
                self.ahead.closed = taken < count;
            }
            Ok(Err(error)) => self.leave_it(&error),
            Err(elapsed) => self.leave_it(&elapsed),
        }
        true
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

/// What a batch may change, as far as can be told before it is decided.
struct Footprint {
    streams: HashSet<StreamRef>,
    keys: HashSet<String>,
}

impl Footprint {
    fn of(submissions: &[Submission]) -> Self {
        let streams = submissions
            .iter()
            .flat_map(|one| one.streams.iter().copied());
        let inbound = submissions.iter().filter_map(|one| one.inbound.as_ref());
        Self {
            streams: streams.collect(),
            keys: inbound.map(|inbound| inbound.key.clone()).collect(),
        }
    }

    /// Whether a command has to wait for the batch.
    fn touches(&self, next: &Submission) -> bool {
        let inbound = next.inbound.as_ref();
        next.streams
            .iter()
            .any(|stream| self.streams.contains(stream))
            || inbound.is_some_and(|inbound| self.keys.contains(&inbound.key))
    }
}
