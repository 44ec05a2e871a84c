//! What became of tasks.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, TaskEvent, decode};
use event_store::{Context, Inbound, StreamRef, Unit};

use crate::app::AppState;
use crate::domain::ProgressStream;
use crate::domain::progress::{Command, decide};
use crate::error::Error;

/// Takes in that an occurrence is finished, whichever event of it says so.
pub(super) async fn on_task_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(data) = decode::<TaskEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    // An open occurrence goes through the gate too: an older event that says otherwise is then stale.
    let Some((series_id, command)) = Command::of_task(data.state) else {
        return Ok(Ack::Success);
    };
    let context = Context::of_delivery(App::RecurringGenerator, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let streams = [StreamRef::of::<ProgressStream>(series_id)];
    let decision = move |unit: &mut Unit<'_>| {
        let state = unit.state::<ProgressStream>(series_id);
        for event in decide(state.as_ref(), command.clone())? {
            unit.append::<ProgressStream>(series_id, &event);
        }
        Ok::<_, Error>(())
    };
    app.ledger
        .receive(context, inbound, &streams, decision)
        .await?;
    Ok(Ack::Success)
}
