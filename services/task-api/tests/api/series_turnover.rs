//! One open occurrence, when a series gets another rule: it stays and the next series waits, or it goes.

use chrono::TimeDelta;
use event_schema::SeriesId;
use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, occurrences, series_path};
use crate::{berlin, create, parts, path};

const WEDNESDAYS: &str = "FREQ=WEEKLY;BYDAY=WE";

async fn post(suite: &TestSuite, task: &Value, command: &str) -> Value {
    suite
        .post(&path(task, command), Value::Null, StatusCode::OK)
        .await
}

async fn get(suite: &TestSuite, task: &Value) -> Value {
    suite.get(&path(task, ""), StatusCode::OK).await
}

async fn rule(suite: &TestSuite, task: &Value, rrule: &str) -> Value {
    let body = json!({"recurrence": {"rrule": rrule}});
    suite
        .patch(&series_path(task, ""), body, StatusCode::OK)
        .await
}

/// Somebody puts work into a task.
async fn touch(suite: &TestSuite, task: &Value) {
    let note = json!({"notes": "Ask for a receipt"});
    suite
        .patch(&path(task, "?scope=this"), note, StatusCode::OK)
        .await;
}

/// The generator's request for a slot after the occurrence that leads over to a series.
async fn due_after(suite: &mut TestSuite, lead: &Value, series: &Value, slot: &str, index: u32) {
    let as_of = json!({"series_id": series["id"], "slot": lead["slot"]});
    occurrence_due(suite, &as_of, slot, index).await;
}

/// Series and slots of the open tasks.
async fn open(suite: &TestSuite) -> Vec<(Value, Value)> {
    let page = suite
        .get("/v1/tasks?status=open&sort=due", StatusCode::OK)
        .await;
    let parts = |task: &Value| (task["series_id"].clone(), task["slot"].clone());
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(parts)
        .collect()
}

#[tokio::test]
async fn what_the_new_rule_has_too_stays_and_is_its_first() {
    for mut suite in TestSuite::every(parts).await {
        let january = monthly(&suite).await;
        post(&suite, &january, "/complete").await;
        occurrence_due(&mut suite, &january, "2027-02-28T09:00", 2).await;
        let february = suite.get("/v1/tasks?status=open", StatusCode::OK).await["items"][0].clone();

        let new = rule(&suite, &january, "FREQ=WEEKLY;COUNT=3").await;

        assert_eq!(new["previous_series_id"], january["series_id"]);
        assert_eq!(new["begins_after"], february["id"]);
        assert_eq!(new["start"]["local"], "2027-02-28T09:00");
        assert_eq!(new["next_slot"], "2027-03-07T09:00");
        let february = get(&suite, &february).await;
        assert_eq!(february["next_series_id"], new["id"]);
        assert_eq!(february["recurrence"]["rrule"], "FREQ=WEEKLY;COUNT=3");
        let upcoming = ["2027-03-07T09:00 upcoming", "2027-03-14T09:00 upcoming"];
        assert_eq!(occurrences(&suite, &new, 9).await, upcoming);
        let old = suite.get(&series_path(&january, ""), StatusCode::OK).await;
        assert_eq!(
            (&old["state"], &old["next_series_id"]),
            (&json!("ended"), &new["id"])
        );
        // Nothing of the old series comes any more.
        occurrence_due(&mut suite, &january, "2027-03-31T09:00", 3).await;
        assert_eq!(open(&suite).await.len(), 1);

        let preview = json!({"action": "complete"});
        let preview = suite
            .post(&path(&february, "/preview"), preview, StatusCode::OK)
            .await;
        let finished = post(&suite, &february, "/complete").await;
        let next = &finished["next_occurrence"];
        assert_eq!(&preview["next_occurrence"], next);
        assert_eq!(
            (&next["slot"], &next["pending"]),
            (&json!("2027-03-07T09:00"), &json!(true))
        );
        due_after(&mut suite, &february, &new, "2027-03-07T09:00", 2).await;
        let first = get(&suite, next).await;
        assert_eq!(
            (&first["series_id"], &first["status"]),
            (&new["id"], &json!("open"))
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_the_new_rule_does_not_have_is_replaced_unless_it_is_touched() {
    for mut suite in TestSuite::every(parts).await {
        for touched in [false, true] {
            let task = monthly(&suite).await;
            if touched {
                touch(&suite, &task).await;
            }
            let new = rule(&suite, &task, WEDNESDAYS).await;
            let task = get(&suite, &task).await;
            if touched {
                assert_eq!(task["trashed_at"], Value::Null);
                assert_eq!(new["begins_after"], task["id"]);
                let finished = post(&suite, &task, "/skip").await;
                assert_eq!(finished["next_occurrence"]["slot"], "2027-02-03T09:00");
                due_after(&mut suite, &task, &new, "2027-02-03T09:00", 1).await;
            } else {
                assert_ne!(task["trashed_at"], Value::Null);
                assert_eq!(new["begins_after"], Value::Null);
            }
            let first = occurrences(&suite, &new, 1).await;
            assert_eq!(first, ["2027-02-03T09:00 open"]);
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_is_overdue_is_replaced_by_what_can_still_be_done() {
    for suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        suite.advance(TimeDelta::days(120));

        let new = rule(&suite, &task, "FREQ=WEEKLY;BYDAY=WE;COUNT=2").await;

        // It is Monday, 22 March 2027.
        let expected = ["2027-03-24T09:00 open", "2027-03-31T09:00 upcoming"];
        assert_eq!(occurrences(&suite, &new, 9).await, expected);
        suite.finish().await;
    }
}

#[tokio::test]
async fn an_undo_withdraws_the_first_of_the_next_series_and_it_comes_again() {
    for mut suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        touch(&suite, &task).await;
        let new = rule(&suite, &task, WEDNESDAYS).await;
        let finished = post(&suite, &task, "/complete").await;
        let next = &finished["next_occurrence"];
        due_after(&mut suite, &task, &new, "2027-02-03T09:00", 1).await;

        let reopened = post(&suite, &task, "/reopen").await;

        assert_eq!(reopened["successor"]["id"], next["id"]);
        assert_eq!(reopened["successor"]["outcome"], "withdrawn");
        assert_eq!(open(&suite).await.len(), 1);
        let again = post(&suite, &task, "/complete").await;
        assert_eq!(again["next_occurrence"]["id"], next["id"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_series_that_waits_is_changed_moved_on_and_deleted_as_one_with_what_it_waits_for() {
    for mut suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        touch(&suite, &task).await;
        let first = rule(&suite, &task, WEDNESDAYS).await;
        let first_path = format!("/v1/series/{}", first["id"].as_str().unwrap());

        // Its template is that of the open one.
        let title = json!({"template": {"title": "Pay the rent"}});
        suite.patch(&first_path, title, StatusCode::OK).await;
        assert_eq!(get(&suite, &task).await["title"], "Pay the rent");
        let label = json!({"labels": ["flat"]});
        suite
            .patch(&path(&task, "?scope=future"), label, StatusCode::OK)
            .await;
        let series = suite.get(&first_path, StatusCode::OK).await;
        assert_eq!(series["template"]["labels"], json!(["flat"]));

        // Another rule again: the same occurrence leads over to that.
        let second = rule(&suite, &json!({"series_id": first["id"]}), "FREQ=DAILY").await;
        assert_eq!(second["begins_after"], task["id"]);
        assert_eq!(get(&suite, &task).await["next_series_id"], second["id"]);
        assert_eq!(second["next_slot"], "2027-02-01T09:00");
        let id: SeriesId = serde_json::from_value(first["id"].clone()).unwrap();
        due_after(
            &mut suite,
            &task,
            &json!({ "id": id }),
            "2027-02-03T09:00",
            1,
        )
        .await;
        assert_eq!(open(&suite).await.len(), 1);

        // Who deletes it and its future ends the series that would have begun.
        let gone = path(&task, "?scope=future");
        let delete = suite.request(http::Method::DELETE, &gone);
        let answer = delete.send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(open(&suite).await, []);
        let ended = format!("/v1/series/{}", second["id"].as_str().unwrap());
        let ended = suite.get(&ended, StatusCode::OK).await;
        assert_eq!(ended["state"], "ended");
        suite.finish().await;
    }
}

#[tokio::test]
async fn another_day_from_what_leads_over_begins_anew() {
    for suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        touch(&suite, &task).await;
        let waiting = rule(&suite, &task, WEDNESDAYS).await;

        let body = json!({"due": berlin("2027-02-10T10:00")});
        let moved = suite
            .patch(&path(&task, "?scope=future"), body, StatusCode::OK)
            .await;

        assert_eq!(moved["slot"], "2027-02-10T10:00");
        let series = suite.get(&series_path(&moved, ""), StatusCode::OK).await;
        assert_eq!(series["previous_series_id"], waiting["id"]);
        assert_eq!(series["next_slot"], "2027-02-17T10:00");
        assert_eq!(open(&suite).await.len(), 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_paused_series_gets_another_rule_and_stays_paused() {
    for mut suite in TestSuite::every(parts).await {
        for is_open in [true, false] {
            let task = monthly(&suite).await;
            if !is_open {
                post(&suite, &task, "/complete").await;
            }
            suite
                .post(&series_path(&task, "/pause"), Value::Null, StatusCode::OK)
                .await;

            let new = rule(&suite, &task, WEDNESDAYS).await;

            assert_eq!(
                (&new["state"], &new["begins_after"]),
                (&json!("paused"), &task["id"])
            );
            assert_eq!(get(&suite, &task).await["trashed_at"], Value::Null);
            assert_eq!(occurrences(&suite, &new, 9).await, Vec::<String>::new());
            if is_open {
                let finished = post(&suite, &task, "/complete").await;
                assert_eq!(finished["next_occurrence"], Value::Null);
            }
            let paused = json!({"series_id": new["id"]});
            let resumed = suite
                .post(
                    &series_path(&paused, "/resume"),
                    Value::Null,
                    StatusCode::OK,
                )
                .await;
            // Without an open one the rule holds from the first slot without a task.
            let (slot, index) = if is_open {
                ("2027-02-03T09:00", 1)
            } else {
                ("2027-03-03T09:00", 1)
            };
            assert_eq!(
                (&resumed["state"], &resumed["next_slot"]),
                (&json!("active"), &json!(slot))
            );
            due_after(&mut suite, &task, &new, slot, index).await;
            let first = occurrences(&suite, &new, 1).await;
            assert_eq!(first, [format!("{slot} open")]);
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_counts_as_open_on_schedule_leads_over_and_may_be_late() {
    for mut suite in TestSuite::every(parts).await {
        let daily = json!({"title": "Water the plants", "due": berlin("2026-11-23T09:00"),
                           "recurrence": {"rrule": "FREQ=DAILY", "generation": "on_schedule",
                                          "auto_skip_when_late": true}});
        let task = create(&suite, daily).await;
        let body = json!({"recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=WE"},
                          "effective_from": "2026-11-24"});
        let new = suite
            .patch(&series_path(&task, ""), body, StatusCode::OK)
            .await;
        assert_eq!(new["begins_after"], task["id"]);
        suite.run_workers().await;
        let started = suite.published_of("series.started.v1");
        let started = started.iter().find(|event| event["subject"] == new["id"]);
        let series: event_schema::Series =
            serde_json::from_value(started.unwrap()["data"]["series"].clone()).unwrap();

        // The generator of the new series says so of the one that it counts as open.
        let late = test_support::fixture::progress(&series)
            .late("2026-11-23T09:00", "2026-11-25T09:00")
            .last();
        suite.deliver([late]).await;

        assert_eq!(get(&suite, &task).await["status"], "skipped");
        suite.finish().await;
    }
}
