//! Every loop of the service, besides those that every service has: lane, relay and purge.

pub mod follow_home_zones;

use service_kit::service::Worker;

use crate::app::AppState;

/// Every loop. Each runs until its token is cancelled and then finishes what it has begun.
pub fn all(app: &AppState) -> Vec<Worker> {
    let app = app.clone();
    vec![Worker::new("home zones", |stop| {
        follow_home_zones::run(app, stop)
    })]
}
