//! The live stream.

use chrono::TimeDelta;
use http::{Method, StatusCode};
use serde_json::Value;
use test_support::fixture::{self, instant};
use test_support::{OTHER_USER, SseEvent, TestSuite};

use super::{suite, text};

async fn fire(suite: &mut TestSuite, number: usize) {
    let task = fixture::task("Pay rent").created();
    let fired = fixture::reminders(task.state()).fired(number, instant("2026-11-22T09:50:00Z"));
    suite.deliver(fired.events()).await;
}

fn id(event: &SseEvent) -> String {
    text(&serde_json::from_str(&event.data).unwrap(), "id")
}

#[tokio::test]
async fn the_stream_tells_what_is_created_and_read() {
    let mut suite = suite().await;
    let mut stream = suite
        .request(Method::GET, "/v1/notifications/stream")
        .stream()
        .await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["x-accel-buffering"], "no");
    assert_eq!(stream.headers["cache-control"], "no-cache");

    fire(&mut suite, 0).await;
    let created = stream.next_event().await.unwrap();
    assert_eq!(created.event, "notification.created");

    let path = format!("/v1/notifications/{}/read", id(&created));
    suite.post(&path, Value::Null, StatusCode::OK).await;
    let read = stream.next_event().await.unwrap();
    assert_eq!(
        (read.event.as_str(), id(&read)),
        ("notification.read", id(&created))
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_caller_who_comes_back_goes_on_where_the_stream_broke() {
    let mut suite = suite().await;
    let request = |suite: &TestSuite| suite.request(Method::GET, "/v1/notifications/stream");
    let mut stream = request(&suite).stream().await;
    fire(&mut suite, 0).await;
    let first = stream.next_event().await.unwrap();
    drop(stream);
    fire(&mut suite, 1).await;

    let mut stream = request(&suite)
        .header("last-event-id", &first.id)
        .stream()
        .await;

    let second = stream.next_event().await.unwrap();
    assert_ne!(id(&second), id(&first));
    let mut lost = request(&suite)
        .header("last-event-id", "4711")
        .stream()
        .await;
    assert_eq!(lost.next_event().await.unwrap().event, "resync");
    suite.finish().await;
}

#[tokio::test]
async fn nobody_hears_of_a_foreign_notification() {
    let mut suite = suite().await;
    let request = suite
        .request(Method::GET, "/v1/notifications/stream")
        .user(OTHER_USER);
    let mut stream = request.header("last-event-id", "0").stream().await;
    fire(&mut suite, 0).await;
    let task = fixture::task("Theirs").owner(OTHER_USER).created();
    let fired = fixture::reminders(task.state()).fired(0, instant("2026-11-22T09:50:00Z"));
    suite.deliver(fired.events()).await;

    let event = stream.next_event().await.unwrap();

    let view: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(view["title"], "Theirs");
    suite.finish().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let suite = suite().await;
    let request = suite.request(Method::GET, "/v1/notifications/stream");
    let mut stream = request.stream().await;
    stream.next().await.unwrap();

    suite.advance(TimeDelta::days(366));

    assert_eq!(stream.next().await, None);
    suite.finish().await;
}
