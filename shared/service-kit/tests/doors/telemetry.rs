//! Metrics and traces, of the one process that the tests run in.

use service_kit::health::{Health, ops_router};
use service_kit::{server, telemetry};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;

/// Receives exports as a collector does, and tells which signals came.
async fn collector() -> (String, mpsc::UnboundedReceiver<&'static str>) {
    let (told, signals) = mpsc::unbounded_channel();
    let tell = move |signal| {
        let told = told.clone();
        post(move |body: axum::body::Bytes| async move {
            assert!(!body.is_empty());
            told.send(signal).unwrap();
        })
    };
    let router = Router::new()
        .route("/v1/traces", tell("traces"))
        .route("/v1/metrics", tell("metrics"));
    let listener = server::Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.address();
    let limits = server::Limits::from(&config(&[]).http);
    tokio::spawn(server::serve(
        listener,
        router,
        limits,
        CancellationToken::new(),
    ));
    (format!("http://{address}"), signals)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_measured_and_traced() {
    let (endpoint, mut signals) = collector().await;
    let config = config(&["--otlp-endpoint", &endpoint, "--log-format", "json"]);
    let telemetry = telemetry::init("task-api", &config.telemetry).unwrap();
    let again = telemetry::init("task-api", &config.telemetry);
    assert!(matches!(
        again,
        Err(telemetry::TelemetryError::AlreadyInitialized)
    ));
    let app = app();
    let traced = send(app.clone(), post_json("/v1/call", "{}")).await;
    send(app, post_json("/v1/tasks/7/complete", "{}")).await;

    let metrics = ops_router(Health::new())
        .oneshot(Request::get("/metrics").body(Body::empty()).unwrap())
        .await
        .unwrap();

    let metrics = metrics.into_body().collect().await.unwrap().to_bytes();
    let metrics = String::from_utf8(metrics.into()).unwrap();
    let line = metrics
        .lines()
        .find(|line| {
            line.starts_with("http_server_request_duration_seconds_bucket")
                && line.contains(r#"http_route="/v1/tasks/{task_id}/complete""#)
        })
        .unwrap_or_else(|| panic!("no such line in:\n{metrics}"));
    for part in [
        r#"service="task-api""#,
        r#"http_response_status_code="404""#,
        r#"le="0.001""#,
    ] {
        assert!(line.contains(part), "{line}");
    }
    // The trace that the events carry on is the recorded one, not one made from the request id.
    let traceparent = traced.body["traceparent"].as_str().unwrap();
    assert!(traceparent.ends_with("-01"), "{traceparent}");

    telemetry.shutdown().await;

    let mut received = [signals.recv().await.unwrap(), signals.recv().await.unwrap()];
    received.sort_unstable();
    assert_eq!(received, ["metrics", "traces"]);
}
