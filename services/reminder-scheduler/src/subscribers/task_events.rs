//! What became of tasks.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, TaskEvent, decode};
use event_store::{Context, Inbound, StreamRef};

use crate::app::AppState;
use crate::domain::RemindersStream;
use crate::domain::reminders::{Command, decide};
use crate::error::Error;

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
    let decision = move |unit: &mut event_store::Unit<'_>| {
        let state = unit.state::<RemindersStream>(task_id);
        for event in decide(state.as_ref(), command.clone(), unit.now())? {
            unit.append::<RemindersStream>(task_id, &event);
        }
        Ok::<_, Error>(())
    };
    app.ledger
        .receive(context, inbound, &streams, decision)
        .await?;
    Ok(Ack::Success)
}
