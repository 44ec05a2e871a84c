//! Named tasks that are expected to run until they are told to stop.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::kit::panic_message;

/// What a part is called in logs and failures.
pub type Name = Cow<'static, str>;

/// What a loop fails with.
pub type TaskError = Box<dyn Error + Send + Sync>;

/// Why a service stopped by itself, or did not stop well.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// A loop returned although nobody had told it to.
    #[error("{0} ended by itself")]
    Ended(Name),
    /// A loop gave up.
    #[error("{name} failed")]
    Failed {
        /// The loop.
        name: Name,
        /// Why.
        source: TaskError,
    },
    /// A loop has a bug.
    #[error("{name} panicked: {message}")]
    Panicked {
        /// The loop.
        name: Name,
        /// What the panic said.
        message: String,
    },
    /// Loops did not finish their batch in time; what they had not committed will be done again.
    #[error("{} did not stop in time", .0.join(", "))]
    TimedOut(Vec<Name>),
    /// A second signal came while stopping.
    #[error("stopping was cut short by a second signal")]
    CutShort,
}

#[derive(Debug)]
pub(super) struct Tasks {
    stop: CancellationToken,
    running: JoinSet<Result<(), TaskError>>,
    names: HashMap<Id, Name>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            stop: CancellationToken::new(),
            running: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    pub(super) fn spawn<F>(&mut self, name: Name, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = Result<(), TaskError>> + Send + 'static,
    {
        let task = self.running.spawn(work(self.stop.clone()));
        self.names.insert(task.id(), name);
    }

    /// Completes when a task ends, which none should before `stop`. Safe to cancel.
    pub(super) async fn first_failure(&mut self) -> TaskFailure {
        match self.running.join_next_with_id().await {
            Some(ended) => {
                let (name, outcome) = self.outcome(ended);
                outcome.err().unwrap_or(TaskFailure::Ended(name))
            }
            None => std::future::pending().await,
        }
    }

    /// Tells all tasks to stop and waits for them. Those that are not done in time are aborted.
    pub(super) async fn stop(&mut self, timeout: Option<Duration>) -> Result<(), TaskFailure> {
        self.stop.cancel();
        let Some(timeout) = timeout else {
            return self.join_all().await;
        };
        let joined = tokio::time::timeout(timeout, self.join_all()).await;
        joined.unwrap_or_else(|_elapsed| {
            self.running.abort_all();
            let mut late: Vec<_> = self.names.values().cloned().collect();
            late.sort_unstable();
            Err(TaskFailure::TimedOut(late))
        })
    }

    /// Waits for all tasks and tells the first failure.
    async fn join_all(&mut self) -> Result<(), TaskFailure> {
        let mut result = Ok(());
        while let Some(ended) = self.running.join_next_with_id().await {
            let (_, outcome) = self.outcome(ended);
            result = result.and(outcome);
        }
        result
    }

    fn outcome(&mut self, ended: Joined) -> (Name, Result<(), TaskFailure>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        // Every task was given a name when it was spawned.
        let name = self.names.remove(&id).unwrap_or(Cow::Borrowed("a task"));
        let outcome = match ended {
            Ok((_, Ok(()))) => Ok(()),
            Ok((_, Err(source))) => Err(TaskFailure::Failed {
                name: name.clone(),
                source,
            }),
            Err(error) => Err(TaskFailure::Panicked {
                name: name.clone(),
                message: panic_text(error),
            }),
        };
        (name, outcome)
    }
}

type Joined = Result<(Id, Result<(), TaskError>), JoinError>;

fn panic_text(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => panic_message(&*panic).to_owned(),
        Err(_cancelled) => "cancelled".to_owned(),
    }
}
