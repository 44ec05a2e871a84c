//! A service whose handler does what the event's type says, and its dead-letter table.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use dapr_client::{
    Ack, Config, DeadLetter, DeadLetters, Delivery, HandlerError, ParkError, Subscriptions,
};
use event_schema::{App as AppId, Topic};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tower::ServiceExt;

#[derive(Clone, Debug, thiserror::Error)]
#[error("handling failed")]
pub(crate) struct Failed {
    transient: bool,
    source: std::fmt::Error,
}

impl HandlerError for Failed {
    fn is_transient(&self) -> bool {
        self.transient
    }
}

#[derive(Clone)]
pub(crate) struct App {
    handled: Arc<Mutex<Vec<Delivery>>>,
    parked: Arc<Mutex<Vec<DeadLetter>>>,
    pub(crate) table_is_away: Arc<AtomicBool>,
    pub(crate) running: Arc<AtomicUsize>,
    together: Arc<Barrier>,
    config: Config,
}

impl App {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        Self {
            handled: Arc::default(),
            parked: Arc::default(),
            table_is_away: Arc::default(),
            running: Arc::default(),
            together: Arc::new(Barrier::new(3)),
            config,
        }
    }

    pub(crate) fn router(&self) -> Router {
        let subscriptions = Subscriptions::new(AppId::Notifier, &self.config)
            .on(Topic::TaskEvents, on_event)
            .on(Topic::ReminderEvents, on_event);
        assert_eq!(
            subscriptions.topics(),
            [Topic::TaskEvents, Topic::ReminderEvents]
        );
        subscriptions.into_router(self.clone(), Arc::new(self.clone()))
    }

    pub(crate) fn handled(&self) -> Vec<Delivery> {
        self.handled.lock().unwrap().clone()
    }

    pub(crate) fn parked(&self) -> Vec<DeadLetter> {
        self.parked.lock().unwrap().clone()
    }

    /// Delivers one event to the task events.
    pub(crate) async fn single(&self, body: impl Into<Body>) -> (StatusCode, Value) {
        self.deliver("application/cloudevents+json", body).await
    }

    /// Delivers the events with ids 0, 1, 2 … and the keys k0, k1, k2 … and returns their statuses.
    pub(crate) async fn bulk(&self, events: &[Value]) -> Vec<String> {
        let keys: Vec<_> = (0..events.len()).map(|id| format!("k{id}")).collect();
        self.bulk_of(events, &keys).await
    }

    /// Delivers the events with ids 0, 1, 2 … and one key and returns their statuses.
    pub(crate) async fn bulk_of_one_key(&self, events: &[Value]) -> Vec<String> {
        self.bulk_of(events, &vec!["k".to_owned(); events.len()])
            .await
    }

    async fn bulk_of(&self, events: &[Value], keys: &[String]) -> Vec<String> {
        let entries: Vec<_> = events
            .iter()
            .zip(keys)
            .enumerate()
            .map(|(id, (event, key))| {
                json!({
                    "entryId": id.to_string(), "event": event,
                    "contentType": "application/cloudevents+json", "metadata": { "__key": key },
                })
            })
            .collect();
        let body = json!({
            "id": "b", "type": "com.dapr.event.sent.bulk", "topic": "task-events",
            "pubsubname": "pubsub", "metadata": {}, "entries": entries,
        });
        let (status, answer) = self.deliver("application/json", body.to_string()).await;
        assert_eq!(status, 200);
        let statuses = answer["statuses"].as_array().unwrap().iter().enumerate();
        statuses
            .map(|(id, entry)| {
                assert_eq!(entry["entryId"], id.to_string());
                entry["status"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    pub(crate) async fn deliver(
        &self,
        content_type: &str,
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        let request = Request::post("/events/task-events")
            .header("content-type", content_type)
            .header("__key", "k")
            .body(body.into())
            .unwrap();
        self.call(request).await
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> (StatusCode, Value) {
        let answer = self.router().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX)
            .await
            .unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

async fn on_event(app: App, delivery: Delivery) -> Result<Ack, Failed> {
    let kind = delivery.envelope.event_type.clone();
    app.handled.lock().unwrap().push(delivery);
    app.running.fetch_add(1, Ordering::SeqCst);
    match kind.as_str() {
        "retry" => Ok(Ack::Retry),
        "transient" => Err(Failed {
            transient: true,
            source: std::fmt::Error,
        }),
        "permanent" => Err(Failed {
            transient: false,
            source: std::fmt::Error,
        }),
        "panic" => panic!("out of cheese"),
        "hang" => pending().await,
        "together" => {
            app.together.wait().await;
            Ok(Ack::Success)
        }
        _ => Ok(Ack::Success),
    }
}

impl DeadLetters for App {
    fn park(&self, dead: DeadLetter) -> BoxFuture<'_, Result<(), ParkError>> {
        async move {
            if self.table_is_away.load(Ordering::SeqCst) {
                return Err(ParkError::new("the database is away"));
            }
            self.parked.lock().unwrap().push(dead);
            Ok(())
        }
        .boxed()
    }
}

pub(crate) fn event(event_type: &str, sequence: u32) -> Value {
    json!({
        "specversion": "1.0", "id": "019c1347-d280-7000-8000-000000000001", "source": "/task-api",
        "type": event_type, "subject": "019c1347-d280-7000-8000-000000000002",
        "time": "2026-11-22T07:00:00.123456Z", "datacontenttype": "application/json",
        "partitionkey": "019c1347-d280-7000-8000-000000000002", "sequence": sequence.to_string(),
        "traceid": "00-a-b-01", "traceparent": "00-a-b-01", "data": { "n": 1 },
    })
}
