//! The composition root: what the service is made of.

use std::sync::Arc;

use clock::{SharedClock, SystemClock};
use event_schema::App;
use event_store::{Catalog, Ledger};
use service_kit::service::{BuildError, Foundation, PublicDoor, Service};
use tokio::sync::Notify;

use crate::config::Config;
use crate::domain::{PreferencesStream, SeriesStream, TaskStream};
use crate::{routes, store, subscribers, workers};

/// What every door needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// All changes go through it.
    pub ledger: Ledger,
    /// The time; read in doors only.
    pub clock: SharedClock,
    /// Somebody said that they are elsewhere now.
    pub moved: Arc<Notify>,
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
    let foundation = Foundation::build(App::TaskApi, service, clock, tables, catalog()).await?;
    let state = AppState {
        ledger: foundation.ledger.clone(),
        clock: Arc::clone(&foundation.clock),
        moved: Arc::new(Notify::new()),
    };
    let subscriptions = subscribers::subscriptions(&config.service.dapr);
    let public = PublicDoor {
        routes: routes::router(state.clone()),
        document: routes::openapi(),
        auth: config.auth,
    };
    let workers = workers::all(&state);
    foundation.open(state, Some(public), subscriptions, workers)
}

/// What the ledger of this service holds.
pub fn catalog() -> Catalog {
    Catalog::new(store::projections())
        .kind::<PreferencesStream>()
        .kind::<SeriesStream>()
        .kind::<TaskStream>()
}
