//! Time passes: reminders fire at their time, never earlier, once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::anyhow;
use chrono::TimeDelta;
use event_schema::{Nag, fired_event_id};
use event_store::Ledger;
use reminder_scheduler::domain::RemindersStream;
use test_support::fixture::{TaskStory, local, reminder_id, task};
use test_support::{TestParts, TestSuite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{FIRED, MISSED, SCHEDULED, build, its_time, parts, rent, timers};

#[tokio::test]
async fn a_reminder_fires_at_its_time_and_never_earlier() {
    for mut suite in TestSuite::every(parts).await {
        suite.deliver(rent().created().events()).await;
        suite.set_now(its_time() - TimeDelta::milliseconds(1));
        suite.run_workers().await;
        assert_eq!(suite.published_types(), [SCHEDULED]);

        suite.advance(TimeDelta::milliseconds(1));
        suite.run_workers().await;

        assert_eq!(suite.published_types(), [SCHEDULED, FIRED]);
        let fired = &suite.published_of(FIRED)[0];
        let reminder = reminder_id(rent().state().id, 0);
        let id = fired_event_id(reminder, its_time()).to_string();
        assert_eq!(fired["id"], id);
        assert_eq!(fired["time"], "2026-11-22T11:50:00Z");
        assert_eq!(fired["data"]["actor"], "service:reminder-scheduler");
        assert_eq!(fired["data"]["reminders"]["due"], {
            serde_json::json!({ "local": "2026-11-22T12:00", "time_zone": "UTC" })
        });
        suite.finish().await;
    }
}

#[tokio::test]
async fn timers_survive_a_restart() {
    for mut suite in TestSuite::every(parts).await {
        suite.deliver(rent().created().events()).await;
        suite.restart().await;

        suite.set_now(its_time());
        suite.run_workers().await;
        suite.restart().await;
        suite.run_workers().await;

        assert_eq!(suite.published_types(), [SCHEDULED, FIRED]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn after_downtime_a_reminder_fires_late_and_once() {
    let mut suite = TestSuite::start(parts).await;
    suite.deliver(rent().created().events()).await;

    suite.set_now(its_time() + TimeDelta::hours(23));
    suite.restart().await;
    suite.run_workers().await;
    suite.deliver(rent().created().events()).await;
    suite.run_workers().await;

    let fired = suite.published_of(FIRED);
    let change = &fired[0]["data"]["change"];
    assert_eq!(change["scheduled_for"], "2026-11-22T11:50:00Z");
    assert_eq!(change["fired_at"], "2026-11-23T10:50:00Z");
    assert_eq!(change["late_by_ms"], 23 * 3_600_000);
    assert_eq!(suite.published_types(), [SCHEDULED, FIRED]);
    suite.finish().await;
}

#[tokio::test]
async fn after_more_than_a_day_of_downtime_a_reminder_is_missed() {
    let mut suite = TestSuite::start(parts).await;
    suite.deliver(rent().created().events()).await;

    suite.set_now(its_time() + TimeDelta::hours(25));
    suite.run_workers().await;

    assert_eq!(suite.published_types(), [SCHEDULED, MISSED]);
    suite.finish().await;
}

#[tokio::test]
async fn after_three_days_of_downtime_nagging_goes_on_and_the_rest_is_missed() {
    for mut suite in TestSuite::every(parts).await {
        let nagging = |story: TaskStory| {
            story.last_reminder(|reminder| {
                reminder.terms.nag = Some(Nag {
                    every_seconds: 900,
                    max: 8,
                });
            })
        };
        let pills = nagging(
            task("Take the pills")
                .due(local("2026-11-22T11:00", "UTC"))
                .reminder(0),
        );
        suite.deliver(rent().created().events()).await;
        suite.deliver(pills.created().events()).await;
        suite.advance(TimeDelta::hours(1));
        suite.run_workers().await;
        assert_eq!(suite.published_of(FIRED).len(), 1);

        suite.advance(TimeDelta::days(3));
        suite.restart().await;
        suite.run_workers().await;

        assert_eq!(suite.published_of(MISSED).len(), 1);
        let fired = suite.published_of(FIRED);
        assert_eq!(fired.len(), 2);
        let change = &fired[1]["data"]["change"];
        assert_eq!(change["scheduled_for"], "2026-11-25T11:00:00Z");
        assert_eq!(change["nag_at"], "2026-11-25T11:15:00Z");
        suite.advance(TimeDelta::minutes(15));
        suite.run_workers().await;
        assert_eq!(suite.published_of(FIRED).len(), 3);
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_is_heard_of_only_after_its_time_fires_at_once_or_is_missed() {
    let mut suite = TestSuite::start(parts).await;
    let recent = task("Call back").due(local("2026-11-22T09:00", "UTC"));
    let ancient = task("Vote").due(local("2026-11-20T09:00", "UTC"));

    suite.deliver(recent.reminder(0).created().events()).await;
    suite.deliver(ancient.reminder(0).created().events()).await;
    suite.run_workers().await;

    assert_eq!(suite.published_of(FIRED).len(), 1);
    assert_eq!(suite.published_of(MISSED).len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn a_crowd_that_is_due_at_the_same_time_fires_completely() {
    for mut suite in TestSuite::every(parts).await {
        let crowd = (0..600).map(|number| {
            let story = task(&format!("Task {number}"));
            story.due(local("2026-11-22T12:00", "UTC")).reminder(-600)
        });
        for story in crowd {
            suite.deliver_in_order(story.created().events()).await;
        }
        suite.set_now(its_time());
        suite.run_workers().await;

        assert_eq!(suite.published_of(FIRED).len(), 600);
        assert!(next_timer(suite.ledger()).await.is_none());
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_claim_that_was_not_carried_out_is_made_again() {
    let mut suite = TestSuite::start(parts).await;
    suite.deliver(rent().created().events()).await;
    suite.set_now(its_time());

    // Another worker claims it and dies.
    let claimed = suite
        .ledger()
        .claim_due_timers::<RemindersStream>(10)
        .await
        .unwrap();
    assert_eq!(claimed.len(), 1);
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [SCHEDULED]);

    suite.advance(TimeDelta::seconds(15));
    suite.run_workers().await;
    assert_eq!(suite.published_types(), [SCHEDULED, FIRED]);
    suite.finish().await;
}

#[tokio::test]
async fn a_claim_of_a_reminder_that_is_cancelled_meanwhile_has_no_effect() {
    let mut suite = TestSuite::start(parts).await;
    let story: TaskStory = rent().created();
    suite.deliver(story.events()).await;
    suite.set_now(its_time());

    suite.deliver(story.completed().events()).await;
    suite.run_workers().await;

    assert!(suite.published_of(FIRED).is_empty());
    suite.finish().await;
}

/// Well below the worker's slow poll: what is awaited is a wake-up.
const SOON: Duration = Duration::from_secs(4);

#[tokio::test]
async fn the_sleeping_worker_is_woken_by_the_clock_and_by_an_earlier_timer() {
    let state = Arc::new(OnceLock::new());
    let kept = Arc::clone(&state);
    let built = move |environment| {
        let kept = Arc::clone(&kept);
        async move {
            let service = build(environment).await?;
            let state = service.state.clone();
            kept.set(state).map_err(|_| anyhow!("built twice"))?;
            Ok::<_, anyhow::Error>(TestParts::of(service)?)
        }
    };
    let mut suite = TestSuite::start(built).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(timers::run(state.get().unwrap().clone(), stop.clone()));
    let mut committed = suite.ledger().committed();

    // It sleeps towards noon when an earlier reminder comes in.
    suite.deliver(rent().created().events()).await;
    let earlier = task("Call back").due(local("2026-11-22T11:00", "UTC"));
    suite.deliver(earlier.reminder(0).created().events()).await;
    suite.advance(TimeDelta::hours(1));
    let first = timeout(SOON, committed.wait_for(|position| *position == 3));
    assert!(first.await.is_ok(), "the earlier reminder did not fire");

    suite.set_now(its_time());
    let second = timeout(SOON, committed.wait_for(|position| *position == 4));
    assert!(second.await.is_ok(), "the later reminder did not fire");

    stop.cancel();
    worker.await.unwrap();
    suite.finish().await;
}

async fn next_timer(ledger: &Ledger) -> Option<chrono::DateTime<chrono::Utc>> {
    ledger.next_timer_at::<RemindersStream>().await.unwrap()
}
