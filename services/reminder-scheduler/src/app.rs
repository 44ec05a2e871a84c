//! The composition root: what the service is made of, and how it starts and stops.

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use clock::{SharedClock, SystemClock};
use dapr_client::Client;
use database::Database;
use event_store::{Lane, LaneLimits, Ledger, Relay};
use service_kit::Kit;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::server::Listener;

use crate::config::Config;
use crate::{subscribers, workers};

/// What every door needs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// All changes go through it.
    pub ledger: Ledger,
    /// The time; read in doors only.
    pub clock: SharedClock,
}

/// The service, built but not running.
#[derive(Debug)]
pub struct App {
    /// What the doors share.
    pub state: AppState,
    lane: Lane,
    relay: Relay,
    kit: Kit,
    health: Health,
    config: Config,
}

/// The service in pieces, for tests that run lane, relay and workers step by step.
#[derive(Debug)]
pub struct Parts {
    /// What the doors share.
    pub state: AppState,
    /// The one writer.
    pub lane: Lane,
    /// The one publisher.
    pub relay: Relay,
    /// No routes.
    pub public: Router,
    /// What the sidecar calls.
    pub sidecar: Router,
}

#[derive(Debug, thiserror::Error)]
#[error("the sidecar cannot publish")]
struct SidecarAway;

impl App {
    /// Builds the service on the wall clock. See [`build_with`](Self::build_with).
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        Self::build_with(config, Arc::new(SystemClock::new())).await
    }

    /// Opens the database and puts the parts together. Fails on bad settings and pending migrations,
    /// never on a sidecar that is still starting. Nothing listens and nothing runs yet.
    pub async fn build_with(config: Config, clock: SharedClock) -> anyhow::Result<Self> {
        let kit = Kit::internal("reminder-scheduler", Arc::clone(&clock), &config.http);
        let client = Client::new(&config.dapr)?;
        let sets = [event_store::MIGRATIONS];
        let database = Database::connect(&config.database, &sets).await?;
        let health = health(&database, &client);
        let (ledger, lane) = Ledger::new(
            event_schema::App::ReminderScheduler,
            database,
            Arc::clone(&clock),
            Vec::new(),
            LaneLimits::default(),
        );
        let relay = Relay::new(&ledger, client);
        Ok(Self {
            state: AppState { ledger, clock },
            lane,
            relay,
            kit,
            health,
            config,
        })
    }

    /// None: only the sidecar talks to this service.
    pub fn public_routes(&self) -> Router {
        Router::new()
    }

    /// What the sidecar calls, with all layers.
    pub fn sidecar_routes(&self) -> Router {
        let dead_letters = Arc::new(self.state.ledger.clone());
        let routes = subscribers::subscriptions(&self.config.dapr)
            .into_router(self.state.clone(), dead_letters);
        self.kit.sidecar_layers(routes)
    }

    /// Whether the service can work.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Serves the sidecar, starts the workers and says what closes at the end.
    pub fn attach(self, lifecycle: &mut Lifecycle, sidecar: Listener) {
        let routes = self.sidecar_routes();
        let limits = (&self.config.http).into();
        let database = self.state.ledger.database().clone();
        lifecycle.serve("reminder-scheduler sidecar", sidecar, routes, limits);
        workers::spawn(lifecycle, self.state, self.lane, self.relay);
        lifecycle.on_close("reminder-scheduler database", async move {
            database.close().await;
        });
    }

    /// Listens, and works until `stop`.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let http = self.config.http.clone();
        let sidecar = Listener::bind(http.sidecar_listen).await?;
        let ops = Listener::bind(http.ops_listen).await?;
        let mut lifecycle = Lifecycle::new(self.health());
        lifecycle.serve_ops(ops, (&http).into());
        self.attach(&mut lifecycle, sidecar);
        lifecycle.run(stop).await?;
        Ok(())
    }

    /// The service in pieces. Nothing runs unless the caller runs it.
    pub fn into_parts(self) -> Parts {
        let public = self.public_routes();
        let sidecar = self.sidecar_routes();
        Parts {
            state: self.state,
            lane: self.lane,
            relay: self.relay,
            public,
            sidecar,
        }
    }
}

fn health(database: &Database, client: &Client) -> Health {
    let health = Health::new();
    let database = database.clone();
    health.check("database", move || {
        let database = database.clone();
        async move { database.ping().await }
    });
    let client = client.clone();
    health.check("sidecar", move || {
        let client = client.clone();
        async move {
            client
                .outbound_ready()
                .await
                .then_some(())
                .ok_or(SidecarAway)
        }
    });
    health
}
