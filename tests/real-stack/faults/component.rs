//! A sidecar that does not have what it should: it runs, and says nothing of it.

use std::fs;

use super::Scene;

#[tokio::test]
async fn a_sidecar_without_the_component() {
    let scene = Scene::start().await;
    let [service] = scene.ends(["task-api"]);
    fs::remove_file(scene.stack.path("resources/kafka-pubsub.yaml")).unwrap();
    scene.stack.restart(&["task-api-dapr"]).await;

    let task = scene.remind().await;
    let words = [
        "ERR_PUBSUB_NOT_FOUND",
        "pubsub pubsub is not found",
        "kafka-pubsub.yaml",
    ];
    scene.says("task-api", service, &words).await;

    scene.stack.stop(&["task-api-dapr"]).await;
    scene.stack.up().await;
    scene.told(&task).await;
}

/// Nothing that the notifier has to publish would tell it.
#[tokio::test]
async fn a_sidecar_without_the_secret_store_beside_a_service_that_only_listens() {
    let scene = Scene::start().await;
    let [service] = scene.ends(["notifier"]);
    fs::remove_file(scene.stack.path("resources/secretstore.yaml")).unwrap();
    scene.stack.restart(&["notifier-dapr"]).await;

    let task = scene.remind().await;
    let words = [
        "no pub/sub component pubsub and no secret store",
        "secretstore.yaml",
    ];
    scene.says("notifier", service, &words).await;

    scene.stack.stop(&["notifier-dapr"]).await;
    scene.stack.up().await;
    let words = ["the sidecar has what this service needs"];
    scene.says("notifier", service, &words).await;
    scene.told(&task).await;
}
