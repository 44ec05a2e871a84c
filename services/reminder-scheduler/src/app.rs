//! The composition root: what the service is made of.

use std::sync::Arc;

use clock::{SharedClock, SystemClock};
use event_schema::App;
use event_store::{Catalog, Ledger};
use service_kit::service::{BuildError, Foundation, Service};

use crate::config::Config;
use crate::domain::RemindersStream;
use crate::{store, subscribers, workers};

/// What every door needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// All changes go through it.
    pub ledger: Ledger,
    /// The time; read in doors only.
    pub clock: SharedClock,
    /// The zone rules that it plans by.
    pub tzdb_version: &'static str,
}

/// Builds the service on the wall clock. See [`build_with`].
pub async fn build(config: Config) -> Result<Service<AppState>, BuildError> {
    build_with(config, Arc::new(SystemClock::new())).await
}

/// Opens the database and puts the parts together. Fails on bad settings and pending migrations,
/// never on a sidecar that is still starting. Nothing listens and nothing runs yet.
pub async fn build_with(
    config: Config,
    clock: SharedClock,
) -> Result<Service<AppState>, BuildError> {
    let (service, tables) = (&config.service, &[store::MIGRATIONS]);
    let foundation =
        Foundation::build(App::ReminderScheduler, service, clock, tables, catalog()).await?;
    let state = AppState {
        ledger: foundation.ledger.clone(),
        clock: Arc::clone(&foundation.clock),
        tzdb_version: recurrence::tzdb_version(),
    };
    let subscriptions = subscribers::subscriptions(&config.service.dapr);
    let workers = workers::all(&state);
    foundation.open(state, None, subscriptions, workers)
}

/// What the ledger of this service holds.
pub fn catalog() -> Catalog {
    Catalog::new(store::projections()).kind::<RemindersStream>()
}
