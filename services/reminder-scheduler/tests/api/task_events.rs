//! `task-events`: what becomes of a task decides what becomes of its reminders.

use test_support::TestSuite;
use test_support::fixture::{TaskStory, date, local, series, task};

use crate::{CANCELLED, FIRED, SCHEDULED, its_time, parts, rent};

#[tokio::test]
async fn a_reminder_of_a_new_task_is_scheduled_once() {
    for mut suite in TestSuite::every(parts).await {
        suite.deliver(rent().created().events()).await;
        suite.run_workers().await;

        let [scheduled] = &suite.published()[..] else {
            panic!("{:#?}", suite.published());
        };
        assert_eq!(scheduled["type"], SCHEDULED);
        let task_id = rent().state().id.to_string();
        assert_eq!(scheduled["subject"], task_id);
        assert_eq!(scheduled["partitionkey"], task_id);
        let change = &scheduled["data"]["change"];
        assert_eq!(change["fire_at"], "2026-11-22T11:50:00Z");
        assert_eq!(change["title"], "Pay rent");
        assert_eq!(change["tzdb_version"], recurrence::tzdb_version());
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_task_that_is_closed_before_its_time_never_fires() {
    let closings = [
        TaskStory::completed,
        TaskStory::cancelled,
        TaskStory::skipped,
        TaskStory::trashed,
    ];
    for close in closings {
        let mut suite = TestSuite::start(parts).await;
        let story = rent().created();
        suite.deliver(story.events()).await;
        suite.deliver(close(story).events()).await;

        suite.set_now(its_time());
        suite.run_workers().await;

        assert_eq!(suite.published_types(), [SCHEDULED, CANCELLED]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn an_occurrence_that_is_taken_back_never_fires_also_when_it_never_was_open() {
    let weekly = series("Pay rent", "FREQ=WEEKLY").started();
    let next = || rent().occurrence(weekly.state(), "2026-11-22", 2);
    let mut suite = TestSuite::start(parts).await;
    let story = next().created();
    suite.deliver(story.events()).await;
    suite
        .deliver(story.withdrawn("2026-11-15", 1).events())
        .await;
    suite.set_now(its_time());
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [SCHEDULED, CANCELLED]);
    suite.finish().await;

    let mut suite = TestSuite::start(parts).await;
    suite
        .deliver(next().born_withdrawn("2026-11-15", 1).events())
        .await;
    suite.set_now(its_time());
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [""; 0]);
    suite.finish().await;
}

#[tokio::test]
async fn a_task_that_is_reopened_is_reminded_of_but_not_twice() {
    let mut suite = TestSuite::start(parts).await;
    let story = rent().created().completed().reopened();
    suite.deliver(story.events()).await;
    suite.set_now(its_time());
    suite.run_workers().await;

    suite.deliver(story.completed().reopened().events()).await;
    suite.run_workers().await;

    assert_eq!(suite.published_of(FIRED).len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn every_order_of_a_tasks_events_ends_at_the_same_plan() {
    for seed in 0..20 {
        let mut suite = TestSuite::start(parts).await.seed(seed);
        let story = rent()
            .created()
            .due(local("2026-11-22T15:00", "Europe/Berlin"))
            .renamed("Pay the rent")
            .completed()
            .reopened()
            .reminder(-60);
        suite.deliver(story.events()).await;

        suite.set_now(its_time() + chrono::TimeDelta::days(1));
        suite.run_workers().await;

        let fired = suite.published_of(FIRED);
        let mut times: Vec<_> = fired
            .iter()
            .map(|event| event["data"]["change"]["scheduled_for"].clone())
            .collect();
        times.sort_by_key(ToString::to_string);
        assert_eq!(times, ["2026-11-22T13:50:00Z", "2026-11-22T13:59:00Z"]);
        assert_eq!(fired[0]["data"]["reminders"]["title"], "Pay the rent");
        suite.finish().await;
    }
}

#[tokio::test]
async fn tasks_without_an_instant_to_remind_of_leave_no_trace() {
    let mut suite = TestSuite::start(parts).await;

    suite.deliver(task("Buy milk").created().events()).await;
    let whole_day = task("Celebrate").due(date("2026-11-23")).reminder(-600);
    suite.deliver(whole_day.created().events()).await;

    assert_eq!(suite.ledger().last_position().await.unwrap(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn a_task_in_a_zone_that_is_not_known_is_parked() {
    let mut suite = TestSuite::start(parts).await;
    let far = task("Land").due(local("2026-11-23T09:00", "Mars/Olympus"));

    suite
        .deliver_in_order(far.reminder(0).created().events())
        .await;

    let parked = suite.dead_letters().await;
    assert!(parked[0].reason.contains("Mars/Olympus"), "{parked:?}");
    suite.expect_dead_letters(1);
    suite.finish().await;
}
