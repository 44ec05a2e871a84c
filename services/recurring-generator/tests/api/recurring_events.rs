//! `recurring-events`: definitions of series.

use event_schema::{Topic, exhausted_event_id};
use test_support::TestSuite;
use test_support::fixture::{SeriesStory, TaskStory, progress, series, task};

use crate::{announced, parts};

fn weekly() -> SeriesStory {
    series("Water the plants", "FREQ=WEEKLY").started()
}

fn first(series: &SeriesStory) -> TaskStory {
    task("Water the plants")
        .occurrence(series.state(), "2026-11-23", 1)
        .created()
}

#[tokio::test]
async fn a_paused_series_announces_when_it_is_resumed() {
    let mut suite = TestSuite::start(parts).await;
    let paused = weekly().paused();
    suite.deliver(paused.events()).await;
    suite.deliver(first(&paused).completed().events()).await;
    suite.run_workers().await;
    assert!(announced(&suite).is_empty());

    suite.deliver(paused.resumed().events()).await;
    suite.run_workers().await;

    assert_eq!(announced(&suite), ["2026-11-30"]);
    suite.finish().await;
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    for mut suite in TestSuite::every(parts).await {
        let paused = weekly().paused();
        suite.deliver(paused.events()).await;
        suite.deliver(first(&paused).completed().events()).await;

        suite.restart().await;
        suite.deliver(paused.resumed().events()).await;
        suite.run_workers().await;

        assert_eq!(announced(&suite), ["2026-11-30"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn an_ended_series_announces_nothing() {
    let mut suite = TestSuite::start(parts).await;
    let ended = weekly().ended();

    suite.deliver(ended.events()).await;
    suite.deliver(first(&ended).completed().events()).await;
    suite.run_workers().await;

    assert!(suite.published().is_empty());
    suite.finish().await;
}

#[tokio::test]
async fn a_changed_rule_decides_the_next_slot() {
    let mut suite = TestSuite::start(parts).await;
    let changed = weekly().changed_rule("FREQ=DAILY;INTERVAL=2");

    suite.deliver(changed.events()).await;
    suite.deliver(first(&changed).completed().events()).await;
    suite.run_workers().await;

    assert_eq!(announced(&suite), ["2026-11-25"]);
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_that_has_run_out_is_announced_once() {
    let mut suite = TestSuite::start(parts).await;
    let once = series("Water the plants", "FREQ=WEEKLY;COUNT=1").started();

    suite.deliver(once.events()).await;
    suite.deliver(first(&once).completed().events()).await;
    suite
        .deliver(once.clone().paused().resumed().events())
        .await;
    suite.run_workers().await;

    let exhausted = suite.published_of("series.exhausted.v1");
    let id = exhausted_event_id(once.state().id, "2026-11-23").to_string();
    assert_eq!(exhausted[0]["id"], id);
    assert_eq!(suite.published_types(), ["series.exhausted.v1"]);
    suite.finish().await;
}

#[tokio::test]
async fn our_own_events_are_none_of_our_business() {
    let mut suite = TestSuite::start(parts).await;
    let weekly = weekly();
    let own = progress(weekly.state())
        .occurrence_due("2026-11-30", 2)
        .exhausted("2026-11-30");

    suite.deliver(own.events()).await;

    assert_eq!(suite.ledger().last_position().await.unwrap(), 0);
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_is_parked_and_later_events_of_the_series_wait() {
    let mut suite = TestSuite::start(parts).await;
    let broken = series("Water the plants", "FREQ=SOMETIMES").started();

    suite.deliver_in_order(broken.events()).await;
    suite.deliver_in_order([broken.paused().last()]).await;

    let parked = suite.dead_letters().await;
    assert!(parked[0].reason.contains("has no slots"), "{parked:?}");
    suite.expect_dead_letters(2);
    suite.finish().await;
}

#[tokio::test]
async fn bytes_that_are_no_event_are_parked() {
    let mut suite = TestSuite::start(parts).await;
    let json = "application/cloudevents+json";

    let answer = suite
        .deliver_bytes(Topic::RecurringEvents, json, "some key", "{\"type\":")
        .await;

    assert_eq!(answer["status"], "SUCCESS");
    suite.expect_dead_letters(1);
    suite.finish().await;
}
