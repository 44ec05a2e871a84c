//! Fires the reminders whose time has come.

use event_schema::{App, EventSet, ReminderEvent};
use event_store::{Answer, Context, DueTimer, Outcome, StreamRef, Unit};
use futures_util::{StreamExt, stream};
use service_kit::timers;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::app::AppState;
use crate::domain::RemindersStream;
use crate::domain::reminders::{Command, decide};
use crate::error::Error;
use crate::workers::metrics;

/// How many timers are claimed at once: what is told well within a lease.
const BATCH: u32 = 1024;
/// How many of them are in the lane's hands at a time: a batch that it commits and one that fills
/// meanwhile. The rest of its queue is for others.
const IN_FLIGHT: usize = 512;
/// Fires timers as they become due, until `stop`.
pub async fn run(app: AppState, stop: CancellationToken) {
    let once = || run_once(&app);
    timers::run::<RemindersStream, _, _>(&app.ledger, &app.clock, stop, once).await;
}

/// Fires what is due now, one batch; returns how many timers that were.
#[tracing::instrument(name = "worker.fire_due_timers", level = "debug", skip_all)]
pub async fn run_once(app: &AppState) -> Result<usize, Error> {
    let due = app
        .ledger
        .claim_due_timers::<RemindersStream>(BATCH)
        .await?;
    // Handed over in the order of their times. One that fails does not keep the others.
    let claimed = due.len();
    let firings = stream::iter(due).map(|timer| fire(app, timer));
    let outcomes: Vec<Result<(), Error>> = firings.buffered(IN_FLIGHT).collect().await;
    outcomes.into_iter().collect::<Result<(), Error>>()?;
    Ok(claimed)
}

async fn fire(app: &AppState, timer: DueTimer) -> Result<(), Error> {
    let context = Context::of_worker(App::ReminderScheduler, app.clock.now());
    let streams = [StreamRef::of::<RemindersStream>(timer.stream_id)];
    let command = Command::Fire {
        reminder_id: timer.timer_id.into(),
        fire_at: timer.fire_at,
    };
    let rules = app.tzdb_version;
    let decision = move |unit: &mut Unit<'_>| {
        let state = unit.state::<RemindersStream>(timer.stream_id);
        let mut answer = Answer::default();
        for event in decide(state.as_ref(), command.clone(), unit.now(), rules)? {
            unit.append::<RemindersStream>(timer.stream_id, &event);
            if let ReminderEvent::Fired(_) | ReminderEvent::Missed(_) = event {
                event.event_type().name.clone_into(&mut answer.body);
            }
        }
        Ok::<_, Error>(answer)
    };
    let outcome = app.ledger.execute(context, None, &streams, decision);
    if let Outcome::Accepted(answer) = outcome.await?
        && !answer.body.is_empty()
    {
        report(app, timer, &answer.body);
    }
    Ok(())
}

/// Called after the commit: how late a reminder is includes making it durable.
fn report(app: &AppState, timer: DueTimer, event_type: &str) {
    let late = app.clock.now() - timer.fire_at;
    metrics::told(event_type, late);
    let (reminder, task) = (timer.timer_id, timer.stream_id);
    info!(
        reminder.id = %reminder,
        task.id = %task,
        event.r#type = event_type,
        late_ms = late.num_milliseconds(),
        "told reminder {reminder} of task {task}"
    );
}
