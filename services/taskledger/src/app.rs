//! The composition root: the local sidecar and all four services in one process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use clock::{Clock, SharedClock, SystemClock};
use event_schema::App as Service;
use local_sidecar::{AppBinding, LocalSidecar};
use secrecy::SecretString;
use service_kit::Kit;
use service_kit::config::AuthConfig;
use service_kit::health::{Health, ops_router};
use service_kit::lifecycle::{Lifecycle, TaskFailure};
use service_kit::openapi;
use service_kit::server::{Limits, Listener};
use service_kit::service::{Service as Built, ServiceConfig};

use crate::config::UpConfig;
use crate::data_directory::{DataDirectory, DataDirectoryError, broker_file};
use crate::services::{self, ANY_PORT, Tokens};

/// The suite, built and listening, but answering nobody yet.
#[derive(Debug)]
pub struct App {
    config: UpConfig,
    address: SocketAddr,
    lifecycle: Lifecycle,
    // Dropped last: the next suite may have the directory when everything is closed.
    directory: DataDirectory,
}

impl App {
    /// Takes the data directory and the address, opens the databases and puts everything together.
    ///
    /// Fails with one sentence that says what to do.
    pub async fn build(config: UpConfig) -> anyhow::Result<Self> {
        let directory = DataDirectory::open(&config.data_dir)?;
        let public = Listener::bind(config.listen).await?;
        let address = public.address();
        let clock: SharedClock = Arc::new(SystemClock::new());
        let kit = Kit::new(
            "taskledger",
            Arc::clone(&clock),
            &services::http(&config),
            &config.auth,
        )?;

        let mut callbacks = BTreeMap::new();
        for service in Service::ALL {
            callbacks.insert(service, Listener::bind(ANY_PORT).await?);
        }
        let tokens = fresh_tokens(clock.as_ref());
        let sidecar = sidecar(&directory, &callbacks, &tokens, &clock).await?;

        let settings = |service: Service| -> anyhow::Result<ServiceConfig> {
            let sidecar = sidecar.address(service.id())?;
            Ok(services::settings(
                service, &config, &directory, sidecar, &tokens,
            ))
        };
        let apps = Box::pin(Apps::build(settings, &config.auth, &clock)).await?;
        let health = apps.health();
        let mut routes = apps.public_routes()?;
        if address.ip().is_loopback() {
            routes = routes.merge(ops_router(health.clone()));
        }

        let limits = Limits::from(&services::http(&config));
        let mut lifecycle = Lifecycle::new(health);
        if let Some(ops) = config.ops_listen {
            lifecycle.serve_ops(Listener::bind(ops).await?, limits);
        }
        lifecycle.serve("public", public, kit.edge_layers(routes), limits);
        apps.attach(&mut lifecycle, callbacks);
        lifecycle.work("local sidecar", |stop| async move {
            Ok(sidecar.run(stop).await?)
        });
        let watch = directory.watch()?;
        lifecycle.work("data directory", |stop| async move {
            match stop.run_until_cancelled_owned(watch.gone()).await {
                Some(gone) => Err(gone.into()),
                None => Ok(()),
            }
        });
        Ok(Self {
            config,
            address,
            lifecycle,
            directory,
        })
    }

    /// Where the REST interface is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where everything is kept.
    pub fn data_dir(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// What it was built from.
    pub fn config(&self) -> &UpConfig {
        &self.config
    }

    /// Works until `stop` or until a part fails; then everything is finished and closed in order.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            lifecycle,
            directory,
            ..
        } = self;
        let outcome = lifecycle.run(stop).await;
        drop(directory);
        outcome.map_err(sentence)
    }
}

/// That the directory is gone says enough by itself.
fn sentence(failure: TaskFailure) -> anyhow::Error {
    match failure {
        TaskFailure::Failed { source, .. } if source.is::<DataDirectoryError>() => {
            anyhow::Error::from_boxed(source)
        }
        other => other.into(),
    }
}

async fn sidecar(
    directory: &DataDirectory,
    callbacks: &BTreeMap<Service, Listener>,
    tokens: &Tokens,
    clock: &SharedClock,
) -> Result<LocalSidecar, local_sidecar::Error> {
    let binding = |(service, callback): (&Service, &Listener)| AppBinding {
        dapr_api_token: Some(tokens.to_sidecar.clone()),
        app_api_token: Some(tokens.to_app.clone()),
        ..AppBinding::new(service.id(), format!("http://{}", callback.address()))
    };
    let apps = callbacks.iter().map(binding).collect();
    let file = broker_file(directory.path());
    LocalSidecar::bind(local_sidecar::Config::new(file, apps, Arc::clone(clock))).await
}

/// Other users of this machine can reach loopback too: without these they could forge events.
fn fresh_tokens(clock: &dyn Clock) -> Tokens {
    let fresh = || SecretString::from(format!("{}{}", clock.new_id(), clock.new_id()));
    Tokens {
        to_sidecar: fresh(),
        to_app: fresh(),
    }
}

/// The four services, built.
struct Apps {
    task_api: Built<task_api::app::AppState>,
    reminder_scheduler: Built<reminder_scheduler::app::AppState>,
    recurring_generator: Built<recurring_generator::app::AppState>,
    notifier: Built<notifier::app::AppState>,
}

impl Apps {
    async fn build(
        settings: impl Fn(Service) -> anyhow::Result<ServiceConfig>,
        auth: &AuthConfig,
        clock: &SharedClock,
    ) -> anyhow::Result<Self> {
        let task_api = task_api::config::Config {
            service: settings(Service::TaskApi)?,
            auth: auth.clone(),
        };
        let reminder_scheduler = reminder_scheduler::config::Config {
            service: settings(Service::ReminderScheduler)?,
        };
        let recurring_generator = recurring_generator::config::Config {
            service: settings(Service::RecurringGenerator)?,
        };
        let notifier = notifier::config::Config {
            service: settings(Service::Notifier)?,
            auth: auth.clone(),
        };
        let clock = || Arc::clone(clock);
        Ok(Self {
            task_api: task_api::app::build_with(task_api, clock()).await?,
            reminder_scheduler: reminder_scheduler::app::build_with(reminder_scheduler, clock())
                .await?,
            recurring_generator: recurring_generator::app::build_with(recurring_generator, clock())
                .await?,
            notifier: notifier::app::build_with(notifier, clock()).await?,
        })
    }

    /// Every public path of the suite, and one description of them all.
    fn public_routes(&self) -> anyhow::Result<Router> {
        let mut document = task_api::routes::openapi();
        document.merge(notifier::routes::openapi());
        let routes = self
            .task_api
            .public_routes()
            .merge(self.notifier.public_routes());
        Ok(routes.merge(openapi::router(&document)?))
    }

    /// As ready as the least ready service.
    fn health(&self) -> Health {
        let health = Health::new();
        for (service, of_service) in [
            (Service::TaskApi, self.task_api.health()),
            (Service::ReminderScheduler, self.reminder_scheduler.health()),
            (
                Service::RecurringGenerator,
                self.recurring_generator.health(),
            ),
            (Service::Notifier, self.notifier.health()),
        ] {
            health.part(service.id(), of_service);
        }
        health
    }

    fn attach(self, lifecycle: &mut Lifecycle, mut callbacks: BTreeMap<Service, Listener>) {
        if let Some(callback) = callbacks.remove(&Service::TaskApi) {
            self.task_api.attach(lifecycle, callback);
        }
        if let Some(callback) = callbacks.remove(&Service::ReminderScheduler) {
            self.reminder_scheduler.attach(lifecycle, callback);
        }
        if let Some(callback) = callbacks.remove(&Service::RecurringGenerator) {
            self.recurring_generator.attach(lifecycle, callback);
        }
        if let Some(callback) = callbacks.remove(&Service::Notifier) {
            self.notifier.attach(lifecycle, callback);
        }
    }
}
