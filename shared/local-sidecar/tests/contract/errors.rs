use local_sidecar::Scopes;
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::stage::{Stage, success};

const CLOUD_EVENT: &str = "application/cloudevents+json";

async fn refusal(stage: &Stage, path: &str, body: &str) -> (u16, Value) {
    let answer = stage.post(path, CLOUD_EVENT, body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn every_row_of_the_error_table_is_answered_as_it_stands_there() {
    let stage = Stage::start_with(json!([]), success(), |config| {
        config.scopes = Scopes::Contract;
    })
    .await;
    let large = " ".repeat(4 * 1024 * 1024 + 1);
    let ours = "pubsub/notification-events";
    let raw_payload = "pubsub/notification-events?metadata.rawPayload=maybe";
    for (path, body, expected, details) in [
        (
            "other/notification-events",
            "{}",
            "404 ERR_PUBSUB_NOT_FOUND NOT_FOUND",
            1,
        ),
        (
            "pubsub/",
            "{}",
            "404 ERR_TOPIC_NAME_EMPTY TOPIC_NAME_EMPTY",
            2,
        ),
        (
            "/notification-events",
            "{}",
            "404 ERR_PUBSUB_EMPTY NAME_EMPTY",
            2,
        ),
        (
            "pubsub/task-events",
            "{}",
            "403 ERR_PUBSUB_FORBIDDEN FORBIDDEN",
            2,
        ),
        (
            "bulk/pubsub/task-events",
            "[]",
            "403 ERR_PUBSUB_FORBIDDEN FORBIDDEN",
            2,
        ),
        (
            raw_payload,
            "{}",
            "400 ERR_PUBSUB_REQUEST_METADATA METADATA_DESERIALIZATION",
            2,
        ),
        (
            ours,
            "[1]",
            "500 ERR_PUBSUB_CLOUD_EVENTS_SER CLOUD_EVENT_CREATION",
            2,
        ),
        (
            ours,
            "{",
            "500 ERR_PUBSUB_CLOUD_EVENTS_SER CLOUD_EVENT_CREATION",
            2,
        ),
        (
            "pubsub/nowhere",
            "{}",
            "500 ERR_PUBSUB_PUBLISH_MESSAGE PUBLISH_MESSAGE",
            2,
        ),
        (
            ours,
            &large,
            "500 ERR_PUBSUB_PUBLISH_MESSAGE PUBLISH_MESSAGE",
            2,
        ),
    ] {
        let (status, problem) = refusal(&stage, &format!("/v1.0/publish/{path}"), body).await;

        let code = problem["errorCode"].as_str().unwrap();
        let listed = problem["details"].as_array().unwrap();
        let reason = listed[0]["reason"]
            .as_str()
            .unwrap()
            .trim_start_matches("DAPR_PUBSUB_");
        assert_eq!(format!("{status} {code} {reason}"), expected, "{path}");
        assert_eq!(listed.len(), details, "{path}");
    }
    let (_, problem) = refusal(&stage, "/v1.0/publish/other/t", "{}").await;
    assert_eq!(problem["message"], "pubsub other is not found");
    let (_, problem) = refusal(&stage, "/v1.0/publish/pubsub/task-events", "{}").await;
    assert_eq!(
        problem["message"],
        "topic task-events is not allowed for app id notifier"
    );
}

#[tokio::test]
async fn the_producer_of_the_contract_may_publish() {
    let stage = Stage::start_with(json!([]), success(), |config| {
        config.scopes = Scopes::Contract;
    })
    .await;

    stage.publish("notification-events", "k", json!({})).await;
    stage.publish("notifier.dead-letters", "k", json!({})).await;
}

#[tokio::test]
async fn without_the_token_only_health_is_answered() {
    let stage = Stage::start_with(json!([]), success(), |config| {
        config.apps[0].dapr_api_token = Some("secret".into());
    })
    .await;
    stage.idle().await;
    let path = "/v1.0/publish/pubsub/task-events";

    for shown in ["", "secre", "secrets"] {
        let request = stage
            .post(path, CLOUD_EVENT, "{}")
            .header("dapr-api-token", shown);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.text().await.unwrap(), "invalid api token\n");
    }
    assert_eq!(
        stage.get("/v1.0/metadata").send().await.unwrap().status(),
        401
    );
    for path in ["/v1.0/healthz", "/v1.0/healthz/outbound"] {
        assert_eq!(stage.get(path).send().await.unwrap().status(), 204);
    }
    let request = stage
        .post(path, CLOUD_EVENT, "{}")
        .header("dapr-api-token", "secret");
    assert_eq!(request.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_broker_that_cannot_write_says_so_until_it_can() {
    let stage = Stage::start(json!([]), success()).await;
    let file = format!("sqlite://{}", stage.dir.path().join("broker.db").display());
    let mut beside = SqliteConnection::connect(&file).await.unwrap();
    let mut disk = async |statement: &'static str| {
        sqlx::query(statement).execute(&mut beside).await.unwrap();
    };
    disk("create trigger full before insert on records begin select raise(abort, 'full'); end")
        .await;
    let path = "/v1.0/publish/pubsub/task-events";
    let outbound = async || {
        let answer = stage.get("/v1.0/healthz/outbound").send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(outbound().await, 204);

    let (status, problem) = refusal(&stage, path, "{}").await;
    assert_eq!(status, 500);
    assert_eq!(problem["errorCode"], "ERR_PUBSUB_PUBLISH_MESSAGE");
    assert_eq!(outbound().await, 500);

    disk("drop trigger full").await;
    stage.publish("task-events", "k", json!({})).await;
    assert_eq!(outbound().await, 204);
}
