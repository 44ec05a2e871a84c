//! Every loop of the service.

pub mod purge;

use event_store::{Lane, Relay};
use service_kit::lifecycle::Lifecycle;

use crate::app::AppState;

/// Starts every loop. Each runs until its token is cancelled and then finishes what it has begun.
pub fn spawn(lifecycle: &mut Lifecycle, app: AppState, lane: Lane, relay: Relay) {
    lifecycle.work("notifier lane", |stop| async move {
        lane.run(stop).await;
        Ok(())
    });
    lifecycle.work("notifier relay", |stop| async move {
        relay.run(stop).await;
        Ok(())
    });
    lifecycle.work("notifier purge", |stop| async move {
        purge::run(app, stop).await;
        Ok(())
    });
}
