//! The loop of a worker that does something when timers of a kind become due.

use std::fmt::Display;
use std::time::Duration;

use clock::SharedClock;
use event_store::{Aggregate, Ledger};
use tokio::sync::futures::Notified;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How often it looks although nobody said that there is something: another replica may have set a
/// timer, or left one.
const POLL: Duration = Duration::from_secs(5);
/// How long it waits after a failure. What was claimed is free again when its lease ends.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Calls `once` whenever timers of the kind `A` may be due, until `stop`. `once` claims what is due, does
/// it, and returns how many timers that were; then it is called again at once, until there are none.
pub async fn run<A, E, F>(
    ledger: &Ledger,
    clock: &SharedClock,
    stop: CancellationToken,
    once: impl Fn() -> F + Send,
) where
    A: Aggregate,
    E: Display,
    F: Future<Output = Result<usize, E>> + Send,
{
    let mut measured = None;
    while !stop.is_cancelled() {
        // Asked for before looking, so that a timer that is set in between is not overslept.
        let changed = ledger.timers_changed();
        let done = once().await;
        measure::<A>(ledger, &mut measured).await;
        match done {
            Ok(0) => wait_for_work::<A>(ledger, clock, changed, &stop).await,
            Ok(_) => {}
            Err(error) => {
                warn!(%error, "what is due cannot be done: {error}");
                stop.run_until_cancelled(tokio::time::sleep(BACK_OFF)).await;
            }
        }
    }
}

/// Shows how far behind it is, now and then.
async fn measure<A: Aggregate>(ledger: &Ledger, measured: &mut Option<Instant>) {
    if measured.is_some_and(|at| at.elapsed() < POLL) {
        return;
    }
    *measured = Some(Instant::now());
    if let Err(error) = ledger.measure_timers::<A>().await {
        warn!(%error, "the timers cannot be measured: {error}");
    }
}

async fn wait_for_work<A: Aggregate>(
    ledger: &Ledger,
    clock: &SharedClock,
    changed: Notified<'_>,
    stop: &CancellationToken,
) {
    // While the table cannot be read, the poll is what is left.
    let next = ledger.next_timer_at::<A>().await.unwrap_or_default();
    tokio::select! {
        () = changed => {}
        () = stop.cancelled() => {}
        () = tokio::time::sleep(POLL) => {}
        () = clock.sleep_until(next.unwrap_or_default()), if next.is_some() => {}
    }
}
