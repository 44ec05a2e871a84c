//! What every service is made of, and how it starts and stops: written once.

mod parts;
mod projections;
mod purge;
mod redeliver;
mod sidecar;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use clap::Args;
use clock::SharedClock;
use dapr_client::{Client, ClientError, Door, Subscriptions};
use database::{ConnectError, Database, MigrationSet};
use event_schema::{App, RegistryError, Topic, check_registry};
use event_store::{Catalog, Lane, LaneLimits, Ledger, Relay, correct_clock, keep_clock_correct};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::Kit;
use crate::auth::AuthSetupError;
use crate::config::{AuthConfig, HttpConfig, TelemetryConfig};
use crate::health::Health;
use crate::lifecycle::{Lifecycle, TaskFailure};
use crate::openapi;
use crate::server::{BindError, Limits, Listener};
pub use parts::{Parts, Worker};
pub use projections::Projections;
pub use redeliver::Redelivery;
use sidecar::SidecarWatch;

/// Settings that every service has.
#[derive(Args, Clone, Debug)]
pub struct ServiceConfig {
    /// Where it listens.
    #[command(flatten)]
    pub http: HttpConfig,

    /// Where its tables are.
    #[command(flatten)]
    pub database: database::Config,

    /// Where its sidecar is.
    #[command(flatten)]
    pub dapr: dapr_client::Config,

    /// How it tells what it does.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// What a service stands on before it has doors: its database, its ledger and its sidecar.
#[derive(Debug)]
pub struct Foundation {
    /// All changes go through it.
    pub ledger: Ledger,
    /// The time; read in doors only.
    pub clock: SharedClock,
    app: App,
    config: ServiceConfig,
    lane: Lane,
    relay: Relay,
    client: Client,
    projections: Projections,
    health: Health,
}

/// The public door of a service.
pub struct PublicDoor {
    /// Every path.
    pub routes: Router,
    /// Their description.
    pub document: OpenApi,
    /// Who may come in.
    pub auth: AuthConfig,
}

/// A service, built but not running.
pub struct Service<S> {
    /// What its doors share.
    pub state: S,
    foundation: Foundation,
    kit: Kit,
    public: Option<(Router, OpenApi)>,
    sidecar: Router,
    topics: Vec<Topic>,
    workers: Vec<Worker>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Who may ask is not settled.
    #[error(transparent)]
    Auth(#[from] AuthSetupError),
    /// Everybody could deliver events.
    #[error(
        "refusing to listen for the sidecar on {0} without a token: set APP_API_TOKEN, or listen on 127.0.0.1"
    )]
    OpenToDeliveries(SocketAddr),
    /// Events of some version could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The sidecar's client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database, or a pending migration.
    #[error(transparent)]
    Database(Box<ConnectError>),
    /// The leases of a predecessor cannot be ended.
    #[error(transparent)]
    Ledger(#[from] event_store::Error),
}

/// Why a service ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The description of the public paths cannot be written as JSON.
    #[error("the OpenAPI document cannot be written")]
    Document(#[from] serde_json::Error),
    /// A part failed, or did not stop well.
    #[error(transparent)]
    Failed(#[from] TaskFailure),
}

impl From<ConnectError> for BuildError {
    fn from(error: ConnectError) -> Self {
        Self::Database(Box::new(error))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the sidecar cannot publish")]
struct SidecarAway;

impl fmt::Debug for PublicDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicDoor").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for Service<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("app", &self.foundation.app)
            .finish_non_exhaustive()
    }
}

/// Only who has the token may deliver, or who is on this machine.
fn check_sidecar_door(config: &ServiceConfig) -> Result<(), BuildError> {
    let listen = config.http.sidecar_listen;
    if listen.ip().is_loopback() || config.dapr.app_api_token.is_some() {
        return Ok(());
    }
    Err(BuildError::OpenToDeliveries(listen))
}

impl Foundation {
    /// Opens the database and puts ledger and relay together. Fails on bad settings and pending
    /// migrations, never on a sidecar that is still starting. Nothing listens and nothing runs yet.
    ///
    /// `catalog` is what the ledger holds.
    pub async fn build(
        app: App,
        config: &ServiceConfig,
        clock: SharedClock,
        tables: &[MigrationSet],
        catalog: Catalog,
    ) -> Result<Self, BuildError> {
        check_registry()?;
        check_sidecar_door(config)?;
        let client = Client::new(&config.dapr)?;
        let sets = [&[event_store::MIGRATIONS], tables].concat();
        let database = Database::connect(&config.database, &sets).await?;
        let health = health(&database, &client);
        let limits = LaneLimits::default();
        let tables = catalog.projections().to_vec();
        let (ledger, lane) = Ledger::new(app, database, Arc::clone(&clock), tables, limits);
        ledger.take_over().await?;
        let projections = Projections::new(&ledger, &catalog);
        projections.look().await?;
        correct_clock(ledger.database(), ledger.clock().as_ref()).await?;
        let relay = Relay::new(&ledger, client.clone());
        Ok(Self {
            ledger,
            clock,
            app,
            config: config.clone(),
            lane,
            relay,
            client,
            projections,
            health,
        })
    }

    /// Gives it its doors and its own loops; one without a public door asks nobody who they are.
    pub fn open<S: Clone + Send + Sync + 'static>(
        self,
        state: S,
        public: Option<PublicDoor>,
        subscriptions: Subscriptions<S>,
        workers: Vec<Worker>,
    ) -> Result<Service<S>, BuildError> {
        let (name, clock, http) = (self.app.id(), Arc::clone(&self.clock), &self.config.http);
        let kit = match &public {
            Some(door) => Kit::new(name, clock, http, &door.auth)?,
            None => Kit::internal(name, clock, http),
        };
        let dead_letters = Arc::new(self.ledger.clone());
        let topics = subscriptions.topics();
        let sidecar = kit.sidecar_layers(subscriptions.into_router(state.clone(), dead_letters));
        let public = public.map(|door| (kit.service_layers(door.routes), door.document));
        Ok(Service {
            state,
            foundation: self,
            kit,
            public,
            sidecar,
            topics,
            workers,
        })
    }
}

impl<S> Service<S> {
    /// The public routes with the layers of the service. Who serves them adds the edge layers, once
    /// per listener.
    pub fn public_routes(&self) -> Router {
        self.public
            .as_ref()
            .map_or_else(Router::new, |(routes, _)| routes.clone())
    }

    /// Whether the service can work.
    pub fn health(&self) -> Health {
        self.foundation.health.clone()
    }

    /// Serves the sidecar's door, starts every loop and says what closes at the end.
    pub fn attach(self, lifecycle: &mut Lifecycle, sidecar: Listener) {
        let Foundation {
            ledger,
            clock,
            app,
            config,
            lane,
            relay,
            client,
            projections,
            ..
        } = self.foundation;
        let name = app.id();
        let watch = SidecarWatch {
            client,
            pubsub: config.dapr.pubsub_name.clone(),
            topics: self.topics,
        };
        let redelivery = Redelivery {
            table: ledger.dead_letter_table(),
            door: Door::new(self.sidecar.clone(), &config.dapr),
        };
        lifecycle.serve(
            format!("{name} sidecar door"),
            sidecar,
            self.sidecar,
            Limits::for_sidecar(&config.http),
        );
        lifecycle.work(format!("{name} lane"), |stop| async move {
            Ok(lane.run_apart(stop).await?)
        });
        spawn(lifecycle, name, "relay", move |stop| relay.run(stop));
        spawn(lifecycle, name, "sidecar watch", move |stop| {
            watch.run(stop)
        });
        let purging = ledger.clone();
        spawn(lifecycle, name, "purge", move |stop| {
            purge::run(purging, clock, stop)
        });
        let (database, right) = (ledger.database().clone(), Arc::clone(ledger.clock()));
        spawn(lifecycle, name, "clock", move |stop| {
            keep_clock_correct(database, right, stop)
        });
        spawn(lifecycle, name, "projections", move |stop| {
            projections.run(stop)
        });
        spawn(lifecycle, name, "redelivery", move |stop| {
            redelivery.run(stop)
        });
        for worker in self.workers {
            spawn(lifecycle, name, worker.name, worker.run);
        }
        let database = ledger.database().clone();
        lifecycle.on_close(
            format!("{name} database"),
            async move { database.close().await },
        );
    }

    /// Listens, and works until `stop`. Nobody is answered before all addresses are its own.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), RunError> {
        let http = self.foundation.config.http.clone();
        let limits = Limits::from(&http);
        let public = match self.edge_routes()? {
            Some(routes) => Some((Listener::bind(http.listen).await?, routes)),
            None => None,
        };
        let sidecar = Listener::bind(http.sidecar_listen).await?;
        let ops = Listener::bind(http.ops_listen).await?;
        let mut lifecycle = Lifecycle::new(self.health());
        if let Some((listener, routes)) = public {
            lifecycle.serve("public", listener, routes, limits);
        }
        lifecycle.serve_ops(ops, limits);
        self.attach(&mut lifecycle, sidecar);
        Ok(lifecycle.run(stop).await?)
    }

    /// The public routes and their description, as the service serves them when it is alone.
    fn edge_routes(&self) -> Result<Option<Router>, serde_json::Error> {
        let Some((routes, document)) = &self.public else {
            return Ok(None);
        };
        let routes = routes.clone().merge(openapi::router(document)?);
        Ok(Some(self.kit.edge_layers(routes)))
    }
}

/// Starts a loop that ends well or not at all.
fn spawn<F>(
    lifecycle: &mut Lifecycle,
    app: &str,
    name: &str,
    work: impl FnOnce(CancellationToken) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    lifecycle.work(format!("{app} {name}"), |stop| {
        let work = work(stop);
        async move {
            work.await;
            Ok(())
        }
    });
}

fn health(database: &Database, client: &Client) -> Health {
    let health = Health::new();
    let database = database.clone();
    health.check("database", move || {
        let database = database.clone();
        async move { database.ping().await }
    });
    let client = client.clone();
    // Commands go on without it, and the watch says that it is gone.
    health.check_until_seen("sidecar", move || {
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        service: ServiceConfig,
    }

    fn checked(flags: &[&str]) -> Result<(), BuildError> {
        let begin = ["service", "--database-url", "sqlite://tasks.db"];
        let flags = Flags::parse_from(begin.iter().chain(flags));
        check_sidecar_door(&flags.service)
    }

    #[test]
    fn deliveries_from_other_machines_need_a_token() {
        assert!(checked(&[]).is_ok());
        let open = ["--sidecar-listen", "0.0.0.0:8081"];
        let said = checked(&open).unwrap_err().to_string();
        assert!(said.contains("0.0.0.0:8081"), "{said}");
        assert!(said.contains("set APP_API_TOKEN"), "{said}");
        assert!(checked(&[&open[..], &["--app-api-token", "t"]].concat()).is_ok());
    }
}
