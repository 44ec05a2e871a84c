#![doc = include_str!("../README.md")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on must stop"
)]

use std::time::Duration;

use clap::Parser;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use taskledger::app::App;
use taskledger::config::{Cli, Command};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// A condition that is not met by then will not be met.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running suite of its own.
#[derive(Debug)]
pub struct Suite {
    base: String,
    client: Client,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), String>>,
    directory: TempDir,
}

impl Suite {
    /// Starts a suite with an empty directory.
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a temporary directory")).await
    }

    /// Starts a suite over what another left.
    async fn start_in(directory: TempDir) -> Self {
        let data_dir = directory.path().display().to_string();
        let arguments = [
            "taskledger",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &data_dir,
        ];
        let Command::Up(config) = Cli::parse_from(arguments).command() else {
            panic!("these arguments mean up")
        };
        let app = Box::pin(App::build(*config))
            .await
            .expect("the suite starts");
        let base = format!("http://{}", app.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let stop = async { stopped.await.unwrap_or_default() };
            app.run(stop).await.map_err(|error| format!("{error:#}"))
        });
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .build()
            .expect("a client without TLS needs nothing");
        Self {
            base,
            client,
            stop,
            running,
            directory,
        }
    }

    /// Stops the suite and starts it again over the same directory.
    pub async fn restart(self) -> Self {
        let directory = self.stop_and_keep().await;
        Self::start_in(directory).await
    }

    /// Stops the suite, which must end well.
    pub async fn stop(self) {
        drop(self.stop_and_keep().await);
    }

    async fn stop_and_keep(self) -> TempDir {
        self.stop.send(()).expect("the suite is still running");
        let ended = self.running.await.expect("the suite does not panic");
        assert_eq!(ended, Ok(()));
        self.directory
    }

    /// A request to a path.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Gets a path, which must answer this status.
    pub async fn get(&self, path: &str, status: u16) -> Value {
        answer(self.request(Method::GET, path), status).await
    }

    /// Posts a body to a path, which must answer this status.
    pub async fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        answer(self.request(Method::POST, path).json(body), status).await
    }

    /// Patches what is at a path, which must answer this status.
    pub async fn patch(&self, path: &str, body: &Value, status: u16) -> Value {
        answer(self.request(Method::PATCH, path).json(body), status).await
    }

    /// Asks for a path until the answer is what is looked for, and returns that.
    pub async fn eventually<T>(&self, path: &str, found: impl Fn(u16, &Value) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(Duration::from_millis(5));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (status, body) = send(self.request(Method::GET, path)).await;
            if let Some(found) = found(status, &body) {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "GET {path} still answers {status} {body}"
            );
        }
    }
}

/// Sends a request, which must answer this status, and returns the body.
pub async fn answer(request: RequestBuilder, status: u16) -> Value {
    let (got, body) = send(request).await;
    assert_eq!(got, status, "{body:#}");
    body
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("the suite answers");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a whole body");
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    (status, body)
}
