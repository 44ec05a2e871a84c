//! Zone rules change: what older ones planned is planned anew at the start.

use chrono::{DateTime, TimeDelta, Utc};
use event_schema::{App, ReminderEvent, ReminderScheduled, TaskId, Terms, WallClock};
use event_store::{Answer, Context, Error, Outcome, StreamRef, Unit};
use reminder_scheduler::domain::RemindersStream;
use reminder_scheduler::store::plans::planned_before;
use test_support::TestSuite;
use test_support::fixture::{TaskStory, local, reminder_id, task};
use uuid::Uuid;

use crate::{FIRED, MOVED, SCHEDULED, parts};

/// Older rules had Berlin an hour off.
const OLDER: &str = "2020a";

fn berlin(title: &str) -> TaskStory {
    task(title)
        .due(local("2026-11-22T12:00", "Europe/Berlin"))
        .reminder(0)
}

/// Noon in Berlin.
fn eleven() -> DateTime<Utc> {
    test_support::fixture::instant("2026-11-22T11:00:00Z")
}

/// What a service with older rules has left in the ledger for the reminder of a task.
async fn planned_by_older_rules(suite: &TestSuite, story: &TaskStory, fire_at: DateTime<Utc>) {
    let (task_id, owner_id) = (story.state().id, story.state().owner_id);
    let planned = ReminderScheduled {
        task_id,
        owner_id,
        reminder_id: reminder_id(task_id, 0),
        fire_at,
        task_version: 1,
        title: story.state().title.clone(),
        due: story.state().due.clone(),
        tzdb_version: OLDER.to_owned(),
        wall: Some(WallClock {
            local: "2026-11-22T12:00:00".parse().unwrap(),
            time_zone: "Europe/Berlin".to_owned(),
            offset_seconds: 0,
        }),
        terms: Terms::default(),
        nag: false,
    };
    let context = Context::of_worker(App::ReminderScheduler, suite.now());
    let streams = [StreamRef::of::<RemindersStream>(task_id)];
    let decide = move |unit: &mut Unit<'_>| {
        unit.append::<RemindersStream>(task_id, &ReminderEvent::Scheduled(planned.clone()));
        Ok::<_, Error>(Answer::default())
    };
    let outcome = suite.ledger().execute(context, None, &streams, decide);
    assert!(matches!(outcome.await, Ok(Outcome::Accepted(_))));
}

async fn left(suite: &TestSuite) -> Vec<TaskId> {
    let database = suite.ledger().database();
    let rules = recurrence::tzdb_version();
    planned_before(database, rules, TaskId(Uuid::nil()), 1000)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_older_rules_planned_fires_by_the_rules_of_today() {
    for mut suite in TestSuite::every(parts).await {
        let (early, late, right) = (berlin("Early"), berlin("Late"), berlin("Right"));
        let hour = TimeDelta::hours(1);
        planned_by_older_rules(&suite, &early, eleven() - hour).await;
        planned_by_older_rules(&suite, &late, eleven() + hour).await;
        planned_by_older_rules(&suite, &right, eleven()).await;
        assert_eq!(left(&suite).await.len(), 3);

        suite.restart().await;
        suite.run_workers().await;

        assert_eq!(suite.published_of(MOVED).len(), 2);
        assert_eq!(
            suite.published_types().len(),
            5,
            "what stays home is not published"
        );
        assert!(left(&suite).await.is_empty());
        assert!(suite.published_of(FIRED).is_empty(), "it is ten o'clock");
        suite.set_now(eleven() - TimeDelta::milliseconds(1));
        suite.run_workers().await;
        assert!(suite.published_of(FIRED).is_empty());
        suite.set_now(eleven());
        suite.run_workers().await;
        assert_eq!(fired(&suite), vec!["2026-11-22T11:00:00Z"; 3]);
        suite.set_now(eleven() + hour);
        suite.run_workers().await;
        assert_eq!(suite.published_of(FIRED).len(), 3);
        suite.finish().await;
    }
}

fn fired(suite: &TestSuite) -> Vec<String> {
    let fired = suite.published_of(FIRED).into_iter();
    fired
        .map(|event| {
            event["data"]["change"]["scheduled_for"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn more_tasks_than_one_batch_are_all_planned_anew() {
    for mut suite in TestSuite::every(parts).await {
        for number in 0..600 {
            let story = berlin(&format!("Task {number}"));
            planned_by_older_rules(&suite, &story, eleven() + TimeDelta::hours(1)).await;
        }

        suite.run_workers().await;

        assert_eq!(suite.published_of(MOVED).len(), 600);
        assert!(left(&suite).await.is_empty());
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_task_that_is_heard_of_before_its_turn_is_planned_once() {
    for mut suite in TestSuite::every(parts).await {
        let story = berlin("Pay rent");
        planned_by_older_rules(&suite, &story, eleven() + TimeDelta::hours(1)).await;

        suite
            .deliver(story.created().renamed("Pay the rent").events())
            .await;
        suite.run_workers().await;
        suite.set_now(eleven() + TimeDelta::hours(2));
        suite.run_workers().await;

        assert_eq!(suite.published_types(), [SCHEDULED, MOVED, FIRED]);
        assert_eq!(fired(&suite), ["2026-11-22T11:00:00Z"]);
        suite.finish().await;
    }
}
