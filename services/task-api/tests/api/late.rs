//! A series that skips what nobody has touched when the next one is due.

use event_schema::Series;
use http::StatusCode;
use serde_json::{Value, json};
use test_support::{TestSuite, fixture};

use crate::{berlin, create, errors, parts, path};

const FIRST: &str = "2027-02-01T09:00";
const SECOND: &str = "2027-02-02T09:00";

fn daily(recurrence: &Value) -> Value {
    let mut body = json!({
        "title": "Water the plants", "due": berlin(FIRST),
        "recurrence": {"rrule": "FREQ=DAILY", "generation": "on_schedule", "auto_skip_when_late": true},
        "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT10M"}}],
    });
    for (member, value) in recurrence.as_object().unwrap() {
        body["recurrence"][member] = value.clone();
    }
    body
}

/// The first occurrence, and its series as it was published.
async fn begin(suite: &mut TestSuite) -> (Value, Series) {
    let task = create(suite, daily(&json!({}))).await;
    suite.run_workers().await;
    let started = suite.published_of("series.started.v1").remove(0);
    let series = serde_json::from_value(started["data"]["series"].clone()).unwrap();
    (task, series)
}

/// What the generator says when the second is due.
fn late(series: &Series) -> Value {
    fixture::progress(series).late(FIRST, SECOND).last()
}

async fn status(suite: &TestSuite, task: &Value) -> Value {
    suite.get(&path(task, ""), StatusCode::OK).await["status"].clone()
}

#[tokio::test]
async fn an_untouched_occurrence_is_skipped_once_and_its_history_says_why() {
    for mut suite in TestSuite::every(parts).await {
        let (task, series) = begin(&mut suite).await;
        let at = format!("/v1/series/{}", task["series_id"].as_str().unwrap());
        let shown = suite.get(&at, StatusCode::OK).await;
        assert_eq!(shown["recurrence"]["auto_skip_when_late"], true);

        suite.deliver([late(&series), late(&series)]).await;
        suite.run_workers().await;

        assert_eq!(status(&suite, &task).await, "skipped");
        let skipped = suite.published_of("task.skipped.v1");
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0]["data"]["actor"], "service:recurring-generator");
        let history = suite.get(&path(&task, "/history"), StatusCode::OK).await;
        assert!(history.to_string().contains("nobody had touched this one"));

        // Who wants it after all opens it again, and it stays.
        suite
            .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
            .await;
        suite.deliver([late(&series)]).await;
        assert_eq!(status(&suite, &task).await, "open");
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_somebody_has_touched_stays() {
    for touch in [
        "change",
        "part",
        "snooze",
        "reschedule",
        "complete",
        "pause",
        "keep",
    ] {
        let mut suite = TestSuite::start(parts).await;
        let (task, series) = begin(&mut suite).await;
        let at = format!("/v1/series/{}", task["series_id"].as_str().unwrap());
        match touch {
            "change" => {
                let change = json!({"notes": "half done"});
                let this = path(&task, "?scope=this");
                suite.patch(&this, change, StatusCode::OK).await;
            }
            "part" => {
                let part = json!({"title": "The balcony", "parent_id": task["id"]});
                create(&suite, part).await;
            }
            "snooze" => {
                let id = task["reminders"][0]["id"].as_str().unwrap();
                let snooze = format!("/v1/reminders/{id}/snooze");
                let until = json!({"until": "2027-02-01T12:00:00Z"});
                suite.post(&snooze, until, StatusCode::OK).await;
            }
            "reschedule" => {
                let due = json!({"due": berlin("2027-02-03T18:00")});
                let to = path(&task, "/reschedule");
                suite.post(&to, due, StatusCode::OK).await;
            }
            "complete" => {
                let done = path(&task, "/complete");
                suite.post(&done, Value::Null, StatusCode::OK).await;
            }
            "pause" => {
                let pause = format!("{at}/pause");
                suite.post(&pause, Value::Null, StatusCode::OK).await;
            }
            _ => {
                let keep = json!({"recurrence": {"auto_skip_when_late": false}});
                suite.patch(&at, keep, StatusCode::OK).await;
            }
        }

        suite.deliver([late(&series)]).await;

        let expected = if touch == "complete" {
            "completed"
        } else {
            "open"
        };
        assert_eq!(status(&suite, &task).await, expected, "{touch}");
        suite.run_workers().await;
        assert!(suite.published_of("task.skipped.v1").is_empty(), "{touch}");
        suite.finish().await;
    }
}

#[tokio::test]
async fn it_is_for_series_with_one_open_at_a_time() {
    let mut suite = TestSuite::start(parts).await;
    for (recurrence, code) in [
        (json!({"max_open": 2}), "one_open_only"),
        (json!({"catch_up": "all"}), "one_open_only"),
        (json!({"generation": "on_completion"}), "on_schedule_only"),
        (json!({"auto_skip_when_late": "yes"}), "wrong_type"),
    ] {
        let refused = suite
            .post(
                "/v1/tasks",
                daily(&recurrence),
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        let expected = [("/recurrence/auto_skip_when_late", code)];
        assert_eq!(errors(&refused), expected);
    }
    suite.run_workers().await;
    suite.finish().await;
}

#[tokio::test]
async fn an_undo_in_a_series_on_schedule_leaves_what_came_at_its_time() {
    for mut suite in TestSuite::every(parts).await {
        let (task, series) = begin(&mut suite).await;
        let complete = path(&task, "/complete");
        suite.post(&complete, Value::Null, StatusCode::OK).await;
        // The generator made the second at its time.
        let mut due = fixture::progress(&series).occurrence_due(SECOND, 2).last();
        due["data"]["change"]["previous_slot"] = FIRST.into();
        due["data"]["change"]
            .as_object_mut()
            .unwrap()
            .remove("undone");
        suite.deliver([due]).await;

        let reopened = suite
            .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
            .await;

        assert_eq!(reopened["successor"], Value::Null);
        let open = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
        assert_eq!(open["items"].as_array().unwrap().len(), 2);
        suite.finish().await;
    }
}
