//! Announces the slots of series on schedule whose time has come.

use std::time::Duration;

use event_schema::App;
use event_store::{Answer, Context, DueTimer, StreamRef, Unit};
use futures_util::{StreamExt, stream};
use service_kit::timers;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::app::AppState;
use crate::domain::ProgressStream;
use crate::domain::progress::{Command, decide};
use crate::error::Error;

/// How many timers are claimed at once: what is done well within a lease.
const BATCH: u32 = 1024;
/// How many of them are in the lane's hands at a time: a batch that it commits and one that fills
/// meanwhile. The rest of its queue is for others.
const IN_FLIGHT: usize = 512;

/// Between two tries to renew the timers.
const BACK_OFF: Duration = Duration::from_secs(1);

/// Announces slots as their time comes, until `stop`.
pub async fn run(app: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match renew(&app).await {
            Err(error) if error.kind().is_transient() => {
                warn!(%error, "the timers cannot be renewed now: {error}");
                stop.run_until_cancelled(tokio::time::sleep(BACK_OFF)).await;
            }
            Err(error) => {
                warn!(%error, "the timers stay as they are: {error}");
                break;
            }
            Ok(_) => break,
        }
    }
    let once = || run_once(&app);
    timers::run::<ProgressStream, _, _>(&app.ledger, &app.clock, stop, once).await;
}

/// Makes the timers what the rules of the time zones say today: they may be others than when a series was
/// heard of last. Returns how many were others.
pub async fn renew(app: &AppState) -> Result<usize, Error> {
    let renewed = app.ledger.renew_timers::<ProgressStream>().await?;
    if renewed > 0 {
        let rules = recurrence::tzdb_version();
        info!(
            renewed,
            tzdb.version = rules,
            "set {renewed} timers to other times, by the zone rules of {rules}"
        );
    }
    Ok(renewed)
}

/// Announces what is due now, one batch; returns how many series that were.
#[tracing::instrument(name = "worker.make_due_occurrences", level = "debug", skip_all)]
pub async fn run_once(app: &AppState) -> Result<usize, Error> {
    let due = app.ledger.claim_due_timers::<ProgressStream>(BATCH).await?;
    let claimed = due.len();
    // One that fails does not keep the others.
    let made = stream::iter(due).map(|timer| make(app, timer));
    let outcomes: Vec<Result<(), Error>> = made.buffered(IN_FLIGHT).collect().await;
    outcomes.into_iter().collect::<Result<(), Error>>()?;
    Ok(claimed)
}

async fn make(app: &AppState, timer: DueTimer) -> Result<(), Error> {
    let context = Context::of_worker(App::RecurringGenerator, app.clock.now());
    let streams = [StreamRef::of::<ProgressStream>(timer.stream_id)];
    let decision = move |unit: &mut Unit<'_>| {
        let state = unit.state::<ProgressStream>(timer.stream_id);
        let command = Command::Make { now: unit.now() };
        for event in decide(state.as_ref(), command)? {
            unit.append::<ProgressStream>(timer.stream_id, &event);
        }
        Ok::<_, Error>(Answer::default())
    };
    let done = app.ledger.execute(context, None, &streams, decision);
    done.await?;
    Ok(())
}
