//! The local sidecar in this process: one app publishes, another consumes, as the contract lets them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;
use event_schema::App;
use local_sidecar::{AppBinding, Broker, Config, LocalSidecar, Record};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::DeadLetter;
use crate::stage::{APP_TOKEN, ATTEMPTS, Doors, SIDECAR_TOKEN};

const PUBLISHER: App = App::TaskApi;
const CONSUMER: App = App::RecurringGenerator;

/// A sidecar over a directory that outlives it.
pub(crate) struct Local {
    directory: TempDir,
    running: Option<Running>,
}

struct Running {
    broker: Broker,
    stop: CancellationToken,
    task: JoinHandle<Result<(), local_sidecar::Error>>,
}

impl Local {
    pub(crate) fn new() -> Self {
        Self {
            directory: TempDir::new().unwrap(),
            running: None,
        }
    }

    pub(crate) async fn start(&mut self, app: SocketAddr) -> Doors {
        let binding = |id: App| AppBinding {
            dapr_api_token: Some(SIDECAR_TOKEN.into()),
            app_api_token: Some(APP_TOKEN.into()),
            ..AppBinding::new(id.id(), format!("http://{app}"))
        };
        // The publisher's app never answers that it subscribes to anything: nobody listens there.
        let publisher = AppBinding {
            app_url: "http://127.0.0.1:1".to_owned(),
            ..binding(PUBLISHER)
        };
        let file = self.directory.path().join("broker.db");
        let apps = vec![publisher, binding(CONSUMER)];
        let mut config = Config::new(file, apps, Arc::new(SystemClock::new()));
        config.retry.max_attempts = Some(ATTEMPTS);
        config.retry.first_backoff = Duration::from_millis(1);
        config.retry.longest_backoff = Duration::from_millis(10);
        let sidecar = LocalSidecar::bind(config).await.unwrap();
        let url = |app: App| format!("http://{}", sidecar.address(app.id()).unwrap());
        let doors = Doors {
            publisher: url(PUBLISHER),
            consumer: url(CONSUMER),
        };
        let (broker, stop) = (sidecar.broker(), CancellationToken::new());
        let task = tokio::spawn(sidecar.run(stop.clone()));
        self.running = Some(Running { broker, stop, task });
        doors
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(Running { stop, task, .. }) = self.running.take() {
            stop.cancel();
            task.await.unwrap().unwrap();
        }
    }

    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        let broker = &self.running.as_ref().unwrap().broker;
        let records = broker.read(CONSUMER.dead_letter_topic(), 0, 0, 10_000);
        records.await.unwrap().iter().map(dead_letter).collect()
    }
}

fn dead_letter(record: &Record) -> DeadLetter {
    let value = record.value.as_deref().unwrap_or_default();
    DeadLetter {
        key: record.key.clone().unwrap_or_default(),
        topic: record.headers.get("__topic").cloned().unwrap_or_default(),
        text: String::from_utf8_lossy(value).into_owned(),
    }
}
