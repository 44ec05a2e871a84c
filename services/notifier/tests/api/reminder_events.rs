//! Reminders become notifications.

use event_schema::Topic;
use http::StatusCode;
use insta::{allow_duplicates, assert_json_snapshot};
use serde_json::json;
use test_support::fixture::{self, instant};
use test_support::{TestSuite, USER, fixture::RemindersStory};

use super::{parts, suite, titles};

fn rent() -> RemindersStory {
    let task = fixture::task("Pay rent")
        .due(fixture::local("2026-11-22T11:00", "Europe/Berlin"))
        .reminder(-600)
        .created();
    fixture::reminders(task.state())
}

#[tokio::test]
async fn a_reminder_that_fires_is_told_once() {
    for mut suite in TestSuite::every(parts).await {
        let fired = rent().scheduled(0, instant("2026-11-22T09:50:00Z"));
        let fired = fired.fired(0, instant("2026-11-22T09:50:00Z"));

        suite.deliver(fired.events()).await;
        suite.run_workers().await;

        let page = suite.get("/v1/notifications", StatusCode::OK).await;
        allow_duplicates! { assert_json_snapshot!(page, @r#"
        {
          "items": [
            {
              "body": "Due 22 November, 11:00.",
              "created_at": "2026-11-22T10:00:00Z",
              "id": "abff4477-d32b-5910-bcca-44a940c8c259",
              "missed": null,
              "read_at": null,
              "scheduled_for": "2026-11-22T09:50:00Z",
              "series_id": null,
              "task_id": "ede2ceed-ea52-5af7-800e-575f6512f2d7",
              "title": "Pay rent",
              "type": "reminder.fired",
              "version": 1
            }
          ],
          "next_cursor": null
        }
        "#) }
        let published = suite.published();
        assert_eq!(published.len(), 1);
        assert_eq!(published[0]["type"], "notification.created.v1");
        assert_eq!(published[0]["partitionkey"], USER.to_string());
        assert_eq!(published[0]["causationid"], fired.last()["id"]);
        assert_eq!(published[0]["data"]["actor"], "service:notifier");
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_is_taken_back_is_not_shown_whichever_comes_first() {
    for mut suite in TestSuite::every(parts).await {
        let at = instant("2026-11-22T09:50:00Z");
        let story = rent().fired(0, at).withdrawn(0, at);
        let [fired, withdrawn] = &story.events()[..] else {
            panic!("two events");
        };
        let other = fixture::task("Call back").created();
        let other = fixture::reminders(other.state())
            .fired(0, at)
            .withdrawn(0, at);

        suite
            .deliver_in_order([withdrawn, fired].map(Clone::clone))
            .await;
        suite.deliver_in_order([other.events()[0].clone()]).await;
        assert_eq!(titles(&suite).await, ["Call back"]);
        let told = suite.get("/v1/notifications", StatusCode::OK).await;
        let path = format!(
            "/v1/notifications/{}",
            told["items"][0]["id"].as_str().unwrap()
        );
        suite.deliver(other.events()).await;

        assert!(titles(&suite).await.is_empty());
        suite.get(&path, StatusCode::NOT_FOUND).await;
        let read = format!("{path}/read");
        suite.post(&read, json!({}), StatusCode::NOT_FOUND).await;
        suite.run_workers().await;
        let published = ["withdrawn", "created", "withdrawn"];
        assert_eq!(
            suite.published_types(),
            published.map(|name| format!("notification.{name}.v1"))
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn every_firing_of_every_reminder_is_told() {
    let mut suite = suite().await;
    let story = rent()
        .fired(0, instant("2026-11-22T09:50:00Z"))
        .fired(1, instant("2026-11-22T09:50:00Z"))
        .fired(0, instant("2026-11-23T09:50:00Z"));

    suite.deliver(story.events()).await;

    assert_eq!(titles(&suite).await.len(), 3);
    suite.finish().await;
}

#[tokio::test]
async fn planned_and_cancelled_reminders_are_not_told() {
    let mut suite = suite().await;
    let story = rent().scheduled(0, instant("2026-11-22T09:50:00Z"));

    suite.deliver(story.cancelled(0).events()).await;
    suite.run_workers().await;

    assert!(titles(&suite).await.is_empty());
    assert!(suite.published().is_empty());
    suite.finish().await;
}

#[tokio::test]
async fn what_was_told_is_not_told_again_after_a_restart() {
    let mut suite = suite().await;
    let events = rent().fired(0, instant("2026-11-22T09:50:00Z")).events();
    suite.deliver(events.clone()).await;

    suite.restart().await;
    suite.deliver(events).await;

    assert_eq!(titles(&suite).await.len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_parked_and_types_of_the_future_pass() {
    let mut suite = suite().await;
    let mut broken = rent().fired(0, instant("2026-11-22T09:50:00Z")).last();
    broken["data"]["change"] = json!({ "reminder_id": 7 });
    let mut future = rent().fired(1, instant("2026-11-22T09:50:00Z")).last();
    future["type"] = json!("reminder.fired.v2");

    let answer = suite.deliver_single(Topic::ReminderEvents, &broken).await;
    assert_eq!(answer, "SUCCESS");
    let answer = suite.deliver_single(Topic::ReminderEvents, &future).await;
    assert_eq!(answer, "SUCCESS");

    assert!(titles(&suite).await.is_empty());
    suite.expect_dead_letters(1);
    suite.finish().await;
}

#[tokio::test]
async fn while_the_broker_is_away_notifications_are_made_and_published_later() {
    let mut suite = suite().await;
    suite.sidecar().go_down();
    suite
        .deliver(rent().fired(0, instant("2026-11-22T09:50:00Z")).events())
        .await;
    suite.run_workers().await;
    assert_eq!(titles(&suite).await.len(), 1);
    assert!(suite.published().is_empty());

    suite.sidecar().recover();
    suite.run_workers().await;

    assert_eq!(suite.published_types(), ["notification.created.v1"]);
    suite.finish().await;
}
