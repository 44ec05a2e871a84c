//! Every loop of the service.

pub mod fire_due_timers;
pub mod purge;

use event_store::{Lane, Relay};
use service_kit::lifecycle::Lifecycle;

use crate::app::AppState;

/// Starts every loop. Each runs until its token is cancelled and then finishes what it has begun.
pub fn spawn(lifecycle: &mut Lifecycle, app: AppState, lane: Lane, relay: Relay) {
    lifecycle.work("reminder-scheduler lane", |stop| async move {
        lane.run(stop).await;
        Ok(())
    });
    lifecycle.work("reminder-scheduler relay", |stop| async move {
        relay.run(stop).await;
        Ok(())
    });
    let purging = app.clone();
    lifecycle.work("reminder-scheduler purge", |stop| async move {
        purge::run(purging, stop).await;
        Ok(())
    });
    lifecycle.work("reminder-scheduler timers", |stop| async move {
        fire_due_timers::run(app, stop).await;
        Ok(())
    });
}
