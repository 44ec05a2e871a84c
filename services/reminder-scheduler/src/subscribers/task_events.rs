//! What became of tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, ReminderEvent, TaskEvent, decode};
use event_store::{Context, Inbound, Outcome, StreamRef};

use crate::app::AppState;
use crate::domain::RemindersStream;
use crate::domain::reminders::{Command, decide};
use crate::error::Error;
use crate::workers::metrics;

/// Makes the plan of a task's reminders what its newest state says, whatever happened to it.
pub(super) async fn on_task_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(data) = decode::<TaskEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let task_id = data.state.id;
    let command = Command::Reconcile {
        task: Box::new(data.state),
        version: delivery.envelope.version(),
    };
    let context = Context::of_delivery(App::ReminderScheduler, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let streams = [StreamRef::of::<RemindersStream>(task_id)];
    // The last decision is the one that counts.
    let missed = Arc::new(AtomicU64::new(0));
    let decided = Arc::clone(&missed);
    let rules = app.tzdb_version;
    let decision = move |unit: &mut event_store::Unit<'_>| {
        let state = unit.state::<RemindersStream>(task_id);
        let events = decide(state.as_ref(), command.clone(), unit.now(), rules)?;
        for event in &events {
            unit.append::<RemindersStream>(task_id, event);
        }
        decided.store(count_missed(&events), Ordering::Relaxed);
        Ok::<_, Error>(())
    };
    let outcome = app.ledger.receive(context, inbound, &streams, decision);
    if let Outcome::Accepted(_) = outcome.await? {
        metrics::missed(missed.load(Ordering::Relaxed));
    }
    Ok(Ack::Success)
}

fn count_missed(events: &[ReminderEvent]) -> u64 {
    let missed = events
        .iter()
        .filter(|event| matches!(event, ReminderEvent::Missed(_)));
    missed.count() as u64
}
