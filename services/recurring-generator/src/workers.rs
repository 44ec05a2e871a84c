//! Every loop of the service, besides those that every service has: lane, relay and purge.

pub mod make_due_occurrences;

use service_kit::service::Worker;

use crate::app::AppState;

/// Every loop. Each runs until its token is cancelled and then finishes what it has begun.
pub fn all(app: &AppState) -> Vec<Worker> {
    let making = app.clone();
    vec![Worker::new("timers", |stop| {
        make_due_occurrences::run(making, stop)
    })]
}
