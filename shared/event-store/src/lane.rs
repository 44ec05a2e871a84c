//! The one writer of a process: commits many commands together.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use database::Writer;
use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::error::chain;
use crate::ledger::Core;
use crate::submission::{Submission, Verdict};
use crate::{Error, batch, metrics};

/// When a batch is given up: the server bounds statements and locks, but nobody else bounds the wait
/// for an answer that a broken network swallowed.
const LONGEST_BATCH: Duration = Duration::from_secs(10);
/// A batch that took longer is worth a line.
const SLOW_BATCH: Duration = Duration::from_secs(1);

/// Bounds of the lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Commands that may wait; one more is refused with [`Error::Overloaded`].
    pub queue: usize,
    /// Commands that share a transaction at most.
    pub batch: usize,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self {
            queue: 1024,
            batch: 256,
        }
    }
}

/// The one writer of a process. There is no timer in it: a batch is whatever queued while the last
/// commit was being flushed.
pub struct Lane {
    pub(crate) core: Arc<Core>,
    pub(crate) writer: Writer,
    pub(crate) queue: mpsc::Receiver<Submission>,
    pub(crate) limits: LaneLimits,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Lane {
    /// Commits batch after batch until `stop`, then what was still queued, and ends.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(self.limits.batch);
        loop {
            let received = tokio::select! {
                biased; // Or a queue that is never empty would hide the stop.
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close(); // What is queued is still carried out.
                    continue;
                }
                received = self.queue.recv_many(&mut waiting, self.limits.batch) => received,
            };
            if received == 0 {
                return;
            }
            self.process(std::mem::take(&mut waiting)).await;
        }
    }

    /// Runs on a thread of its own until `stop`, as [`Lane::run`] does. A batch is a dozen trips to
    /// the database one after the other; between the requests of a busy runtime, each answer would
    /// wait for its turn to be read, and all commands with it.
    ///
    /// # Panics
    ///
    /// When the system gives no thread, and when the lane panicked.
    pub async fn run_apart(self, stop: CancellationToken) {
        let (ended, end) = oneshot::channel();
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.expect("the lane's runtime");
            let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(self.run(stop))));
            // Nobody waits when the process is ending anyway.
            let _ = ended.send(outcome);
        };
        let thread = std::thread::Builder::new().name("lane".to_owned());
        thread.spawn(work).expect("a thread for the lane");
        match end.await {
            Ok(Ok(())) => {}
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => panic!("the lane's thread is gone"),
        }
    }

    /// Commits what is queued now; returns how many commands that were. For tests and simulations.
    pub async fn run_once(&mut self) -> usize {
        let mut waiting = Vec::new();
        while waiting.len() < self.limits.batch {
            match self.queue.try_recv() {
                Ok(submission) => waiting.push(submission),
                Err(_) => break,
            }
        }
        let count = waiting.len();
        self.process(waiting).await;
        count
    }

    /// Commits a batch. One that fails for its content is split until the guilty command is alone.
    async fn process(&self, submissions: Vec<Submission>) {
        let mut stack = vec![submissions];
        while let Some(mut batch) = stack.pop() {
            if batch.is_empty() {
                continue;
            }
            match self.commit(&mut batch).await {
                Ok(verdicts) => {
                    stack.push(batch.split_off(verdicts.len())); // What did not fit.
                    answer(batch, verdicts);
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

    async fn commit(&self, submissions: &mut [Submission]) -> Result<Vec<Verdict>, Failure> {
        let started = tokio::time::Instant::now();
        // Projections are the service's code: a panic of theirs must not end the lane.
        let running =
            AssertUnwindSafe(batch::run(&self.core, &self.writer, submissions)).catch_unwind();
        let committed = match tokio::time::timeout(LONGEST_BATCH, running).await {
            Ok(Ok(outcome)) => outcome.map_err(Failure::Database)?,
            Ok(Err(_panic)) => return Err(Failure::Panicked),
            Err(_) => return Err(Failure::Hung),
        };
        let (took, commands) = (started.elapsed(), committed.verdicts.len());
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
        Ok(committed.verdicts)
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
