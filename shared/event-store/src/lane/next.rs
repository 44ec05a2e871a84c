//! The batch after the one that is being written.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use database::{Reader, Tx};
use tokio::sync::{Mutex, Notify};
use tracing::debug;

use crate::StreamRef;
use crate::batch::{self, Batch};
use crate::ledger::Core;
use crate::store::past::Past;
use crate::submission::Submission;

/// Commands decided in one go: more would keep the committer waiting when it asks for them.
const CHUNK: usize = 64;
/// A batch takes so many before it leaves any to the next: a commit costs as much as about so many
/// commands, so fewer would not be worth one more.
const WORTH_A_COMMIT: usize = 32;
/// When deciding ahead is given up: these commands wait for it, and those behind them.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

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
    /// Some are neither here nor there, because the decider looks at what they need.
    deciding: bool,
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

    /// Decides a few commands ahead, if that can be done now; returns whether there may be more. The
    /// committer waits for the decisions at most, never for what they look at.
    pub(super) async fn decide(&self) -> bool {
        let Some(mut chunk) = self.state.lock().await.chunk() else {
            return false;
        };
        let looking = batch::look(&self.core, &self.reader, &mut chunk);
        let found = tokio::time::timeout(LONGEST_LOOK, looking).await;
        let mut state = self.state.lock().await;
        match found {
            Ok(Ok((mut tx, past))) => {
                state.decide(&self.core, &mut tx, past, chunk).await;
                drop(state);
                // It only gives the connection back: when it fails, the next one is a new one.
                let _ = tx.rollback().await;
            }
            Ok(Err(error)) => state.leave_it(chunk, &error),
            Err(elapsed) => state.leave_it(chunk, &elapsed),
        }
        self.arrived.notify_one();
        true
    }

    /// The next batch, as soon as there is one; the last one has ended. What was decided ahead or, when
    /// nothing was, what has arrived, to be decided by the committer. `None` after the end.
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
    /// How many the next batch takes at most, beside one that writes so many: half of all that are here.
    /// Whoever is answered sends the next command, so what one batch took alone would come back at
    /// once, and nobody would decide while it is written or write while it is decided.
    fn share(&self, written: usize) -> usize {
        let here = written + self.ahead.submissions.len() + self.arrived.len();
        here.div_ceil(2).max(WORTH_A_COMMIT)
    }

    fn take(&mut self, most: usize) -> Option<Job> {
        let share = self.share(0);
        let ahead = std::mem::take(&mut self.ahead);
        let (submissions, decided) = if !ahead.submissions.is_empty() {
            (ahead.submissions, Some(ahead.batch))
        } else if self.deciding {
            (Vec::new(), None) // What has arrived is behind those.
        } else {
            let count = self.arrived.len().min(most).min(share);
            (self.arrived.drain(..count).collect(), None)
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

    /// The next few that may be decided now.
    fn chunk(&mut self) -> Option<Vec<Submission>> {
        // Without a batch before it, the committer decides the next one at once.
        let flight = self.flight.as_ref()?;
        let share = self.share(flight.commands);
        let left = share.saturating_sub(self.ahead.submissions.len());
        let free = self.arrived.iter().take(CHUNK.min(left));
        let count = free.take_while(|next| !flight.touches(next)).count();
        if count == 0 || self.ahead.closed {
            return None;
        }
        self.deciding = true;
        Some(self.arrived.drain(..count).collect())
    }

    async fn decide(&mut self, core: &Core, tx: &mut Tx, past: Past, mut chunk: Vec<Submission>) {
        // Meanwhile another batch may have begun, with streams that these look at too.
        let flight = self.flight.as_ref();
        let touched = |next: &Submission| flight.is_some_and(|flight| flight.touches(next));
        let free = chunk.iter().take_while(|next| !touched(next)).count();
        let deciding = self
            .ahead
            .batch
            .decide_ahead(core, tx, past, &mut chunk[..free]);
        match tokio::time::timeout(LONGEST_LOOK, deciding).await {
            Ok(Ok(taken)) => {
                self.deciding = false;
                self.ahead.closed = taken < chunk.len();
                self.ahead.submissions.extend(chunk.drain(..taken));
                self.put_back(chunk);
            }
            Ok(Err(error)) => self.leave_it(chunk, &error),
            Err(elapsed) => self.leave_it(chunk, &elapsed),
        }
    }

    /// Leaves everything to be decided under the lock, where what went wrong here is found and told.
    fn leave_it(&mut self, chunk: Vec<Submission>, why: &dyn Error) {
        debug!("cannot decide ahead: {why}");
        self.deciding = false;
        self.put_back(chunk);
        let ahead = std::mem::take(&mut self.ahead);
        self.put_back(ahead.submissions);
        self.ahead.closed = true;
    }

    /// Before those that arrived later.
    fn put_back(&mut self, submissions: Vec<Submission>) {
        for submission in submissions.into_iter().rev() {
            self.arrived.push_front(submission);
        }
    }
}

/// What a batch may change, as far as can be told before it is decided.
struct Footprint {
    commands: usize,
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
            commands: submissions.len(),
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

#[cfg(test)]
mod tests;
