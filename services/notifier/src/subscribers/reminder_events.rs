//! Reminders that reached their time: the user is told.

mod missed;

use dapr_client::{Ack, Delivery};
use event_schema::{
    App, Decoded, EventId, NotificationId, NotificationKind, ReminderEvent, ReminderFired,
    ReminderWithdrawn, TaskReminders, decode,
};
use event_store::{Context, Inbound, StreamRef, Unit};

use crate::app::AppState;
use crate::domain::notification::{Command, NewNotification, decide};
use crate::domain::{NotificationStream, WatchStream, reminder};
use crate::error::Error;

/// Makes a notification of what fired, and one of all that was missed, unless nobody waits for the task
/// any more.
pub async fn on_reminder_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(event) = decode::<ReminderEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let (id, of) = (delivery.envelope.id, event.state);
    match event.change {
        ReminderEvent::Fired(fired) => tell(&app, &delivery, id, fired, of).await,
        ReminderEvent::Missed(one) => missed::sum_up(&app, &delivery, id, one, of).await,
        ReminderEvent::Withdrawn(change) if change.missed => {
            missed::take_back(&app, &delivery, &change, of.owner_id).await
        }
        ReminderEvent::Withdrawn(change) => take_back(&app, &delivery, &change, &of).await,
        // The inbox need not know.
        ReminderEvent::Scheduled(_)
        | ReminderEvent::Moved(_)
        | ReminderEvent::Replanned(_)
        | ReminderEvent::Cancelled(_)
        | ReminderEvent::TaskSeen(_) => Ok(Ack::Success),
    }
}

async fn tell(
    app: &AppState,
    delivery: &Delivery,
    id: EventId,
    fired: ReminderFired,
    of: TaskReminders,
) -> Result<Ack, Error> {
    let task = StreamRef::of::<WatchStream>(of.task_id);
    receive(app, delivery, &[task], move |unit| {
        let watch = unit.state::<WatchStream>(of.task_id);
        let told = reminder::fired(id, &fired, &of, watch.as_ref());
        told.map_or(Ok(()), |new| create(unit, new))
    })
    .await
}

/// Takes back what was told by mistake, also when it was not told yet.
async fn take_back(
    app: &AppState,
    delivery: &Delivery,
    change: &ReminderWithdrawn,
    of: &TaskReminders,
) -> Result<Ack, Error> {
    let (id, user_id) = (reminder::withdrawn(change, of.owner_id), of.owner_id);
    let kind = NotificationKind::ReminderFired;
    let notification = StreamRef::of::<NotificationStream>(id);
    receive(app, delivery, &[notification], move |unit| {
        give(unit, id, Command::Withdraw { id, user_id, kind })
    })
    .await
}

/// Hands a decision about what was delivered to the ledger.
async fn receive(
    app: &AppState,
    delivery: &Delivery,
    streams: &[StreamRef],
    decide: impl Fn(&mut Unit<'_>) -> Result<(), Error> + Send + 'static,
) -> Result<Ack, Error> {
    let context = Context::of_delivery(App::Notifier, delivery, app.clock.now());
    let inbound = Inbound::of_delivery(delivery)?;
    app.ledger
        .receive(context, inbound, streams, decide)
        .await?;
    Ok(Ack::Success)
}

/// Puts a notification into the inbox, unless it is there.
pub(super) fn create(unit: &mut Unit<'_>, new: NewNotification) -> Result<(), Error> {
    give(unit, new.id, Command::Create(new))
}

fn give(unit: &mut Unit<'_>, id: NotificationId, command: Command) -> Result<(), Error> {
    let known = unit.state::<NotificationStream>(id);
    for event in decide(known.as_ref(), command, unit.now())? {
        unit.append::<NotificationStream>(id, &event);
    }
    Ok(())
}
