//! What became of series. Our own events come by here too, and are none of our business.

use dapr_client::{Ack, Delivery};
use event_schema::{App, Decoded, SeriesEvent, decode};
use event_store::{Context, Inbound, StreamRef, Unit};

use crate::app::AppState;
use crate::domain::ProgressStream;
use crate::domain::progress::{Command, decide};
use crate::error::Error;

/// Follows the newest definition of a series.
pub(super) async fn on_recurring_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(data) = decode::<SeriesEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    let series_id = data.state.id;
    let command = Command::Follow {
        series: Box::new(data.state),
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
