//! The sidecars of all apps of one machine, over one broker.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use clock::SharedClock;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::{self, CONCURRENT_REQUESTS, Sidecar};
use crate::delivery::{App, Delivery, Discovery};
use crate::{AppBinding, Broker, Config, Error};

/// One listener per app, and what is delivered to it.
#[derive(Debug)]
pub struct LocalSidecar {
    config: Config,
    broker: Broker,
    listeners: Vec<TcpListener>,
}

impl LocalSidecar {
    /// Opens the broker and listens; nothing is answered or delivered before [`run`](Self::run).
    pub async fn bind(config: Config) -> Result<Self, Error> {
        let broker = Broker::open(
            &config.data,
            Arc::clone(&config.clock),
            config.commit_interval,
        )
        .await?;
        let mut listeners = Vec::new();
        for app in &config.apps {
            let listener = TcpListener::bind(app.listen)
                .await
                .map_err(|source| Error::Bind {
                    app_id: app.app_id.clone(),
                    address: app.listen,
                    source,
                })?;
            listeners.push(listener);
            broker.expect_subscriptions();
        }
        Ok(Self {
            config,
            broker,
            listeners,
        })
    }

    /// Where an app reaches its sidecar.
    pub fn address(&self, app_id: &str) -> Result<SocketAddr, Error> {
        let index = self.index(app_id)?;
        self.listeners[index]
            .local_addr()
            .map_err(|source| Error::Bind {
                app_id: app_id.to_owned(),
                address: self.config.apps[index].listen,
                source,
            })
    }

    /// Sets where an app listens, when that became known only after the sidecar was bound.
    pub fn set_app_url(&mut self, app_id: &str, url: impl Into<String>) -> Result<(), Error> {
        let index = self.index(app_id)?;
        self.config.apps[index].app_url = url.into();
        Ok(())
    }

    /// The broker, for looking into it.
    pub fn broker(&self) -> Broker {
        self.broker.clone()
    }

    /// Serves and delivers until the stop, then finishes what is open and closes the broker.
    pub async fn run(self, stop: CancellationToken) -> Result<(), Error> {
        let Self {
            config,
            broker,
            listeners,
        } = self;
        // A failure ends the others too, but not our caller's other tasks.
        let stop = stop.child_token();
        let mut tasks = JoinSet::new();
        let reading = Arc::new(Semaphore::new(CONCURRENT_REQUESTS));
        for (binding, listener) in config.apps.iter().zip(listeners) {
            let (discovery, discovered) = watch::channel(Discovery::Pending);
            let sidecar = Sidecar {
                app: binding.clone(),
                pubsub: config.pubsub_name.clone(),
                scopes: config.scopes,
                broker: broker.clone(),
                clock: Arc::clone(&config.clock),
                discovery: discovered,
                reading: Arc::clone(&reading),
            };
            tasks.spawn(serve(sidecar, listener, stop.clone()));
            tasks.spawn(delivery(&config, binding, &broker, discovery)?.run(stop.clone()));
        }
        tasks.spawn(retention(broker.clone(), config.clone(), stop.clone()));
        let outcome = supervise(tasks, &config, &stop).await;
        broker.close().await;
        outcome
    }

    fn index(&self, app_id: &str) -> Result<usize, Error> {
        let found = self.config.apps.iter().position(|app| app.app_id == app_id);
        found.ok_or_else(|| Error::UnknownApp(app_id.to_owned()))
    }
}

fn delivery(
    config: &Config,
    binding: &AppBinding,
    broker: &Broker,
    discovery: watch::Sender<Discovery>,
) -> Result<Delivery, Error> {
    let app = App::new(binding, Arc::clone(&config.clock), config.handler_timeout)?;
    Ok(Delivery {
        app: Arc::new(app),
        pubsub: config.pubsub_name.clone(),
        broker: broker.clone(),
        scopes: config.scopes,
        retry: config.retry,
        deliver_twice: config.deliver_twice,
        discovery,
    })
}

async fn serve(
    sidecar: Sidecar,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), Error> {
    let app_id = sidecar.app.app_id.clone();
    // Small answers must not wait for more bytes to send.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("setting TCP_NODELAY failed: {error}");
        }
    });
    axum::serve(listener, api::router(Arc::new(sidecar)))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(|source| Error::Serve { app_id, source })
}

async fn retention(broker: Broker, config: Config, stop: CancellationToken) -> Result<(), Error> {
    let clock: SharedClock = config.clock;
    loop {
        if let Err(error) = broker.run_retention(clock.now()).await {
            tracing::error!("retention failed, to be tried again: {error}");
        }
        let next = clock.now() + config.retention_interval;
        if stop
            .run_until_cancelled(clock.sleep_until(next))
            .await
            .is_none()
        {
            return Ok(());
        }
    }
}

/// Waits for all tasks; the first failure stops the others. After the stop they have the grace.
async fn supervise(
    mut tasks: JoinSet<Result<(), Error>>,
    config: &Config,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let mut outcome = Ok(());
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(config.shutdown_grace).await;
    };
    tokio::pin!(overdue);
    loop {
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            () = &mut overdue => {
                tracing::warn!("deliveries were cut short, they will come again");
                tasks.shutdown().await;
                return outcome;
            }
        };
        let Some(ended) = ended else { return outcome };
        let ended = ended.unwrap_or_else(|error| Err(Error::Task(error.to_string())));
        if ended.is_err() && outcome.is_ok() {
            outcome = ended;
            stop.cancel();
        }
    }
}
