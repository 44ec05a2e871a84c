//! The clocks of a broker's certificate and of the sidecar's machine do not agree.

use super::Scene;

#[tokio::test]
async fn a_certificate_that_has_ended() {
    refused(&["--until", "2025-01-01"], " is after ", "has ended").await;
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet() {
    refused(&["--from", "2100-01-01"], " is before ", "not valid yet").await;
}

/// By a sidecar that runs, and by one that starts.
async fn refused(dates: &[&str], clocks: &str, remedy: &str) {
    let scene = Scene::start().await;
    let [service] = scene.ends(["task-api"]);
    scene.stack.certificate(dates).await;
    scene.stack.restart_brokers().await;

    let task = scene.remind().await;
    let words = ["the sidecar does not publish", "x509", clocks, remedy];
    scene.says("task-api", service, &words).await;

    let [service, sidecar] = scene.ends(["task-api", "task-api-dapr"]);
    scene.stack.restart(&["task-api-dapr"]).await;
    let words = ["level=fatal", "pubsub.kafka", "x509", clocks];
    scene.says("task-api-dapr", sidecar, &words).await;
    let words = [
        "no answer from the sidecar",
        "the last line of its log",
        "a certificate",
    ];
    scene.says("task-api", service, &words).await;

    scene.stack.certificate(&[]).await;
    scene.stack.restart_brokers().await;
    scene.stack.up().await;
    scene.told(&task).await;
}
