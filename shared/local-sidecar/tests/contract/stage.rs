//! A sidecar, one scripted app, and what the app received.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use chrono::{TimeZone, Utc};
use clock::TestClock;
use http::{HeaderMap, StatusCode};
use local_sidecar::{AppBinding, Broker, Config, LocalSidecar, Record, Scopes};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(crate) const APP: &str = "notifier";
const PATIENCE: Duration = Duration::from_secs(20);

/// What the app received.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// How the app answers a delivery.
pub(crate) type Script = Arc<dyn Fn(&Received) -> (u16, Value) + Send + Sync>;

pub(crate) fn success() -> Script {
    Arc::new(|_| (200, json!({ "status": "SUCCESS" })))
}

/// Answers every entry of a bulk delivery.
pub(crate) fn every_entry(status: &'static str) -> Script {
    Arc::new(move |delivery| (200, statuses(delivery, |_| status)))
}

pub(crate) fn statuses(delivery: &Received, status: impl Fn(&Value) -> &'static str) -> Value {
    let entries = delivery.body["entries"].as_array().unwrap().iter();
    let statuses: Vec<_> = entries
        .map(|entry| json!({ "entryId": entry["entryId"], "status": status(&entry["event"]) }))
        .collect();
    json!({ "statuses": statuses })
}

pub(crate) fn single(topic: &str) -> Value {
    json!([{
        "pubsubname": "pubsub", "topic": topic, "routes": { "default": "/events/here" },
        "deadLetterTopic": "notifier.dead-letters",
    }])
}

pub(crate) fn bulk(topic: &str) -> Value {
    let mut subscriptions = single(topic);
    subscriptions[0]["bulkSubscribe"] = json!({ "enabled": true, "maxMessagesCount": 256 });
    subscriptions
}

/// The app's listener, which can be stopped and started again on its address.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    /// While this is false, deliveries are received but not answered.
    pub(crate) answering: watch::Sender<bool>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl App {
    pub(crate) async fn start(at: &str, subscriptions: Value, script: Script) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let answering = watch::Sender::new(true);
        let state = (sender, subscriptions, script, answering.subscribe());
        let router = Router::new().fallback(answer).with_state(state);
        let stop = CancellationToken::new();
        let serving =
            axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            address,
            received,
            answering,
            stop,
            serving,
        }
    }

    /// The next delivery.
    pub(crate) async fn next(&mut self) -> Received {
        patiently(self.received.recv()).await.unwrap()
    }

    pub(crate) fn received_more(&mut self) -> bool {
        self.received.try_recv().is_ok()
    }

    /// Stops listening and closes every connection.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        patiently(self.serving).await.unwrap();
    }
}

type AppState = (
    mpsc::UnboundedSender<Received>,
    Value,
    Script,
    watch::Receiver<bool>,
);

async fn answer(
    State((sender, subscriptions, script, mut answering)): State<AppState>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    match path.as_str() {
        "/dapr/config" => return StatusCode::NOT_FOUND.into_response(),
        "/dapr/subscribe" => return Json(subscriptions).into_response(),
        _ => {}
    }
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&bytes).unwrap();
    let received = Received {
        path,
        headers: parts.headers,
        body,
    };
    let (status, answer) = script(&received);
    let _test_ended = sender.send(received);
    answering.wait_for(|answering| *answering).await.unwrap();
    (StatusCode::from_u16(status).unwrap(), Json(answer)).into_response()
}

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) broker: Broker,
    url: String,
    http: reqwest::Client,
    stop: CancellationToken,
    running: JoinHandle<Result<(), local_sidecar::Error>>,
    pub(crate) dir: TempDir,
}

impl Stage {
    /// A sidecar whose app subscribes and answers like this.
    pub(crate) async fn start(subscriptions: Value, script: Script) -> Self {
        Self::start_with(subscriptions, script, |_| ()).await
    }

    pub(crate) async fn start_with(
        subscriptions: Value,
        script: Script,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let app = App::start("127.0.0.1:0", subscriptions, script).await;
        Self::over(dir, app, change).await
    }

    pub(crate) async fn over(dir: TempDir, app: App, change: impl FnOnce(&mut Config)) -> Self {
        let clock = TestClock::new(Utc.with_ymd_and_hms(2026, 11, 22, 7, 0, 0).unwrap());
        let mut config = config(dir.path(), app.address, &clock);
        change(&mut config);
        let sidecar = LocalSidecar::bind(config).await.unwrap();
        let url = format!("http://{}", sidecar.address(APP).unwrap());
        let broker = sidecar.broker();
        let stop = CancellationToken::new();
        let running = tokio::spawn(sidecar.run(stop.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            app,
            broker,
            url,
            http,
            stop,
            running,
            dir,
        }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<String>,
    ) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.url));
        request
            .header("content-type", content_type)
            .body(body.into())
    }

    /// Publishes an event and expects that it was taken.
    pub(crate) async fn publish(&self, topic: &str, key: &str, event: Value) {
        let path = format!("/v1.0/publish/pubsub/{topic}?metadata.partitionKey={key}");
        let request = self.post(&path, "application/cloudevents+json", event.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 204, "{}", answer.text().await.unwrap());
    }

    /// Everything in a partition of a topic.
    pub(crate) async fn records(&self, topic: &str, partition: u16) -> Vec<Record> {
        self.broker.read(topic, partition, 0, 1000).await.unwrap()
    }

    /// The only record of a topic, wherever it is.
    pub(crate) async fn only_record(&self, topic: &str) -> Record {
        let mut all = Vec::new();
        for partition in 0..self.broker.partitions(topic).unwrap() {
            all.extend(self.records(topic, partition).await);
        }
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub(crate) async fn idle(&self) {
        patiently(self.broker.wait_until_idle()).await;
    }

    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the sidecar in order; the app goes on.
    pub(crate) async fn stop(self) -> (TempDir, App) {
        self.begin_stop();
        patiently(self.running).await.unwrap().unwrap();
        (self.dir, self.app)
    }
}

pub(crate) fn config(dir: &Path, app: SocketAddr, clock: &TestClock) -> Config {
    let binding = AppBinding::new(APP, format!("http://{app}"));
    let mut config = Config::new(dir.join("broker.db"), vec![binding], clock.shared());
    config.scopes = Scopes::Open;
    config.retry.first_backoff = Duration::from_millis(1);
    config.retry.longest_backoff = Duration::from_millis(5);
    config.retry.max_attempts = Some(3);
    config
}

pub(crate) fn event(id: &str) -> Value {
    json!({ "specversion": "1.0", "id": id, "type": "t.v1", "source": "/s", "traceid": "tr", "data": {} })
}

/// Fails a test that would otherwise hang.
pub(crate) async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it should have happened by now")
}

pub(crate) fn json_of(record: &Record) -> Value {
    serde_json::from_slice(record.value.as_ref().unwrap()).unwrap()
}
