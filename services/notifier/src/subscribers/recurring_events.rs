//! Series whose rule has run out: their owner is told.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, ProgressEvent, decode};
use event_store::{Context, Inbound, StreamRef};

use super::reminder_events::create;
use crate::app::AppState;
use crate::domain::notification::NewNotification;
use crate::domain::{NotificationStream, series};
use crate::error::Error;

/// Makes one notification when the rule of a series has run out.
pub async fn on_recurring_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Some(new) = told(&delivery)? else {
        return Ok(Ack::Success);
    };
    let context = Context::of_delivery(App::Notifier, &delivery, app.clock.now());
    let inbound = Inbound::of_delivery(&delivery)?;
    let stream = StreamRef::of::<NotificationStream>(new.id);
    app.ledger
        .receive(context, inbound, &[stream], move |unit| {
            create(unit, new.clone())
        })
        .await?;
    Ok(Ack::Success)
}

fn told(delivery: &Delivery) -> Result<Option<NewNotification>, Error> {
    match decode::<ProgressEvent>(&delivery.envelope)? {
        Decoded::Known(event) => Ok(series::exhausted(&event.state)),
        Decoded::Unknown => Ok(None),
    }
}
