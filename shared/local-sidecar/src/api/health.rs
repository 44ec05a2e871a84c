//! What the sidecar says about itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::Sidecar;
use crate::delivery::{Discovery, Subscription};

/// The sidecar that this one imitates; the suffix tells that it does.
const RUNTIME_VERSION: &str = "1.18.3+taskledger";

/// Ready to publish: as soon as it answers, unless the broker cannot write.
pub(super) async fn outbound(State(sidecar): State<Arc<Sidecar>>) -> Response {
    if sidecar.broker.is_writable() {
        return StatusCode::NO_CONTENT.into_response();
    }
    not_ready(
        "ERR_OUTBOUND_HEALTH_NOT_READY",
        "dapr outbound is not ready",
    )
}

/// Ready altogether: the app was asked for its subscriptions.
pub(super) async fn healthz(State(sidecar): State<Arc<Sidecar>>) -> Response {
    if matches!(*sidecar.discovery.borrow(), Discovery::Done(_)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    not_ready("ERR_HEALTH_NOT_READY", "dapr is not ready")
}

fn not_ready(code: &str, message: &str) -> Response {
    let body = json!({ "errorCode": code, "message": message });
    (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
}

/// `GET /v1.0/metadata`; empty fields are omitted.
pub(super) async fn metadata(State(sidecar): State<Arc<Sidecar>>) -> Json<Value> {
    let mut metadata = json!({
        "id": sidecar.app.app_id,
        "runtimeVersion": RUNTIME_VERSION,
        "components": [
            { "name": sidecar.pubsub, "type": "pubsub.taskledger", "version": "v1" },
        ],
        "extended": { "daprRuntimeVersion": RUNTIME_VERSION },
        "appConnectionProperties": { "protocol": "http", "channelAddress": sidecar.app.app_url },
    });
    if let Discovery::Done(subscriptions) = &*sidecar.discovery.borrow()
        && !subscriptions.is_empty()
    {
        metadata["subscriptions"] = subscriptions.iter().map(described).collect();
    }
    Json(metadata)
}

fn described(subscription: &Subscription) -> Value {
    let mut described = json!({
        "pubsubname": subscription.pubsub,
        "topic": subscription.topic,
        "rules": [{ "path": subscription.path }],
        "type": "PROGRAMMATIC",
    });
    if let Some(topic) = &subscription.dead_letter_topic {
        described["deadLetterTopic"] = topic.as_str().into();
    }
    described
}
