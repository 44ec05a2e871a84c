//! Changes of tasks.

use dapr_client::{Ack, Delivery};

use super::task_events::on_task_events;
use crate::app::AppState;
use crate::error::Error;

/// Does what the other topic of tasks does: an event of either may be the newest.
pub(super) async fn on_task_update_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    on_task_events(app, delivery).await
}
