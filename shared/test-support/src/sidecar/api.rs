//! The part of Dapr's HTTP API that publishes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Query, State as AxumState};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;

use super::{Mood, Published, State};

type Shared = Arc<Mutex<State>>;

pub(super) fn router(state: Shared) -> Router {
    Router::new()
        .route("/v1.0/publish/bulk/{pubsub}/{topic}", post(publish_bulk))
        .route("/v1.0/publish/{pubsub}/{topic}", post(publish))
        .route("/v1.0/healthz/outbound", get(health))
        .route("/v1.0/healthz", get(health))
        .route("/v1.0/metadata", get(metadata))
        .with_state(state)
}

async fn health(AxumState(state): AxumState<Shared>) -> StatusCode {
    let state = state.lock().unwrap_or_else(PoisonError::into_inner);
    match state.mood {
        Mood::Down => StatusCode::INTERNAL_SERVER_ERROR,
        Mood::Takes | Mood::Refuses(_) => StatusCode::NO_CONTENT,
    }
}

async fn metadata() -> Json<Value> {
    Json(json!({ "id": "test", "runtimeVersion": "test", "subscriptions": [] }))
}

async fn publish(
    AxumState(state): AxumState<Shared>,
    Path((_pubsub, topic)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    body: Bytes,
) -> Response {
    let Ok(event) = serde_json::from_slice(&body) else {
        return failed(StatusCode::BAD_REQUEST, "ERR_PUBSUB_CLOUD_EVENTS_SER", &[]);
    };
    let key = query.get("metadata.partitionKey").cloned();
    let entry = (
        String::new(),
        Published {
            topic,
            key: key.unwrap_or_default(),
            event,
        },
    );
    take(&state, vec![entry])
}

async fn publish_bulk(
    AxumState(state): AxumState<Shared>,
    Path((_pubsub, topic)): Path<(String, String)>,
    Json(entries): Json<Vec<Value>>,
) -> Response {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |mut entry: Value| {
        let published = Published {
            topic: topic.clone(),
            key: text(&entry["metadata"]["partitionKey"]),
            event: entry["event"].take(),
        };
        (text(&entry["entryId"]), published)
    };
    take(&state, entries.into_iter().map(entry).collect())
}

fn take(state: &Shared, entries: Vec<(String, Published)>) -> Response {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let State {
        mood,
        taken,
        refused,
    } = &mut *state;
    let mut failures = Vec::new();
    for (entry_id, published) in entries {
        match mood {
            Mood::Down => failures.push(entry_id),
            Mood::Refuses(refuses) if refuses(&published) => {
                *refused += 1;
                failures.push(entry_id);
            }
            Mood::Takes | Mood::Refuses(_) => taken.push(published),
        }
    }
    if failures.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let listed: &[String] = if matches!(mood, Mood::Down) {
        &[]
    } else {
        &failures
    };
    failed(
        StatusCode::INTERNAL_SERVER_ERROR,
        "ERR_PUBSUB_PUBLISH_MESSAGE",
        listed,
    )
}

fn failed(status: StatusCode, code: &str, entries: &[String]) -> Response {
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "entryId": entry, "error": "the broker does not take it" }))
        .collect();
    let body = json!({
        "errorCode": code,
        "message": "told to fail",
        "failedEntries": entries,
    });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use dapr_client::{Client, Config, Message};
    use event_schema::Topic;

    use crate::RecordingSidecar;

    const TOPIC: &str = "task-events";

    async fn sidecar() -> (RecordingSidecar, Client) {
        let sidecar = RecordingSidecar::start().await;
        let config = Config {
            dapr_http_endpoint: Some(sidecar.url().to_owned()),
            ..Config::default()
        };
        (sidecar, Client::new(&config).unwrap())
    }

    fn messages() -> [Message<'static>; 2] {
        let message = |position, key, envelope| Message {
            position,
            key,
            envelope,
        };
        [
            message(1, "a", r#"{"id":"1"}"#),
            message(2, "b", r#"{"id":"2"}"#),
        ]
    }

    #[tokio::test]
    async fn what_is_published_is_written_down() {
        let (sidecar, client) = sidecar().await;

        client.publish(TOPIC, &messages()[0]).await.unwrap();
        let failed = client.publish_bulk(TOPIC, &messages()).await.unwrap();
        client.publish_tombstone(TOPIC, "a").await.unwrap();

        assert!(failed.is_empty());
        assert!(client.outbound_ready().await);
        let keys: Vec<_> = sidecar.taken().into_iter().map(|p| p.key).collect();
        assert_eq!(keys, ["a", "a", "b", "a"]);
        assert_eq!(sidecar.distinct().len(), 2);
        assert_eq!(sidecar.tombstones(), [(Topic::TaskEvents, "a".to_owned())]);
    }

    #[tokio::test]
    async fn a_sidecar_that_is_down_takes_nothing() {
        let (sidecar, client) = sidecar().await;

        sidecar.go_down();
        let error = client.publish_bulk(TOPIC, &messages()).await.unwrap_err();
        assert!(!error.is_permanent() && !error.is_configuration());
        assert!(!client.outbound_ready().await);
        assert!(sidecar.taken().is_empty());

        sidecar.recover();
        client.publish_bulk(TOPIC, &messages()).await.unwrap();
        assert_eq!(sidecar.taken().len(), 2);
    }

    #[tokio::test]
    async fn some_entries_can_be_refused() {
        let (sidecar, client) = sidecar().await;

        sidecar.refuse(|published| published.key == "a");
        let failed = client.publish_bulk(TOPIC, &messages()).await.unwrap();

        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].position, 1);
        assert_eq!(sidecar.refused(), 1);
        assert_eq!(sidecar.taken().len(), 1);
    }
}
