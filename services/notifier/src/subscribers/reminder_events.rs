//! Reminders that reached their time: the user is told.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, NotificationId, ReminderEvent, decode};
use event_store::{Context, Inbound, StreamRef, Unit};

use crate::app::AppState;
use crate::domain::notification::{Command, NewNotification, decide};
use crate::domain::{NotificationStream, WatchStream, reminder};
use crate::error::Error;

/// Makes a notification of what fired or was missed, unless nobody waits for the task any more.
pub async fn on_reminder_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(event) = decode::<ReminderEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let user_id = event.state.owner_id;
    if let Some((id, kind)) = reminder::withdrawn(&event.change, user_id) {
        let command = Command::Withdraw { id, user_id, kind };
        return withdraw(&app, &delivery, id, command).await;
    }
    let (id, task_id) = (delivery.envelope.id, event.state.task_id);
    let Some(told) = reminder::notification(id, &event.change, &event.state, None) else {
        return Ok(Ack::Success); // Planned or cancelled: the inbox need not know.
    };
    let context = Context::of_delivery(App::Notifier, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let streams = [
        StreamRef::of::<WatchStream>(task_id),
        StreamRef::of::<NotificationStream>(told.id),
    ];
    let decide = move |unit: &mut Unit<'_>| {
        let watch = unit.state::<WatchStream>(task_id);
        let told = reminder::notification(id, &event.change, &event.state, watch.as_ref());
        told.map_or(Ok(()), |new| create(unit, new))
    };
    app.ledger
        .receive(context, inbound, &streams, decide)
        .await?;
    Ok(Ack::Success)
}

/// Takes back what was told by mistake, also when it was not told yet.
async fn withdraw(
    app: &AppState,
    delivery: &Delivery,
    id: NotificationId,
    command: Command,
) -> Result<Ack, Error> {
    let context = Context::of_delivery(App::Notifier, delivery, app.clock.now());
    let inbound = Inbound::of_delivery(delivery)?;
    let streams = [StreamRef::of::<NotificationStream>(id)];
    let decide = move |unit: &mut Unit<'_>| {
        let known = unit.state::<NotificationStream>(id);
        for event in decide(known.as_ref(), command.clone(), unit.now())? {
            unit.append::<NotificationStream>(id, &event);
        }
        Ok::<_, Error>(())
    };
    app.ledger
        .receive(context, inbound, &streams, decide)
        .await?;
    Ok(Ack::Success)
}

/// Puts a notification into the inbox, unless it is there.
pub(super) fn create(unit: &mut Unit<'_>, new: NewNotification) -> Result<(), Error> {
    let id = new.id;
    let known = unit.state::<NotificationStream>(id);
    for event in decide(known.as_ref(), Command::Create(new), unit.now())? {
        unit.append::<NotificationStream>(id, &event);
    }
    Ok(())
}
