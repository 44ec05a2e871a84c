//! What the scheduler says about the reminders of our tasks.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, ReminderEvent, decode};
use event_store::{Context, Inbound, StreamRef, Unit};

use crate::app::AppState;
use crate::domain::TaskStream;
use crate::domain::task::{self, Command};
use crate::error::Error;

/// Keeps what became of the reminders of a task: its newest plan says it, whatever happened last.
pub async fn on_reminder_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(data) = decode::<ReminderEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let task_id = data.state.task_id;
    let command = Command::FollowPlan {
        plan: Box::new(data.state),
        version: delivery.envelope.version(),
    };
    // The scheduler told it, so it stands in the history on its account.
    let context = Context::of_delivery(App::ReminderScheduler, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let streams = [StreamRef::of::<TaskStream>(task_id)];
    let decide = move |unit: &mut Unit<'_>| {
        let Some(task) = unit.state::<TaskStream>(task_id) else {
            return Ok(()); // It was purged.
        };
        for event in task::decide(Some(&task), command.clone(), unit.now())? {
            unit.append::<TaskStream>(task_id, &event);
        }
        Ok::<_, Error>(())
    };
    app.ledger
        .receive(context, inbound, &streams, decide)
        .await?;
    Ok(Ack::Success)
}
