//! Changes of tasks: what a notification shows of them.

use dapr_client::{Ack, Delivery};

use super::task_events::on_task_events;
use crate::app::AppState;
use crate::error::Error;

/// Both topics bring the same state: see [`on_task_events`].
pub async fn on_task_update_events(app: AppState, delivery: Delivery) -> Result<Ack, Error> {
    on_task_events(app, delivery).await
}
