//! The one writer of a process: commits many commands together.

mod committer;
mod decider;
mod next;
mod thread;

use std::io;
use std::sync::Arc;

use database::Writer;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ledger::Core;
use crate::submission::Submission;
use committer::Committer;
use decider::Decider;
use next::Next;

/// Bounds of the lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Commands that may wait; one more is refused with [`Error::Overloaded`](crate::Error).
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

/// The one writer of a process. There is no timer in it: a batch is what queued while the last
/// commit was being flushed, but of many commands not more than half of those that are here.
///
/// It works in two steps at once: while one batch is written, the next is decided
/// ahead without it. Under the lock the next is then only compared with what it was decided on, and
/// decided once more if another replica was faster.
pub struct Lane {
    queue: mpsc::Receiver<Submission>,
    limits: LaneLimits,
    next: Arc<Next>,
    committer: Committer,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Lane {
    pub(crate) fn new(
        core: Arc<Core>,
        writer: Writer,
        queue: mpsc::Receiver<Submission>,
        limits: LaneLimits,
    ) -> Self {
        let next = Arc::new(Next::new(Arc::clone(&core), limits.batch));
        let committer = Committer::new(core, writer, Arc::clone(&next));
        Self {
            queue,
            limits,
            next,
            committer,
        }
    }

    fn parts(self) -> (Decider, Committer) {
        let decider = Decider {
            next: self.next,
            queue: self.queue,
        };
        (decider, self.committer)
    }

    /// Commits batch after batch until `stop`, then what was still queued, and ends.
    pub async fn run(self, stop: CancellationToken) {
        let (decider, committer) = self.parts();
        tokio::join!(decider.run(stop), committer.run());
    }

    /// Does the same on two threads of its own. A batch is a dozen trips to the database one after the
    /// other; between the requests of a busy runtime, each answer would wait for its turn to be read,
    /// and all commands with it. Dropped, it stops as after `stop`, and nobody waits for the end.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    ///
    /// # Panics
    ///
    /// When the lane panicked.
    pub async fn run_apart(self, stop: CancellationToken) -> io::Result<()> {
        let stop = stop.child_token();
        let _when_dropped = stop.clone().drop_guard();
        let (decider, committer) = self.parts();
        let deciding = thread::run("lane decider", || decider.run(stop))?;
        let committing = thread::run("lane committer", || committer.run())?;
        tokio::join!(deciding, committing);
        Ok(())
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
        self.committer.process(waiting).await;
        count
    }
}
