//! Plans anew what older zone rules have planned.

use std::time::Duration;

use event_schema::{App, ReminderEvent, TaskId};
use event_store::{Answer, Context, Outcome, StreamRef, Unit};
use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::app::AppState;
use crate::domain::RemindersStream;
use crate::domain::reminders::{Command, decide};
use crate::error::Error;
use crate::store::plans;
use crate::workers::metrics;

/// How many tasks are looked up at once.
const BATCH: u16 = 256;
/// How many of them are in the lane's hands at a time: its queue is for those who wait.
const IN_FLIGHT: usize = 32;
/// How often it looks again: a replica with older rules may have been at work.
const PERIOD: Duration = Duration::from_hours(1);
/// How long it waits when there is too much else to do, or the database is away.
const BACK_OFF: Duration = Duration::from_secs(2);

/// What a pass did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Tasks that were planned anew.
    pub tasks: usize,
    /// Reminders that have another instant now.
    pub moved: usize,
}

/// Looks now and every hour, until `stop`.
pub async fn run(app: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let (mut pass, mut after) = (Pass::default(), TaskId(Uuid::nil()));
        loop {
            let batch = stop.run_until_cancelled(batch(&app, &mut after, &mut pass));
            match batch.await {
                None | Some(Ok(false)) => break,
                Some(Ok(true)) => {}
                Some(Err(error)) => {
                    warn!(%error, "reminders cannot be planned anew now: {error}");
                    stop.run_until_cancelled(tokio::time::sleep(BACK_OFF)).await;
                }
            }
        }
        report(&app, pass);
        stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await;
    }
}

/// Looks once.
#[tracing::instrument(name = "worker.follow_zone_rules", level = "debug", skip_all)]
pub async fn run_once(app: &AppState) -> Result<Pass, Error> {
    let (mut pass, mut after) = (Pass::default(), TaskId(Uuid::nil()));
    while batch(app, &mut after, &mut pass).await? {}
    Ok(pass)
}

/// Plans some tasks anew; returns whether there may be more. What is done is not found again, so whoever
/// goes on after an interruption begins from the start.
async fn batch(app: &AppState, after: &mut TaskId, pass: &mut Pass) -> Result<bool, Error> {
    let database = app.ledger.database();
    let found = plans::planned_before(database, app.tzdb_version, *after, BATCH).await;
    let found = found.map_err(event_store::Error::from)?;
    let Some(last) = found.last().copied() else {
        return Ok(false);
    };
    let mut done = stream::iter(found)
        .map(|task_id| replan(app, task_id))
        .buffered(IN_FLIGHT);
    while let Some(moved) = done.next().await {
        match moved {
            Ok(None) => {}
            Ok(Some(moved)) => {
                metrics::replanned(moved);
                pass.tasks += 1;
                pass.moved += moved;
            }
            Err(error) if error.kind().is_transient() => return Err(error),
            // The others need not wait for one that cannot be read.
            Err(error) => warn!(%error, "the reminders of a task cannot be planned anew: {error}"),
        }
    }
    *after = last;
    Ok(true)
}

/// How many reminders of a task moved; `None` when somebody else was faster.
async fn replan(app: &AppState, task_id: TaskId) -> Result<Option<usize>, Error> {
    let context = Context::of_worker(App::ReminderScheduler, app.clock.now());
    let streams = [StreamRef::of::<RemindersStream>(task_id)];
    let rules = app.tzdb_version;
    let decision = move |unit: &mut Unit<'_>| {
        let state = unit.state::<RemindersStream>(task_id);
        let events = decide(state.as_ref(), Command::Replan, unit.now(), rules)?;
        for event in &events {
            unit.append::<RemindersStream>(task_id, event);
        }
        let mut answer = Answer::default();
        if !events.is_empty() {
            answer.body = count_moved(&events).to_string();
        }
        Ok::<_, Error>(answer)
    };
    let outcome = app.ledger.execute(context, None, &streams, decision);
    match outcome.await? {
        Outcome::Accepted(answer) => Ok(answer.body.parse().ok()),
        _ => Ok(None),
    }
}

fn count_moved(events: &[ReminderEvent]) -> usize {
    let moved = events
        .iter()
        .filter(|event| matches!(event, ReminderEvent::Moved(_)));
    moved.count()
}

fn report(app: &AppState, pass: Pass) {
    let Pass { tasks, moved } = pass;
    if tasks > 0 {
        let rules = app.tzdb_version;
        info!(
            tasks,
            moved,
            tzdb.version = rules,
            "planned the reminders of {tasks} tasks anew by the zone rules of {rules}: {moved} moved"
        );
    }
}
