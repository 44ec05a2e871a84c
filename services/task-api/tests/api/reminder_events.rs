//! What the scheduler says about reminders is seen on the task.

use event_schema::{ReminderId, Task};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::fixture::{self, RemindersStory, instant};
use test_support::{TestSuite, USER};

use crate::{create, parts, path};

/// A task with a reminder at noon, and what the scheduler says about it.
async fn reminded(suite: &TestSuite) -> (Value, RemindersStory) {
    let trigger = json!({"type": "absolute", "at": {"instant": "2026-11-22T12:00:00Z"}});
    let body = json!({"title": "Pay rent", "reminders": [{"trigger": trigger}]});
    let task = create(suite, body).await;
    let id = task["id"].as_str().unwrap().parse().unwrap();
    let known = Task::new(
        id,
        USER,
        "Pay rent",
        event_schema::Actor::User(USER),
        fixture::start(),
    );
    let reminder: ReminderId = task["reminders"][0]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    (task, fixture::reminders(&known).named(vec![reminder]))
}

#[tokio::test]
async fn what_became_of_a_reminder_is_seen_on_its_task() {
    for mut suite in TestSuite::every(parts).await {
        let (task, story) = reminded(&suite).await;
        let scheduled = &task["reminders"][0];
        assert_eq!(scheduled["state"], "scheduled");
        assert_eq!(scheduled["next_fire_at"], "2026-11-22T12:00:00Z");
        assert_eq!(scheduled["fire_count"], 0);
        let noon = instant("2026-11-22T12:00:00Z");
        suite.set_now(noon);

        let story = story.scheduled(0, noon).fired(0, noon);
        suite.deliver(story.events()).await;

        let fired = suite.get(&path(&task, ""), StatusCode::OK).await;
        assert_eq!(fired["version"], 1, "nobody has changed it");
        let shown = &fired["reminders"][0];
        assert_eq!(shown["state"], "fired");
        assert_eq!(shown["next_fire_at"], Value::Null);
        assert_eq!(shown["last_fired_at"], "2026-11-22T12:00:00Z");
        assert_eq!(shown["late_by"], "PT0S");
        assert_eq!(shown["fire_count"], 1);
        let read = async |tag: &str| {
            let request = suite.request(Method::GET, &path(&task, ""));
            request.header("if-none-match", tag).send().await
        };
        let other = read("\"v1\"").await;
        assert_eq!(
            (other.status, other.header("etag")),
            (StatusCode::OK, "\"v1.1\"")
        );
        assert_eq!(read("\"v1.1\"").await.status, StatusCode::NOT_MODIFIED);
        let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;
        assert_eq!(history["items"].as_array().unwrap().len(), 1);

        let withdrawn = story.withdrawn(0, noon);
        suite.deliver(withdrawn.events()).await;
        let task = suite.get(&path(&task, ""), StatusCode::OK).await;
        assert_eq!(task["reminders"][0]["fire_count"], 0);
        assert_eq!(task["reminders"][0]["last_fired_at"], Value::Null);
        suite.run_workers().await;
        assert_eq!(suite.published_types(), ["task.created.v1"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn who_read_a_task_before_its_reminder_fired_may_change_it() {
    let mut suite = crate::suite().await;
    let (task, story) = reminded(&suite).await;
    let noon = instant("2026-11-22T12:00:00Z");
    suite
        .deliver(story.scheduled(0, noon).fired(0, noon).events())
        .await;

    let complete = |version| {
        let request = suite.request(Method::POST, &path(&task, "/complete"));
        request.if_match(version).json(&json!({})).send()
    };
    let stale = complete(2).await.expect(StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.json()["current"]["version"], 1);
    let completed = complete(1).await.expect(StatusCode::OK);

    assert_eq!(completed.version(), 2);
    assert_eq!(completed.json()["task"]["version"], 2);
    let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;
    assert_eq!(history["items"][1]["version"], 2);
    assert_eq!(history["items"][1]["type"], "task.completed.v1");
    suite.finish().await;
}

#[tokio::test]
async fn an_older_plan_does_not_undo_a_newer_one() {
    let suite = crate::suite().await;
    let (task, story) = reminded(&suite).await;
    let noon = instant("2026-11-22T12:00:00Z");
    let events = story
        .scheduled(0, noon)
        .fired(0, noon)
        .withdrawn(0, noon)
        .events();

    suite
        .deliver_in_order([events[2].clone(), events[1].clone()])
        .await;
    suite.deliver_in_order(events).await;

    let task = suite.get(&path(&task, ""), StatusCode::OK).await;
    assert_eq!(task["reminders"][0]["fire_count"], 0);
    suite.finish().await;
}

#[tokio::test]
async fn what_is_said_of_a_task_or_reminder_that_is_not_there_is_no_error() {
    let mut suite = crate::suite().await;
    let (task, story) = reminded(&suite).await;
    let stranger = fixture::task("Never created").created();
    let noon = instant("2026-11-22T12:00:00Z");
    let strange = fixture::reminders(stranger.state()).fired(0, noon);
    suite.deliver(strange.events()).await;
    suite
        .patch(&path(&task, ""), json!({"reminders": []}), StatusCode::OK)
        .await;
    suite.deliver(story.fired(0, noon).events()).await;

    let task = suite.get(&path(&task, ""), StatusCode::OK).await;
    assert_eq!(task["reminders"], json!([]));
    suite.finish().await;
}
