//! Every loop of the service, besides those that every service has: lane, relay and purge.

pub mod fire_due_timers;
pub mod follow_zone_rules;
pub(crate) mod metrics;

use service_kit::service::Worker;

use crate::app::AppState;

/// Every loop. Each runs until its token is cancelled and then finishes what it has begun.
pub fn all(app: &AppState) -> Vec<Worker> {
    let (firing, planning) = (app.clone(), app.clone());
    vec![
        Worker::new("timers", |stop| fire_due_timers::run(firing, stop)),
        Worker::new("zone rules", |stop| follow_zone_rules::run(planning, stop)),
    ]
}
