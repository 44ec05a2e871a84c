use axum::body::Body;
use dapr_client::{Config, DeliveryMode};
use http::{Method, Request};
use serde_json::json;

use crate::app::{App, event};

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_sidecar_is_told_what_to_deliver_in_bulk() {
    let (status, subscriptions) = App::new().call(get("/dapr/subscribe")).await;

    assert_eq!(status, 200);
    assert_eq!(subscriptions.as_array().unwrap().len(), 2);
    assert_eq!(
        subscriptions[0],
        json!({
            "pubsubname": "pubsub", "topic": "task-events",
            "routes": { "default": "/events/task-events" },
            "deadLetterTopic": "notifier.dead-letters",
            "bulkSubscribe": { "enabled": true, "maxMessagesCount": 256, "maxAwaitDurationMs": 5 },
        })
    );
}

#[tokio::test]
async fn single_delivery_can_be_chosen() {
    let config = Config {
        delivery: DeliveryMode::Single,
        ..Config::default()
    };

    let (_, subscriptions) = App::with(config).call(get("/dapr/subscribe")).await;

    assert_eq!(subscriptions[0].get("bulkSubscribe"), None);
}

#[tokio::test]
async fn without_the_token_nothing_is_told_and_nothing_taken() {
    let config = Config {
        app_api_token: Some("secret".into()),
        ..Config::default()
    };
    let app = App::with(config);
    let delivery = |shown: Option<&str>| {
        let request = Request::post("/events/task-events")
            .header("content-type", "application/cloudevents+json");
        let request = match shown {
            Some(shown) => request.header("dapr-api-token", shown),
            None => request,
        };
        request
            .body(Body::from(event("fine", 1).to_string()))
            .unwrap()
    };

    assert_eq!(app.call(get("/dapr/subscribe")).await.0, 401);
    for shown in [None, Some(""), Some("secre"), Some("secrets")] {
        assert_eq!(app.call(delivery(shown)).await.0, 401);
    }
    assert!(app.handled().is_empty());
    assert_eq!(app.call(delivery(Some("secret"))).await.0, 200);
}

#[tokio::test]
async fn no_event_path_answers_404() {
    let app = App::new();
    for path in [
        "/events/",
        "/events",
        "/events/other",
        "/events/task-events/deeper",
    ] {
        let request = Request::post(path).body(Body::from("{}")).unwrap();
        assert_eq!(app.call(request).await.0, 500, "{path}");
    }
    let request = Request::builder()
        .method(Method::PUT)
        .uri("/events/task-events")
        .body(Body::empty());
    assert_eq!(app.call(request.unwrap()).await.0, 405);
    assert_eq!(app.call(get("/dapr/config")).await.0, 404);
}
