use std::time::Duration;

use dapr_client::{Client, Config, PublishError};
use tokio::net::TcpListener;

use crate::fake_sidecar::{FakeSidecar, message, problem};

#[tokio::test]
async fn an_event_is_sent_as_it_is_stored_under_its_key() {
    let sidecar = FakeSidecar::start(|_| (204, "")).await;
    let envelope = r#"{ "id": "e1", "big": 9007199254740993 }"#;

    sidecar
        .client
        .publish("task-events", &message(1, "a/b c&d", envelope))
        .await
        .unwrap();

    let asked = &sidecar.asked()[0];
    assert_eq!(
        asked.uri,
        "/v1.0/publish/pubsub/task-events?metadata.partitionKey=a%2Fb+c%26d"
    );
    assert_eq!(asked.header("content-type"), "application/cloudevents+json");
    assert_eq!(asked.header("dapr-api-token"), "secret");
    assert_eq!(asked.body, envelope);
}

#[tokio::test]
async fn a_tombstone_is_a_raw_null() {
    let sidecar = FakeSidecar::start(|_| (204, "")).await;

    sidecar
        .client
        .publish_tombstone("task-events", "k")
        .await
        .unwrap();

    let asked = &sidecar.asked()[0];
    assert_eq!(
        asked.uri,
        "/v1.0/publish/pubsub/task-events?metadata.partitionKey=k&metadata.rawPayload=true"
    );
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.body, "null");
}

#[tokio::test]
async fn a_refusal_tells_what_to_do_about_it() {
    const TRANSIENT: (bool, bool) = (false, false);
    const CONFIGURATION: (bool, bool) = (false, true);
    const PERMANENT: (bool, bool) = (true, false);
    for (status, body, expected) in [
        (404, problem("ERR_PUBSUB_NOT_FOUND"), CONFIGURATION),
        (400, problem("ERR_PUBSUB_NOT_FOUND"), TRANSIENT),
        (400, problem("ERR_PUBSUB_NOT_CONFIGURED"), CONFIGURATION),
        (404, problem("ERR_PUBSUB_EMPTY"), CONFIGURATION),
        (404, problem("ERR_TOPIC_NAME_EMPTY"), CONFIGURATION),
        (403, problem("ERR_PUBSUB_FORBIDDEN"), CONFIGURATION),
        (400, problem("ERR_PUBSUB_REQUEST_METADATA"), PERMANENT),
        (500, problem("ERR_PUBSUB_CLOUD_EVENTS_SER"), PERMANENT),
        (500, problem("ERR_PUBSUB_PUBLISH_MESSAGE"), TRANSIENT),
        (401, "invalid api token\n".to_owned(), CONFIGURATION),
        (302, String::new(), TRANSIENT),
    ] {
        let answer = body.clone();
        let sidecar = FakeSidecar::start(move |_| (status, answer.clone())).await;

        let error = sidecar
            .client
            .publish("t", &message(1, "k", "{}"))
            .await
            .unwrap_err();

        assert_eq!(
            (error.is_permanent(), error.is_configuration()),
            expected,
            "{status} {body}"
        );
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
}

#[tokio::test]
async fn a_sidecar_that_is_away_or_silent_heals_by_itself() {
    // Bound, so that connections are taken, but never answered; then not even that.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config {
        dapr_http_port: listener.local_addr().unwrap().port(),
        publish_timeout: Duration::from_millis(20),
        ..Config::default()
    };
    let client = Client::new(&config).unwrap();
    for listening in [Some(listener), None] {
        let error = client
            .publish("t", &message(1, "k", "{}"))
            .await
            .unwrap_err();

        assert!(matches!(error, PublishError::Unreachable(_)));
        assert!(!error.is_permanent() && !error.is_configuration());
        drop(listening);
    }
}

#[test]
fn a_client_needs_a_url_and_a_token_that_fits_a_header() {
    let with = |endpoint: &str| Config {
        dapr_http_endpoint: Some(endpoint.to_owned()),
        ..Config::default()
    };
    for endpoint in ["nonsense", "mailto:dapr", "ftp://dapr"] {
        assert!(Client::new(&with(endpoint)).is_err(), "{endpoint}");
    }
    let config = Config {
        dapr_api_token: Some("two\nlines".into()),
        ..Config::default()
    };
    assert!(Client::new(&config).is_err());
}
