//! `task-events`: occurrences that are finished.

use chrono::TimeDelta;
use event_schema::{OccurrenceDue, occurrence_event_id};
use test_support::fixture::{instant, local, series, task};
use test_support::{TestSuite, fixture};

use crate::{announced, parts};

const FIRST: &str = "2026-11-23";
const SECOND: &str = "2026-11-30";
const THIRD: &str = "2026-12-07";

fn weekly() -> fixture::SeriesStory {
    series("Water the plants", "FREQ=WEEKLY").started()
}

fn occurrence(slot: &str, index: u32) -> fixture::TaskStory {
    let weekly = weekly();
    task("Water the plants").occurrence(weekly.state(), slot, index)
}

#[tokio::test]
async fn a_completed_occurrence_makes_the_next_slot_due() {
    for mut suite in TestSuite::every(parts).await {
        suite.deliver(weekly().events()).await;
        suite
            .deliver(occurrence(FIRST, 1).created().completed().events())
            .await;
        suite.run_workers().await;

        let due = suite.published_of("occurrence.due.v1");
        let change: OccurrenceDue =
            serde_json::from_value(due[0]["data"]["change"].clone()).unwrap();
        let expected = OccurrenceDue {
            slot: SECOND.to_owned(),
            index: 2,
            missed_count: 0,
            previous_slot: FIRST.to_owned(),
            undone: Some(0),
        };
        assert_eq!(change, expected);
        let series_id = weekly().state().id;
        let id = occurrence_event_id(series_id, SECOND).to_string();
        assert_eq!(due[0]["id"], id);
        assert_eq!(due[0]["partitionkey"], series_id.to_string());
        assert_eq!(suite.published_types(), ["occurrence.due.v1"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn skipped_and_cancelled_occurrences_are_finished_too() {
    for close in [fixture::TaskStory::skipped, fixture::TaskStory::cancelled] {
        let mut suite = TestSuite::start(parts).await;
        suite.deliver(weekly().events()).await;
        suite
            .deliver(close(occurrence(FIRST, 1).created()).events())
            .await;
        suite.run_workers().await;

        assert_eq!(announced(&suite), [SECOND]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn each_occurrence_in_its_turn_makes_the_next_slot_due() {
    let mut suite = TestSuite::start(parts).await;
    let first = occurrence(FIRST, 1).created().completed();
    let second = occurrence(SECOND, 2)
        .created()
        .at(instant("2026-11-30T18:00:00Z"))
        .completed();

    suite.deliver(weekly().events()).await;
    suite.deliver(first.events()).await;
    suite.deliver(second.events()).await;
    suite.deliver(first.events()).await;
    suite.run_workers().await;

    assert_eq!(announced(&suite), [SECOND, THIRD]);
    suite.finish().await;
}

#[tokio::test]
async fn an_occurrence_may_be_heard_of_before_its_series() {
    for mut suite in TestSuite::every(parts).await {
        suite
            .deliver(occurrence(FIRST, 1).created().completed().events())
            .await;
        suite.run_workers().await;
        assert!(announced(&suite).is_empty());

        suite.deliver(weekly().events()).await;
        suite.run_workers().await;

        assert_eq!(announced(&suite), [SECOND]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn everything_at_once_and_in_any_order_announces_each_slot_once() {
    for seed in 0..20 {
        let mut suite = TestSuite::start(parts).await.seed(seed);
        let mut events = weekly().paused().resumed().events();
        events.extend(occurrence(FIRST, 1).created().completed().events());

        suite.deliver(events).await;
        suite.run_workers().await;

        assert_eq!(announced(&suite), [SECOND]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_late_completion_leaves_out_what_has_passed() {
    let mut suite = TestSuite::start(parts).await;
    let late = occurrence(FIRST, 1)
        .created()
        .at(instant("2026-12-16T10:00:00Z"))
        .completed();

    suite.deliver(weekly().events()).await;
    suite.deliver(late.events()).await;
    suite.run_workers().await;

    let due = suite.published_of("occurrence.due.v1");
    assert_eq!(due[0]["data"]["change"]["slot"], "2026-12-21");
    assert_eq!(due[0]["data"]["change"]["missed_count"], 3);
    suite.finish().await;
}

#[tokio::test]
async fn the_last_day_of_a_month_is_remembered_through_february() {
    let mut suite = TestSuite::start(parts).await;
    let rent = series("Pay rent", "FREQ=MONTHLY")
        .starting(local("2027-01-31T09:00", "Europe/Berlin"))
        .started();
    suite.deliver(rent.events()).await;

    for (index, slot) in [(1, "2027-01-31T09:00"), (2, "2027-02-28T09:00")] {
        let paid = instant(&format!("{slot}:00Z")) - TimeDelta::days(1);
        let task = task("Pay rent").occurrence(rent.state(), slot, index);
        suite
            .deliver(task.created().at(paid).completed().events())
            .await;
    }
    suite.run_workers().await;

    assert_eq!(announced(&suite), ["2027-02-28T09:00", "2027-03-31T09:00"]);
    suite.finish().await;
}

#[tokio::test]
async fn an_occurrence_that_is_open_again_is_not_finished_by_an_older_event() {
    let mut suite = TestSuite::start(parts).await;
    let story = occurrence(FIRST, 1).created().completed().reopened();
    suite.deliver(weekly().events()).await;

    suite.deliver_in_order([story.last()]).await;
    suite.deliver_in_order(story.events()).await;
    suite.run_workers().await;

    assert!(announced(&suite).is_empty());
    suite.finish().await;
}

#[tokio::test]
async fn tasks_of_no_series_leave_no_trace() {
    let mut suite = TestSuite::start(parts).await;

    suite
        .deliver(task("Buy milk").created().completed().events())
        .await;

    assert_eq!(suite.ledger().last_position().await.unwrap(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn a_slot_that_is_none_is_parked() {
    let mut suite = TestSuite::start(parts).await;
    let story = occurrence("next Monday", 1).created().completed();

    suite.deliver_in_order([story.last()]).await;

    let parked = suite.dead_letters().await;
    assert!(parked[0].reason.contains("next Monday"), "{parked:?}");
    suite.expect_dead_letters(1);
    suite.finish().await;
}
