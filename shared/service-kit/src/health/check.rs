//! One check, and how it counts.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{CheckResult, Health, Status};
use crate::problem;

type Verdict = Result<(), String>;
type Ask = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Verdict> + Send>> + Send + Sync>;

/// A check under its name.
#[derive(Clone)]
pub(super) struct Check {
    name: &'static str,
    counts: Counts,
}

#[derive(Clone)]
enum Counts {
    /// It has to pass, always.
    Always(Ask),
    /// It has to pass once, and whether it did.
    UntilSeen(Ask, Arc<AtomicBool>),
    /// As the checks of this part do.
    AsPart(Health),
}

impl Check {
    pub(super) fn always(name: &'static str, ask: Ask) -> Self {
        let counts = Counts::Always(ask);
        Self { name, counts }
    }

    pub(super) fn until_seen(name: &'static str, ask: Ask) -> Self {
        let counts = Counts::UntilSeen(ask, Arc::default());
        Self { name, counts }
    }

    pub(super) fn part(name: &'static str, part: Health) -> Self {
        let counts = Counts::AsPart(part);
        Self { name, counts }
    }

    pub(super) async fn run(self, timeout: Duration) -> (Status, CheckResult) {
        let status = match self.counts {
            Counts::Always(ask) => judge(self.name, within(timeout, &ask).await, false),
            Counts::UntilSeen(ask, seen) => {
                let verdict = within(timeout, &ask).await;
                let before = seen.fetch_or(verdict.is_ok(), Ordering::Relaxed);
                judge(self.name, verdict, before)
            }
            Counts::AsPart(part) => {
                let readiness = Box::pin(part.readiness_within(timeout)).await;
                if !readiness.status.takes_requests() {
                    tracing::warn!(check = self.name, "not ready: {}", self.name);
                }
                readiness.status
            }
        };
        let ok = status == Status::Ready;
        let name = self.name;
        (status, CheckResult { name, ok })
    }
}

/// A check whose error is told with its causes.
pub(super) fn ask<F, E>(check: impl Fn() -> F + Send + Sync + 'static) -> Ask
where
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::error::Error,
{
    Arc::new(move || {
        let verdict = check();
        Box::pin(async move { verdict.await.map_err(|error| problem::chain(&error)) })
    })
}

async fn within(timeout: Duration, ask: &Ask) -> Verdict {
    let verdict = tokio::time::timeout(timeout, ask()).await;
    verdict.unwrap_or_else(|_elapsed| Err("took too long".to_owned()))
}

fn judge(check: &'static str, verdict: Verdict, can_do_without: bool) -> Status {
    match verdict {
        Ok(()) => Status::Ready,
        // Whoever works with it says once that it is gone; this is asked every second.
        Err(error) if can_do_without => {
            tracing::debug!(check, error, "degraded: {check}: {error}");
            Status::Degraded
        }
        Err(error) => {
            tracing::warn!(check, error, "not ready: {check}: {error}");
            Status::NotReady
        }
    }
}
