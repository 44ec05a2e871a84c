//! Series whose occurrences are made at their time.

use chrono::TimeDelta;
use database::{on, sqlx};
use event_schema::{CatchUp, Generation, GenerationMode};
use test_support::fixture::{instant, local, series, task};
use test_support::{TestSuite, fixture};

use crate::{announced, parts};

/// Daily at nine in Berlin, a day before its time.
fn daily(catch_up: CatchUp) -> fixture::SeriesStory {
    series("Stand-up", "FREQ=DAILY")
        .starting(local("2026-11-23T09:00", "Europe/Berlin"))
        .generating(Generation {
            mode: GenerationMode::OnSchedule,
            lead_time_seconds: 86_400,
            max_open: 2,
            catch_up,
            ..Generation::default()
        })
        .started()
}

fn occurrence(series: &fixture::SeriesStory, slot: &str, index: u32) -> fixture::TaskStory {
    task("Stand-up").occurrence(series.state(), slot, index)
}

#[tokio::test]
async fn an_occurrence_is_made_the_lead_time_before_its_time_and_no_earlier() {
    for mut suite in TestSuite::every(parts).await {
        suite.set_now(instant("2026-11-22T12:00:00Z"));
        let daily = daily(CatchUp::Latest);
        suite.deliver(daily.events()).await;
        suite
            .deliver(occurrence(&daily, "2026-11-23T09:00", 1).created().events())
            .await;
        suite.run_workers().await;
        assert_eq!(announced(&suite), [""; 0]);

        suite.set_now(instant("2026-11-23T07:59:59Z"));
        suite.run_workers().await;
        assert_eq!(announced(&suite), [""; 0]);
        suite.set_now(instant("2026-11-23T08:00:00Z"));
        suite.run_workers().await;
        suite.run_workers().await;
        assert_eq!(announced(&suite), ["2026-11-24T09:00"]);

        // Two are open: nothing more, until one is finished.
        suite.advance(TimeDelta::days(1));
        suite.run_workers().await;
        assert_eq!(announced(&suite).len(), 1);
        let done = occurrence(&daily, "2026-11-23T09:00", 1)
            .created()
            .completed();
        suite.deliver(done.events()).await;
        suite.run_workers().await;
        assert_eq!(announced(&suite), ["2026-11-24T09:00", "2026-11-25T09:00"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn after_days_of_silence_the_policy_says_what_is_caught_up() {
    for (catch_up, expected) in [
        (CatchUp::Latest, vec!["2026-11-27T09:00"]),
        (
            CatchUp::All,
            vec![
                "2026-11-24T09:00",
                "2026-11-25T09:00",
                "2026-11-26T09:00",
                "2026-11-27T09:00",
            ],
        ),
        (CatchUp::None, vec![]),
    ] {
        let mut suite = TestSuite::start(parts).await;
        suite.set_now(instant("2026-11-22T12:00:00Z"));
        let daily = daily(catch_up);
        suite.deliver(daily.events()).await;
        suite
            .deliver(occurrence(&daily, "2026-11-23T09:00", 1).created().events())
            .await;

        suite.set_now(instant("2026-11-26T20:00:00Z"));
        suite.restart().await;
        suite.run_workers().await;

        assert_eq!(announced(&suite), expected, "{catch_up:?}");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_timer_that_older_zone_rules_have_set_is_moved_at_the_start() {
    for mut suite in TestSuite::every(parts).await {
        suite.set_now(instant("2026-11-22T12:00:00Z"));
        let daily = daily(CatchUp::Latest);
        suite.deliver(daily.events()).await;
        let first = occurrence(&daily, "2026-11-23T09:00", 1).created();
        suite.deliver(first.events()).await;
        let mut tx = suite.ledger().database().begin().await.unwrap();
        // They had Berlin an hour behind.
        let moved = on!(&mut tx, conn => sqlx::query("update timer set fire_at = $1")
            .bind(instant("2026-11-23T09:00:00Z")).execute(conn).await.map(drop));
        moved.unwrap();
        tx.commit().await.unwrap();

        suite.restart().await;
        suite.set_now(instant("2026-11-23T08:00:00Z"));
        suite.run_workers().await;

        assert_eq!(announced(&suite), ["2026-11-24T09:00"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_is_late_is_said_once_and_makes_room_when_it_is_skipped() {
    for seed in 0..6 {
        for suite in TestSuite::every(parts).await {
            let mut suite = suite.seed(seed);
            suite.set_now(instant("2026-11-22T12:00:00Z"));
            let daily = series("Stand-up", "FREQ=DAILY")
                .starting(local("2026-11-23T09:00", "Europe/Berlin"))
                .generating(Generation {
                    mode: GenerationMode::OnSchedule,
                    auto_skip_when_late: true,
                    ..Generation::default()
                })
                .started();
            let first = occurrence(&daily, "2026-11-23T09:00", 1).created();
            suite.deliver(daily.events()).await;
            suite.deliver(first.events()).await;

            suite.set_now(instant("2026-11-24T08:00:00Z"));
            suite.run_workers().await;
            suite.restart().await;
            suite.run_workers().await;
            let late = suite.published_of("occurrence.late.v1");
            assert_eq!(late.len(), 1);
            assert_eq!(late[0]["data"]["change"]["slot"], "2026-11-23T09:00");
            assert_eq!(announced(&suite), [""; 0], "nobody knows yet");

            suite.deliver(first.skipped().events()).await;
            suite.run_workers().await;
            assert_eq!(announced(&suite), ["2026-11-24T09:00"]);
            suite.finish().await;
        }
    }
}
