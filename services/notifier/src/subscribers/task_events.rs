//! The life of tasks: whether anybody still waits for them.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, TaskEvent, decode};
use event_store::{Context, Inbound, StreamRef};

use crate::app::AppState;
use crate::domain::{WatchStream, watch};
use crate::error::Error;

/// Keeps what a notification must not show differently.
pub async fn on_task_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(event) = decode::<TaskEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let context = Context::of_delivery(App::Notifier, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let (version, task) = (inbound.version, event.state);
    let stream = StreamRef::of::<WatchStream>(task.id);
    let decide = move |unit: &mut event_store::Unit<'_>| {
        let known = unit.state::<WatchStream>(task.id);
        for event in watch::decide(known.as_ref(), version, &task) {
            unit.append::<WatchStream>(task.id, &event);
        }
        Ok::<_, Error>(())
    };
    app.ledger
        .receive(context, inbound, &[stream], decide)
        .await?;
    Ok(Ack::Success)
}
