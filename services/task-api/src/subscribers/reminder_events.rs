//! What became of reminders.

use dapr_client::{Ack, Delivery};
use event_schema::{ReminderEvent, decode};

use crate::app::AppState;
use crate::error::Error;

/// Checks that the event can be read; task-api keeps nothing of it yet.
pub async fn on_reminder_events(_app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    decode::<ReminderEvent>(&delivery.envelope)?;
    Ok(Ack::Success)
}
