//! Reminders that were missed: the user is told of all of them at once.

use dapr_client::{Ack, Delivery};
use event_schema::{
    EventId, MissEvent, MissSummed, MissWithdrawn, MissedReminder, NotificationId,
    NotificationKind, ReminderMissed, ReminderWithdrawn, SummaryBegun, SummaryEvent, TaskReminders,
    UserId, fired_event_id,
};
use event_store::{StreamRef, Unit};

use super::{create, give, receive};
use crate::app::AppState;
use crate::domain::notification::Command;
use crate::domain::{
    MissStream, NotificationStream, SummaryStream, WatchStream, reminder, summary,
};
use crate::error::Error;

/// Adds what was missed to the user's open summary, or begins one.
pub(super) async fn sum_up(
    app: &AppState,
    delivery: &Delivery,
    id: EventId,
    missed: ReminderMissed,
    of: TaskReminders,
) -> Result<Ack, Error> {
    let streams = [
        StreamRef::of::<MissStream>(id),
        StreamRef::of::<WatchStream>(of.task_id),
        StreamRef::of::<SummaryStream>(of.owner_id),
    ];
    receive(app, delivery, &streams, move |unit| {
        let watch = unit.state::<WatchStream>(of.task_id);
        let one = reminder::missed(&missed, &of, watch.as_ref());
        // Known is what is in a summary, or was taken back before it came.
        let is_known = unit.state::<MissStream>(id).is_some();
        match one.filter(|_| !is_known) {
            Some(one) => add(unit, id, of.owner_id, one),
            None => Ok(()),
        }
    })
    .await
}

fn add(
    unit: &mut Unit<'_>,
    event_id: EventId,
    user_id: UserId,
    one: MissedReminder,
) -> Result<(), Error> {
    let newest = unit.state::<SummaryStream>(user_id);
    let open = newest.and_then(|newest| unit.state::<NotificationStream>(newest.notification_id));
    let now = unit.now();
    let extended = open.and_then(|open| {
        let update = summary::extended(&open, one.clone(), now)?;
        Some((open.id, update))
    });
    let notification_id = if let Some((id, update)) = extended {
        give(unit, id, Command::Update(update))?;
        id
    } else {
        begin(unit, event_id, user_id, one)?
    };
    let summed = MissSummed {
        event_id,
        user_id,
        notification_id,
    };
    unit.append::<MissStream>(event_id, &MissEvent::Summed(summed));
    Ok(())
}

fn begin(
    unit: &mut Unit<'_>,
    event_id: EventId,
    user_id: UserId,
    one: MissedReminder,
) -> Result<NotificationId, Error> {
    let new = summary::begun(event_id, user_id, one);
    let notification_id = new.id;
    create(unit, new)?;
    let begun = SummaryBegun {
        user_id,
        notification_id,
    };
    unit.append::<SummaryStream>(user_id, &SummaryEvent::Begun(begun));
    Ok(notification_id)
}

/// Takes what was missed by mistake out of its summary, or sees to it that it does not come into one.
pub(super) async fn take_back(
    app: &AppState,
    delivery: &Delivery,
    change: &ReminderWithdrawn,
    user_id: UserId,
) -> Result<Ack, Error> {
    let event_id = fired_event_id(change.reminder_id, change.scheduled_for);
    let miss = StreamRef::of::<MissStream>(event_id);
    receive(app, delivery, &[miss], move |unit| {
        let known = unit.state::<MissStream>(event_id);
        if known.as_ref().is_some_and(|miss| miss.withdrawn) {
            return Ok(());
        }
        let withdrawn = MissWithdrawn { event_id, user_id };
        unit.append::<MissStream>(event_id, &MissEvent::Withdrawn(withdrawn));
        let summary = known.and_then(|miss| miss.notification_id);
        summary.map_or(Ok(()), |id| reduce(unit, id, event_id))
    })
    .await
}

fn reduce(unit: &mut Unit<'_>, id: NotificationId, gone: EventId) -> Result<(), Error> {
    let Some(known) = unit.state::<NotificationStream>(id) else {
        return Ok(()); // The unit has still to load it.
    };
    let missed = known.missed.unwrap_or_default();
    let kind = NotificationKind::ReminderMissed;
    let withdraw = Command::Withdraw {
        id,
        user_id: known.user_id,
        kind,
    };
    let command = summary::reduced(&missed, gone).map_or(withdraw, Command::Update);
    give(unit, id, command)
}
