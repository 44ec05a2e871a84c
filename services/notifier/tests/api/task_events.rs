//! What is known of a task decides what is told of it.

use chrono::TimeDelta;
use test_support::fixture::{self, TaskStory, instant};

use super::{suite, titles};

fn rent() -> TaskStory {
    fixture::task("Pay rent")
        .due(fixture::date("2026-11-22"))
        .reminder(-600)
        .created()
}

fn fired(story: &TaskStory, at: chrono::DateTime<chrono::Utc>) -> Vec<serde_json::Value> {
    fixture::reminders(story.state()).fired(0, at).events()
}

#[tokio::test]
async fn a_reminder_that_fires_after_its_task_was_closed_is_not_told() {
    let closings: [fn(TaskStory) -> TaskStory; 5] = [
        TaskStory::completed,
        TaskStory::cancelled,
        TaskStory::skipped,
        TaskStory::trashed,
        |story| story.trashed().purged(),
    ];
    for close in closings {
        let mut suite = suite().await;
        let open = rent().at(instant("2026-11-22T09:00:00Z"));
        let closed = close(open.clone());

        suite.deliver(closed.events()).await;
        suite
            .deliver(fired(&open, instant("2026-11-22T09:30:00Z")))
            .await;

        assert!(titles(&suite).await.is_empty());
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_reminder_that_fired_before_its_task_was_closed_is_told_in_either_order() {
    for closed_first in [true, false] {
        let mut suite = suite().await;
        let at = instant("2026-11-22T09:30:00Z");
        let open = rent();
        let fired = fired(&open, at);
        let closed = open.at(at + TimeDelta::seconds(1)).completed();

        if closed_first {
            suite.deliver(closed.events()).await;
            suite.deliver(fired).await;
        } else {
            suite.deliver(fired).await;
            suite.deliver(closed.events()).await;
        }

        assert_eq!(titles(&suite).await, ["Pay rent"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_task_that_was_reopened_is_told_of_again() {
    let mut suite = suite().await;
    let story = rent().completed().reopened();

    suite.deliver(story.events()).await;
    suite
        .deliver(fired(&story, instant("2026-11-22T09:30:00Z")))
        .await;

    assert_eq!(titles(&suite).await, ["Pay rent"]);
    suite.finish().await;
}

#[tokio::test]
async fn the_newest_title_is_shown_although_the_scheduler_knew_an_older_one() {
    let mut suite = suite().await;
    let known_to_the_scheduler = rent();
    let renamed = known_to_the_scheduler.clone().renamed("Pay the rent");

    suite.deliver(renamed.events()).await;
    suite
        .deliver(fired(
            &known_to_the_scheduler,
            instant("2026-11-22T09:30:00Z"),
        ))
        .await;

    assert_eq!(titles(&suite).await, ["Pay the rent"]);
    suite.finish().await;
}

#[tokio::test]
async fn tasks_that_nobody_changed_leave_nothing_in_the_ledger() {
    let mut suite = suite().await;
    suite.deliver(rent().events()).await;
    assert_eq!(suite.ledger().last_position().await.unwrap(), 0);
    suite.finish().await;
}
