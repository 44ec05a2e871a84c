//! A sidecar in the test: it writes down what arrives, when, and by which door.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use crate::caller::PATIENCE;

/// What every event says of itself.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Label {
    pub(crate) id: Uuid,
    pub(crate) subject: Uuid,
    /// The command that caused it.
    #[serde(rename = "correlationid")]
    pub(crate) command: Uuid,
}

/// An event as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    /// Each process has a door of its own.
    pub(crate) door: usize,
    pub(crate) topic: String,
    pub(crate) key: Uuid,
    pub(crate) label: Label,
    /// Of its bytes.
    pub(crate) hash: u64,
}

#[derive(Default)]
struct Noted {
    arrivals: Vec<Arrival>,
    commands: HashSet<Uuid>,
    doors: usize,
    refuses: Option<fn(Uuid) -> bool>,
}

/// Clones share what was noted.
#[derive(Clone, Default)]
pub(crate) struct Sidecar(Arc<Mutex<Noted>>);

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "entryId")]
    id: &'a str,
    metadata: Metadata,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "partitionKey")]
    partition_key: Uuid,
}

impl Sidecar {
    /// A door for one process: its number and where it is.
    pub(crate) async fn door(&self) -> (usize, SocketAddr) {
        let door = {
            let mut noted = self.lock();
            noted.doors += 1;
            noted.doors - 1
        };
        let router = Router::new()
            .route("/v1.0/publish/bulk/pubsub/{topic}", post(bulk))
            .route("/v1.0/healthz/outbound", get(StatusCode::NO_CONTENT))
            .layer(DefaultBodyLimit::max(8 * 1024 * 1024))
            .with_state((self.clone(), door));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        (door, address)
    }

    /// From now on entries with these keys are answered 500; `None`: everything is taken.
    pub(crate) fn refuse(&self, which: Option<fn(Uuid) -> bool>) {
        self.lock().refuses = which;
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.lock().arrivals.clone()
    }

    /// Waits until all of these commands' events have arrived. It looks only for those that had not, and
    /// pauses between two looks: nothing arrives while it looks.
    pub(crate) async fn has_all(&self, commands: &HashSet<Uuid>) {
        let mut looks = interval(std::time::Duration::from_millis(20));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missing: Vec<Uuid> = commands.iter().copied().collect();
        let arrive = async {
            while !missing.is_empty() {
                looks.tick().await;
                let noted = self.lock();
                missing.retain(|command| !noted.commands.contains(command));
            }
        };
        let arrived = timeout(PATIENCE, arrive).await;
        let (missing, all) = (missing.len(), commands.len());
        assert!(arrived.is_ok(), "{missing} of {all} did not arrive");
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To see whether bytes were changed on their way.
pub(crate) fn hash(bytes: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

async fn bulk(
    State((sidecar, door)): State<(Sidecar, usize)>,
    Path(topic): Path<String>,
    body: Bytes,
) -> Response {
    let entries: Vec<Entry<'_>> = serde_json::from_slice(&body).unwrap();
    let at = Instant::now();
    let mut failed = Vec::new();
    let mut noted = sidecar.lock();
    for entry in entries {
        let key = entry.metadata.partition_key;
        if noted.refuses.is_some_and(|refuses| refuses(key)) {
            failed.push(json!({ "entryId": entry.id, "error": "not now" }));
            continue;
        }
        let label: Label = serde_json::from_str(entry.event.get()).unwrap();
        noted.commands.insert(label.command);
        noted.arrivals.push(Arrival {
            at,
            door,
            topic: topic.clone(),
            key,
            label,
            hash: hash(entry.event.get()),
        });
    }
    if failed.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let body = json!({ "errorCode": "ERR_PUBSUB_PUBLISH_MESSAGE", "failedEntries": failed });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}
