//! The routes that the sidecar calls.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use event_schema::Topic;
use http::StatusCode;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::process::Processor;
use super::wire::Body;
use super::{Subscriptions, answer, bulk};
use crate::metrics::Durations;
use crate::{Config, DeadLetters, DeliveryMode, token};

/// No sidecar sends a larger single event.
const SMALLEST_LIMIT: usize = 8 * 1024 * 1024;

/// An event of 256 KiB, the most we publish, with its metadata.
const LARGEST_ENTRY: usize = 260 * 1024;

pub(super) fn router<S: Clone + Send + Sync + 'static>(
    subscriptions: Subscriptions<S>,
    state: S,
    dead_letters: Arc<dyn DeadLetters>,
) -> Router {
    let Subscriptions {
        app,
        config,
        handlers,
    } = subscriptions;
    let topics = handlers.iter().map(|(topic, _)| *topic);
    let listed = topics.map(|topic| subscription(topic, app.dead_letter_topic(), &config));
    let listed = Json(listed.collect::<Value>());
    let limit = body_limit(&config);
    let durations = Durations::of_processing(app.id());
    let processor = move |topic, handler| Processor {
        topic,
        state: state.clone(),
        handler,
        dead_letters: Arc::clone(&dead_letters),
        deadline: config.handler_timeout,
        durations: durations.clone(),
    };

    let mut router = Router::new()
        .route("/dapr/subscribe", get(async move || listed))
        .route("/events", any(unknown_topic))
        .route("/events/", any(unknown_topic))
        .route("/events/{*topic}", any(unknown_topic));
    for (topic, handler) in handlers {
        let processor = processor(topic, handler);
        let deliver = post(async move |request| deliver(&processor, limit, request).await);
        router = router.route(&path(topic.name()), deliver);
    }
    router.layer(middleware::from_fn_with_state(
        config.app_api_token,
        check_token,
    ))
}

pub(super) fn path(topic: &str) -> String {
    format!("/events/{topic}")
}

/// What `GET /dapr/subscribe` tells of one topic. A single default route: an event that matched no
/// rule would be dead-lettered, so dispatching by type is ours.
fn subscription(topic: Topic, dead_letter_topic: &str, config: &Config) -> Value {
    let mut subscription = json!({
        "pubsubname": config.pubsub_name,
        "topic": topic.name(),
        "routes": { "default": path(topic.name()) },
        "deadLetterTopic": dead_letter_topic,
    });
    if config.delivery == DeliveryMode::Bulk {
        subscription["bulkSubscribe"] = json!({
            "enabled": true,
            "maxMessagesCount": config.bulk_max_messages,
            "maxAwaitDurationMs": config.bulk_max_await_ms,
        });
    }
    subscription
}

/// A full bulk delivery of the largest events fits: one that is refused comes again for ever.
fn body_limit(config: &Config) -> usize {
    let messages = usize::try_from(config.bulk_max_messages).unwrap_or(usize::MAX);
    messages.saturating_mul(LARGEST_ENTRY).max(SMALLEST_LIMIT)
}

async fn deliver<S: Clone + Send + Sync + 'static>(
    processor: &Processor<S>,
    limit: usize,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match to_bytes(body, limit).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::error!("reading a delivery failed: {error}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    match Body::read(&parts.headers, bytes) {
        Body::Single(received) => answer::single(processor.process(received).await),
        Body::Bulk(entries) => {
            let answers = bulk::process(processor, entries).await;
            answer::bulk(answers.iter().map(|(id, ack)| (id.as_str(), *ack)))
        }
    }
}

/// Not 404: a sidecar takes that for "drop the event".
async fn unknown_topic(request: Request) -> StatusCode {
    tracing::error!(
        "delivered to {}, which is not subscribed",
        request.uri().path()
    );
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn check_token(
    State(expected): State<Option<SecretString>>,
    request: Request,
    next: Next,
) -> Response {
    if token::accepts(expected.as_ref(), request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(
        "a call to {} without the right token was refused",
        request.uri().path()
    );
    StatusCode::UNAUTHORIZED.into_response()
}
