//! Commits one batch after the other and answers whoever waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use database::Writer;
use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::{error, warn};

use super::next::Next;
use crate::batch::{self, Batch, Committed};
use crate::error::chain;
use crate::ledger::Core;
use crate::submission::{Submission, Verdict};
use crate::{Error, metrics};

/// When a batch is given up: the server bounds statements and locks, but nobody else bounds the wait
/// for an answer that a broken network swallowed.
const LONGEST_BATCH: Duration = Duration::from_secs(10);
/// A batch that took longer is worth a line.
const SLOW_BATCH: Duration = Duration::from_secs(1);

/// How long after a batch was overtaken the lane waits for its lock before it writes: there is another
/// replica, and each overtaken batch is decided twice.
const IN_COMPANY: Duration = Duration::from_secs(1);

pub(super) struct Committer {
    core: Arc<Core>,
    writer: Writer,
    next: Arc<Next>,
    overtaken: Mutex<Option<Instant>>,
}

impl Committer {
    pub(super) fn new(core: Arc<Core>, writer: Writer, next: Arc<Next>) -> Self {
        Self {
            core,
            writer,
            next,
            overtaken: Mutex::default(),
        }
    }

    /// Commits batch after batch until there will be none any more.
    pub(super) async fn run(self) {
        while let Some(job) = self.next.take().await {
            let mut submissions = job.submissions;
            if let Some(batch) = job.decided {
                submissions = self.write(batch, submissions).await;
            }
            self.process(submissions).await;
        }
    }

    /// Commits a batch that was decided ahead. Returns the submissions that have to be decided under
    /// the lane's lock after all: all or none.
    async fn write(&self, batch: Batch, mut submissions: Vec<Submission>) -> Vec<Submission> {
        let started = Instant::now();
        let alone = self.is_alone();
        match outcome(batch.commit(&self.core, &self.writer, &mut submissions, alone)).await {
            Ok(Some(committed)) => {
                self.tell(&committed, started.elapsed());
                answer(submissions, committed.verdicts);
                Vec::new()
            }
            Err(failure) if failure.is_unavailable() => {
                self.refuse(submissions, &failure);
                Vec::new()
            }
            // Another replica was faster, or the guilty command has to be found.
            Ok(None) | Err(_) => {
                self.note_overtaken(submissions.len());
                submissions
            }
        }
    }

    /// Decides and commits a batch. One that fails for its content is split until the guilty command is
    /// alone.
    pub(super) async fn process(&self, submissions: Vec<Submission>) {
        let mut stack = vec![submissions];
        while let Some(mut batch) = stack.pop() {
            if batch.is_empty() {
                continue;
            }
            let started = Instant::now();
            match self.carry_out(&mut batch).await {
                Ok(committed) => {
                    self.tell(&committed, started.elapsed());
                    stack.push(batch.split_off(committed.verdicts.len())); // What did not fit.
                    answer(batch, committed.verdicts);
                }
                Err(failure) if failure.is_unavailable() || batch.len() == 1 => {
                    self.refuse(batch, &failure);
                }
                Err(failure) => {
                    let count = batch.len();
                    warn!(error = %failure.text(), "splitting a batch of {count} commands");
                    let second = batch.split_off(batch.len() / 2);
                    stack.push(second);
                    stack.push(batch); // The first half first: order of arrival.
                }
            }
        }
    }

    /// Decides and commits as much of a batch as fits, if it can be with one statement.
    async fn carry_out(&self, batch: &mut [Submission]) -> Result<Committed, Failure> {
        if self.is_alone() {
            match outcome(batch::run_alone(&self.core, &self.writer, batch)).await {
                Ok(Some(committed)) => return Ok(committed),
                Err(failure) if failure.is_unavailable() => return Err(failure),
                Ok(None) | Err(_) => self.note_overtaken(batch.len()),
            }
        }
        outcome(batch::run(&self.core, &self.writer, batch)).await
    }

    /// Whether nobody else writes to the ledger, as far as is known here. SQLite has no other replica,
    /// and to begin costs nothing there.
    fn is_alone(&self) -> bool {
        let overtaken = *self
            .overtaken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.writer.is_postgres() && overtaken.is_none_or(|at| at.elapsed() > IN_COMPANY)
    }

    fn note_overtaken(&self, commands: usize) {
        metrics::overtaken(self.core.app, commands);
        let mut overtaken = self
            .overtaken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *overtaken = Some(Instant::now());
    }

    /// Tells everybody what a batch changed.
    fn tell(&self, committed: &Committed, took: Duration) {
        let commands = committed.verdicts.len();
        metrics::batch(self.core.app, commands, committed.events, took);
        if took > SLOW_BATCH {
            warn!("a batch of {commands} commands took {took:?}");
        }
        if let Some(position) = committed.position {
            self.core.position.send_replace(position);
        }
        if committed.buckets != 0 {
            self.core.wake_relay(committed.buckets);
        }
        if committed.timers_changed {
            self.core.timers_changed.notify_waiters();
            self.core.timers_changed.notify_one();
        }
    }

    fn refuse(&self, submissions: Vec<Submission>, failure: &Failure) {
        let (error, count) = (failure.to_error(), submissions.len());
        warn!(error = %failure.text(), "a batch of {count} commands failed");
        metrics::failed(self.core.app, count, failure.is_unavailable());
        for submission in submissions {
            submission.decision.finish(Verdict::Failed(error.clone()));
        }
    }
}

/// Waits for a batch, for so long and no longer.
async fn outcome<T>(
    running: impl Future<Output = Result<T, database::Error>>,
) -> Result<T, Failure> {
    // Projections are the service's code: a panic of theirs must not end the lane.
    let running = AssertUnwindSafe(running).catch_unwind();
    match tokio::time::timeout(LONGEST_BATCH, running).await {
        Ok(Ok(outcome)) => outcome.map_err(Failure::Database),
        Ok(Err(_panic)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::Hung),
    }
}

fn answer(submissions: Vec<Submission>, verdicts: Vec<Verdict>) {
    for (submission, verdict) in submissions.into_iter().zip(verdicts) {
        match &verdict {
            Verdict::Failed(Error::Bug(reason)) => error!("a command failed: {reason}"),
            Verdict::Failed(error @ Error::Outdated(_)) => warn!("a command was refused: {error}"),
            _ => {}
        }
        submission.decision.finish(verdict);
    }
}

/// Why a batch was not committed, as far as is known.
#[derive(Debug)]
enum Failure {
    Database(database::Error),
    /// A projection or a state's timers panicked.
    Panicked,
    /// It was given up after [`LONGEST_BATCH`].
    Hung,
}

impl Failure {
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Database(error) => error.is_unavailable(),
            Self::Hung => true,
            Self::Panicked => false,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Database(error) => chain(error),
            Self::Panicked => "a projection panicked".to_owned(),
            Self::Hung => format!("no commit within {LONGEST_BATCH:?}"),
        }
    }

    fn to_error(&self) -> Error {
        if self.is_unavailable() {
            Error::Unavailable(self.text())
        } else {
            Error::Bug(self.text())
        }
    }
}
