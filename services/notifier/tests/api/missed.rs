//! While you were away: what was missed is told of in one notification.

use chrono::TimeDelta;
use event_schema::TaskReminders;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::fixture::{self, RemindersStory, instant};
use test_support::{OTHER_USER, TestSuite};

use super::{parts, suite, text, titles};

/// A reminder of the n-th task, an hour after that of the one before, and missed when the test begins.
fn missed(number: u32) -> RemindersStory {
    let task = fixture::task(&format!("Task {number}")).created();
    let at = instant("2026-11-19T12:00:00Z") + TimeDelta::hours(number.into());
    fixture::reminders(task.state()).missed(0, at)
}

/// It should not have been missed.
fn withdrawn(story: RemindersStory) -> Value {
    let reminders: &TaskReminders = story.state();
    let at = reminders.reminders[0].fire_at;
    story.withdrawn(0, at).last()
}

async fn summaries(suite: &TestSuite) -> Vec<Value> {
    let page = suite
        .get("/v1/notifications?type=reminder.missed", StatusCode::OK)
        .await;
    page["items"].as_array().unwrap().clone()
}

async fn read(suite: &TestSuite, notification: &Value) {
    let path = format!("/v1/notifications/{}/read", text(notification, "id"));
    suite.post(&path, Value::Null, StatusCode::OK).await;
}

#[tokio::test]
async fn what_was_missed_is_told_of_at_once_however_often_and_in_whatever_order_it_comes() {
    for seed in 0..4 {
        for suite in TestSuite::every(parts).await {
            let mut suite = suite.seed(seed);
            let events: Vec<Value> = (1..=7).flat_map(|n| missed(n).events()).collect();

            suite.deliver(events).await;

            let told = summaries(&suite).await;
            assert_eq!(told.len(), 1);
            assert_eq!(
                told[0]["title"],
                "7 reminders were missed while you were away"
            );
            assert_eq!(told[0]["missed"]["count"], 7);
            let first = told[0]["missed"]["first"].as_array().unwrap();
            let named: Vec<String> = first.iter().map(|one| text(one, "title")).collect();
            assert_eq!(named, ["Task 1", "Task 2", "Task 3", "Task 4", "Task 5"]);
            assert_eq!(first[0]["scheduled_for"], "2026-11-19T13:00:00Z");
            assert_eq!(text(&told[0], "body").lines().last(), Some("and 2 more"));
            let counts = suite.get("/v1/notifications/count", StatusCode::OK).await;
            assert_eq!(counts, json!({ "unread": 1, "total": 1 }));
            suite.run_workers().await;
            assert_eq!(suite.published_of("notification.created.v1").len(), 1);
            assert_eq!(suite.published_of("notification.updated.v1").len(), 6);
            suite.finish().await;
        }
    }
}

#[tokio::test]
async fn what_is_missed_after_a_summary_was_read_or_is_a_day_old_begins_another() {
    for mut suite in TestSuite::every(parts).await {
        suite.deliver(missed(1).events()).await;
        read(&suite, &summaries(&suite).await[0]).await;
        suite.advance(TimeDelta::minutes(1));
        suite.deliver(missed(2).events()).await;
        suite.advance(TimeDelta::hours(24));
        suite.deliver(missed(3).events()).await;

        let told = summaries(&suite).await;
        let names = told.iter().map(|one| text(one, "body"));
        assert_eq!(
            names.collect::<Vec<_>>(),
            [3, 2, 1].map(|n| format!("Task {n} (19 November, {}:00 UTC)", 12 + n))
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_restart_neither_tells_again_nor_begins_another() {
    let mut suite = suite().await;
    suite.deliver(missed(1).events()).await;
    suite.restart().await;
    suite.deliver(missed(1).events()).await;
    suite.deliver(missed(2).events()).await;

    let told = summaries(&suite).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["missed"]["count"], 2);
    suite.finish().await;
}

#[tokio::test]
async fn what_is_taken_back_is_left_out_whichever_comes_first() {
    for mut suite in TestSuite::every(parts).await {
        // The second is taken back before it comes.
        suite.deliver([withdrawn(missed(2))]).await;
        suite
            .deliver((1..=3).flat_map(|n| missed(n).events()))
            .await;
        suite.deliver([withdrawn(missed(1))]).await;

        let told = summaries(&suite).await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0]["title"],
            "1 reminder was missed while you were away"
        );
        assert_eq!(told[0]["body"], "Task 3 (19 November, 15:00 UTC)");

        suite.deliver([withdrawn(missed(3))]).await;
        assert!(titles(&suite).await.is_empty());
        let path = format!("/v1/notifications/{}", text(&told[0], "id"));
        suite.get(&path, StatusCode::NOT_FOUND).await;
        suite.deliver(missed(4).events()).await;
        assert_eq!(summaries(&suite).await[0]["missed"]["count"], 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn tasks_that_were_closed_before_are_left_out() {
    let mut suite = suite().await;
    let open = fixture::task("Vote").at(instant("2026-11-20T09:00:00Z"));
    let closed = open.created().completed();
    let at = instant("2026-11-19T09:00:00Z");
    suite.deliver(closed.events()).await;

    suite
        .deliver(fixture::reminders(closed.state()).missed(0, at).events())
        .await;

    assert!(titles(&suite).await.is_empty());
    suite.finish().await;
}

#[tokio::test]
async fn each_user_has_a_summary_of_their_own() {
    let mut suite = suite().await;
    let theirs = fixture::task("Theirs").owner(OTHER_USER).created();
    let at = instant("2026-11-19T09:00:00Z");
    suite.deliver(missed(1).events()).await;
    suite
        .deliver(fixture::reminders(theirs.state()).missed(0, at).events())
        .await;

    assert_eq!(summaries(&suite).await[0]["missed"]["count"], 1);
    let list = suite
        .request(Method::GET, "/v1/notifications")
        .user(OTHER_USER);
    let list = list.send().await.json();
    assert_eq!(list["items"][0]["missed"]["first"][0]["title"], "Theirs");
    suite.finish().await;
}

#[tokio::test]
async fn the_stream_tells_that_a_summary_says_more() {
    let mut suite = suite().await;
    let request = suite.request(Method::GET, "/v1/notifications/stream");
    let mut stream = request.stream().await;
    suite.deliver(missed(1).events()).await;
    suite.deliver(missed(2).events()).await;

    let created = stream.next_event().await.unwrap();
    assert_eq!(created.event, "notification.created");
    let updated = stream.next_event().await.unwrap();
    assert_eq!(updated.event, "notification.updated");
    let view: Value = serde_json::from_str(&updated.data).unwrap();
    assert_eq!(view["missed"]["count"], 2);
    assert_eq!(view["version"], 2);
    suite.finish().await;
}
