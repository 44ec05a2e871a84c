//! A sidecar that records what it is sent, and can refuse or be away.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use dapr_client::{Client, Config};
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct Sidecar(Arc<Mutex<Recorded>>);

#[derive(Default)]
pub(crate) struct Recorded {
    /// Topic and envelope, in order of arrival.
    pub(crate) events: Vec<(String, Value)>,
    /// Partition keys whose events are refused.
    pub(crate) refused: HashSet<String>,
    /// Nothing is taken.
    pub(crate) down: bool,
    /// The most entries of one key within a call.
    pub(crate) most_per_key: usize,
    /// Topics that the sidecar may not publish to.
    pub(crate) forbidden: HashSet<String>,
    /// Happens before every call.
    pub(crate) before_call: Option<Box<dyn Fn() + Send>>,
}

impl Sidecar {
    pub(crate) async fn start() -> (Self, Client) {
        let sidecar = Self::default();
        let router = Router::new()
            .route("/v1.0/publish/bulk/pubsub/{topic}", post(bulk))
            .with_state(sidecar.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let config = Config {
            dapr_http_endpoint: Some(endpoint),
            ..Config::default()
        };
        (sidecar, Client::new(&config).unwrap())
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Recorded) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// `subject sequence` of everything taken, in order.
    pub(crate) fn taken(&self) -> Vec<(u128, u64)> {
        self.with(|recorded| {
            let place = |(_, event): &(String, Value)| {
                let subject: uuid::Uuid = event["subject"].as_str().unwrap().parse().unwrap();
                (
                    subject.as_u128(),
                    event["sequence"].as_str().unwrap().parse().unwrap(),
                )
            };
            recorded.events.iter().map(place).collect()
        })
    }
}

async fn bulk(
    State(sidecar): State<Sidecar>,
    Path(topic): Path<String>,
    Json(entries): Json<Vec<Value>>,
) -> (StatusCode, Json<Value>) {
    sidecar.with(|recorded| {
        if let Some(happens) = &recorded.before_call {
            happens();
        }
        if recorded.forbidden.contains(&topic) {
            let body = json!({"errorCode": "ERR_PUBSUB_FORBIDDEN", "message": "not in scope"});
            return (StatusCode::FORBIDDEN, Json(body));
        }
        if recorded.down {
            let body = json!({"errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE", "message": "broker away"});
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(body));
        }
        let key = |entry: &Value| {
            entry["metadata"]["partitionKey"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let keys: Vec<String> = entries.iter().map(key).collect();
        let repeats = keys
            .iter()
            .map(|key| keys.iter().filter(|other| *other == key).count());
        recorded.most_per_key = recorded.most_per_key.max(repeats.max().unwrap_or(0));
        let mut failed = Vec::new();
        for (entry, key) in entries.iter().zip(keys) {
            if recorded.refused.contains(&key) {
                failed.push(json!({"entryId": entry["entryId"], "error": "refused"}));
            } else {
                recorded
                    .events
                    .push((topic.clone(), entry["event"].clone()));
            }
        }
        if failed.is_empty() {
            return (StatusCode::NO_CONTENT, Json(Value::Null));
        }
        let body = json!({"failedEntries": failed, "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE"});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
    })
}
