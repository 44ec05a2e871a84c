use axum::body::Body;
use http::Request;
use serde_json::json;

use crate::app::{App, event};

#[tokio::test]
async fn every_entry_has_its_own_answer() {
    let app = App::new();

    let statuses = app
        .bulk(&[
            event("fine", 1),
            event("transient", 2),
            event("permanent", 3),
            json!("no event"),
            json!(null),
            event("panic", 6),
            event("fine", 7),
        ])
        .await;

    let (success, retry) = ("SUCCESS", "RETRY");
    assert_eq!(
        statuses,
        [success, retry, success, success, success, success, success]
    );
    let reasons: Vec<_> = app
        .parked()
        .into_iter()
        .map(|dead| (dead.version, dead.key))
        .collect();
    let key = |id: u8| Some(format!("k{id}"));
    assert_eq!(
        reasons,
        [(Some(3), key(2)), (None, key(3)), (Some(6), key(5))]
    );
}

#[tokio::test]
async fn an_event_waits_for_the_one_before_it_of_its_key() {
    let app = App::new();

    let statuses = app
        .bulk_of_one_key(&[
            event("permanent", 1),
            event("fine", 2),
            event("transient", 3),
            event("fine", 4),
        ])
        .await;

    assert_eq!(statuses, ["SUCCESS", "SUCCESS", "RETRY", "RETRY"]);
    let handled = app.handled();
    let versions: Vec<_> = handled.iter().map(|one| one.envelope.version()).collect();
    assert_eq!(versions, [1, 2, 3]); // The fourth did not overtake the third.
    assert_eq!(app.parked().len(), 1);
}

#[tokio::test]
async fn the_entries_are_handled_together_and_begun_in_order() {
    let app = App::new();
    // Each of the three waits for the others.
    let events: Vec<_> = (1..=3).map(|version| event("together", version)).collect();

    assert_eq!(app.bulk(&events).await, ["SUCCESS"; 3]);

    let versions: Vec<_> = app
        .handled()
        .iter()
        .map(|one| one.envelope.version())
        .collect();
    assert_eq!(versions, [1, 2, 3]);
}

#[tokio::test]
async fn a_full_batch_is_begun_in_order_too() {
    let app = App::new();
    let events: Vec<_> = (1..=256).map(|version| event("fine", version)).collect();

    assert_eq!(app.bulk(&events).await.len(), 256);

    let versions: Vec<_> = app
        .handled()
        .iter()
        .map(|one| one.envelope.version())
        .collect();
    assert_eq!(versions, (1..=256).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_full_batch_of_the_largest_events_is_taken() {
    let app = App::new();
    let mut large = event("fine", 1);
    large["data"] = "x".repeat(250 * 1024).into();

    assert_eq!(app.bulk(&vec![large; 64]).await, ["SUCCESS"; 64]);
}

#[tokio::test]
async fn an_entry_without_an_id_is_not_answered_and_so_fails() {
    let app = App::new();
    let body = json!({
        "type": "com.dapr.event.sent.bulk",
        "entries": [{ "event": event("fine", 1) }, 12, { "entryId": "1", "event": event("fine", 2) }],
    });

    let (status, answer) = app.deliver("application/json", body.to_string()).await;

    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({ "statuses": [{ "entryId": "1", "status": "SUCCESS" }] })
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_no_client_error() {
    let config = dapr_client::Config {
        bulk_max_messages: 1,
        ..dapr_client::Config::default()
    };
    let app = App::with(config);
    let body = Body::from(vec![b' '; 8 * 1024 * 1024 + 1]);

    let (status, _) = app
        .call(Request::post("/events/task-events").body(body).unwrap())
        .await;

    assert_eq!(status, 500);
}
