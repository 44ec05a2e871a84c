//! The one writer of a process: commits many commands together.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::error::chain;
use crate::ledger::Core;
use crate::submission::{Submission, Verdict};
use crate::{Error, batch, metrics};

use std::sync::Arc;

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
                biased;
                received = self.queue.recv_many(&mut waiting, self.limits.batch) => received,
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close(); // What is queued is still carried out.
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            self.process(std::mem::take(&mut waiting)).await;
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
                Ok(verdicts) => answer(batch, verdicts),
                Err(failure) if failure.is_unavailable() || batch.len() == 1 => {
                    refuse(batch, &failure);
                }
                Err(failure) => {
                    let count = batch.len();
                    warn!(error = %chain(&failure), "splitting a batch of {count} commands");
                    let second = batch.split_off(batch.len() / 2);
                    stack.push(second);
                    stack.push(batch); // The first half first: order of arrival.
                }
            }
        }
    }

    async fn commit(
        &self,
        submissions: &mut [Submission],
    ) -> Result<Vec<Verdict>, database::Error> {
        let started = tokio::time::Instant::now();
        let committed = batch::run(&self.core, submissions).await?;
        metrics::batch(
            self.core.app,
            submissions.len(),
            committed.events,
            started.elapsed(),
        );
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
}

fn answer(submissions: Vec<Submission>, verdicts: Vec<Verdict>) {
    for (submission, verdict) in submissions.into_iter().zip(verdicts) {
        if let Verdict::Failed(Error::Bug(reason)) = &verdict {
            error!("a command failed: {reason}");
        }
        submission.decision.finish(verdict);
    }
}

fn refuse(submissions: Vec<Submission>, failure: &database::Error) {
    let error = Error::from_ref(failure);
    warn!(error = %chain(failure), "a batch of {} commands failed", submissions.len());
    for submission in submissions {
        submission.decision.finish(Verdict::Failed(error.clone()));
    }
}
