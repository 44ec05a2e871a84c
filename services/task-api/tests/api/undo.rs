//! Undoing what finished an occurrence: the one that came because of it goes, if nobody touched it.

use event_schema::{Series, occurrence_again_event_id};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{TestSuite, fixture};

use crate::{berlin, create, parts, path, suite};

const FIRST: &str = "2027-01-31T09:00";
const SECOND: &str = "2027-02-28T09:00";

/// The first occurrence of a monthly series, and the series as it was published.
async fn monthly(suite: &mut TestSuite) -> (Value, Series) {
    let task = create(
        suite,
        json!({"title": "Pay rent", "due": berlin(FIRST), "recurrence": {"rrule": "FREQ=MONTHLY"},
               "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]}),
    )
    .await;
    suite.run_workers().await;
    let started = suite.published_of("series.started.v1").remove(0);
    let series = serde_json::from_value(started["data"]["series"].clone()).unwrap();
    (task, series)
}

/// What the generator says after the first occurrence was finished, opened again so many times before.
fn due(series: &Series, undone: u32) -> Value {
    let mut due = fixture::progress(series).occurrence_due(SECOND, 2).last();
    due["data"]["change"]["previous_slot"] = FIRST.into();
    due["data"]["change"]["undone"] = undone.into();
    if undone > 0 {
        let id = occurrence_again_event_id(series.id, SECOND, FIRST, undone);
        due["id"] = id.to_string().into();
    }
    due
}

async fn post(suite: &TestSuite, task: &Value, command: &str) -> Value {
    suite
        .post(&path(task, command), Value::Null, StatusCode::OK)
        .await
}

/// The slots of the open tasks.
async fn open(suite: &TestSuite) -> Vec<String> {
    let page = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
    let slot = |task: &Value| task["slot"].as_str().unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(slot).collect()
}

#[tokio::test]
async fn an_untouched_successor_is_withdrawn_and_comes_again() {
    for mut suite in TestSuite::every(parts).await {
        let (task, series) = monthly(&mut suite).await;
        let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
        suite.deliver([due(&series, 0)]).await;

        let reopened = post(&suite, &task, "/reopen").await;

        let expected = json!({"id": next["id"], "slot": SECOND, "outcome": "withdrawn"});
        assert_eq!(
            (&reopened["successor"], &reopened["status"]),
            (&expected, &json!("open"))
        );
        assert_eq!(open(&suite).await, [FIRST]);
        let withdrawn = suite.get(&path(&next, ""), StatusCode::OK).await;
        assert_eq!(withdrawn["withdrawn"], true);
        let trash = suite.get("/v1/tasks?status=trashed", StatusCode::OK).await;
        assert_eq!(trash["items"], json!([]));
        let refused = suite
            .post(&path(&next, "/restore"), Value::Null, StatusCode::CONFLICT)
            .await;
        assert!(
            refused["detail"]
                .as_str()
                .unwrap()
                .contains("until the occurrence before it")
        );
        // To who looks at the series, it is to come.
        let at = format!("/v1/series/{}", task["series_id"].as_str().unwrap());
        let listed = suite
            .get(
                &format!("{at}/occurrences?from=2027-02-01&limit=1"),
                StatusCode::OK,
            )
            .await;
        assert_eq!(listed["items"][0]["slot"], SECOND);
        assert_eq!(listed["items"][0]["state"], "upcoming");
        assert_eq!(suite.get(&at, StatusCode::OK).await["next_slot"], SECOND);

        // Neither what was under way nor a repetition brings it back.
        suite.deliver([due(&series, 0)]).await;
        assert_eq!(open(&suite).await, [FIRST]);

        let again = post(&suite, &task, "/complete").await;
        assert_eq!(again["next_occurrence"], next);
        suite.deliver([due(&series, 0), due(&series, 1)]).await;
        assert_eq!(open(&suite).await, [SECOND]);
        let back = suite.get(&path(&next, ""), StatusCode::OK).await;
        assert_eq!(
            (&back["withdrawn"], &back["trashed_at"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(back["reminders"][0]["state"], "scheduled");

        // It is as untouched as before.
        let reopened = post(&suite, &task, "/reopen").await;
        assert_eq!(reopened["successor"]["outcome"], "withdrawn");
        assert_eq!(open(&suite).await, [FIRST]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_successor_that_is_late_never_opens() {
    for mut suite in TestSuite::every(parts).await {
        let (task, series) = monthly(&mut suite).await;
        let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
        let reopened = post(&suite, &task, "/reopen").await;
        assert_eq!(reopened["successor"], Value::Null);

        suite.deliver([due(&series, 0)]).await;
        assert_eq!(open(&suite).await, [FIRST]);
        suite.run_workers().await;
        let created = suite.published_of("task.created.v1").pop().unwrap();
        assert_eq!(created["data"]["task"]["withdrawn"][FIRST], 1);
        assert_eq!(created["data"]["task"]["slot"], SECOND);
        assert_ne!(created["data"]["task"]["trashed_at"], Value::Null);

        // Finished, undone and finished again before the generator has caught up: only the last counts.
        post(&suite, &task, "/skip").await;
        post(&suite, &task, "/reopen").await;
        suite.deliver([due(&series, 1)]).await;
        assert_eq!(open(&suite).await, [FIRST]);
        post(&suite, &task, "/complete").await;
        suite.deliver([due(&series, 1), due(&series, 2)]).await;
        assert_eq!(open(&suite).await, [SECOND]);
        let back = suite.get(&path(&next, ""), StatusCode::OK).await;
        assert_eq!(back["withdrawn"], false);
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_somebody_touched_is_kept_and_the_answer_says_so() {
    for touch in ["change", "part", "snooze", "complete", "reschedule"] {
        let mut suite = suite().await;
        let (task, series) = monthly(&mut suite).await;
        let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
        suite.deliver([due(&series, 0)]).await;
        let reminder = &suite.get(&path(&next, ""), StatusCode::OK).await["reminders"][0];
        let this = path(&next, "?scope=this");
        match touch {
            "change" => {
                suite
                    .patch(&this, json!({"priority": "high"}), StatusCode::OK)
                    .await
            }
            "part" => create(&suite, json!({"title": "x", "parent_id": next["id"]})).await,
            "snooze" => {
                let at = format!("/v1/reminders/{}/snooze", reminder["id"].as_str().unwrap());
                suite
                    .post(&at, json!({"for": "P100D"}), StatusCode::OK)
                    .await
            }
            "complete" => post(&suite, &next, "/complete").await,
            _ => {
                let moved = json!({"due": berlin("2027-03-01T09:00")});
                suite.patch(&this, moved, StatusCode::OK).await
            }
        };

        let reopened = post(&suite, &task, "/reopen").await;

        let expected = json!({"id": next["id"], "slot": SECOND, "outcome": "kept"});
        assert_eq!(reopened["successor"], expected, "{touch}");
        let kept = suite.get(&path(&next, ""), StatusCode::OK).await;
        assert_eq!(kept["trashed_at"], Value::Null, "{touch}");
        suite.finish().await;
    }
}

#[tokio::test]
async fn one_that_was_thrown_away_and_is_taken_back_withdraws_too() {
    let mut suite = suite().await;
    let (task, series) = monthly(&mut suite).await;
    suite
        .delete(&path(&task, "?scope=this"), StatusCode::NO_CONTENT)
        .await;
    suite.deliver([due(&series, 0)]).await;
    assert_eq!(open(&suite).await, [SECOND]);

    let restored = post(&suite, &task, "/restore").await;

    assert_eq!(restored["successor"]["outcome"], "withdrawn");
    assert_eq!(open(&suite).await, [FIRST]);
    // One that was finished before it was thrown away is not open again.
    post(&suite, &task, "/complete").await;
    suite.deliver([due(&series, 1)]).await;
    suite
        .delete(&path(&task, "?scope=this"), StatusCode::NO_CONTENT)
        .await;
    let restored = post(&suite, &task, "/restore").await;
    assert_eq!(restored["successor"], Value::Null);
    assert_eq!(open(&suite).await, [SECOND]);
    suite.finish().await;
}

#[tokio::test]
async fn one_that_comes_again_is_as_the_series_makes_it_then() {
    let mut suite = suite().await;
    let (task, series) = monthly(&mut suite).await;
    let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
    suite.deliver([due(&series, 0)]).await;
    post(&suite, &task, "/reopen").await;
    let at = format!("/v1/series/{}", task["series_id"].as_str().unwrap());
    let change = json!({"template": {"title": "Pay the rent", "reminders": []}});
    suite.patch(&at, change, StatusCode::OK).await;
    post(&suite, &task, "/complete").await;

    suite.deliver([due(&series, 1)]).await;

    let back = suite.get(&path(&next, ""), StatusCode::OK).await;
    assert_eq!(
        (&back["title"], &back["reminders"]),
        (&json!("Pay the rent"), &json!([]))
    );
    suite.finish().await;
}

#[tokio::test]
async fn an_occurrence_of_somebody_else_is_not_found_and_a_version_is_held_to() {
    let mut suite = suite().await;
    let (task, series) = monthly(&mut suite).await;
    let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
    suite.deliver([due(&series, 0)]).await;

    let stale = suite
        .request(Method::POST, &path(&task, "/reopen"))
        .if_match(1);
    let refused = stale.send().await.expect(StatusCode::PRECONDITION_FAILED);
    assert_eq!(refused.json()["current"]["version"], 2);
    let unknown = json!({"id": "0198f000-0000-7000-8000-000000000000"});
    suite
        .post(
            &path(&unknown, "/reopen"),
            Value::Null,
            StatusCode::NOT_FOUND,
        )
        .await;

    let still = suite.get(&path(&next, ""), StatusCode::OK).await;
    assert_eq!(still["version"], 1);
    suite.finish().await;
}

/// What each version of a task's history says, without times and reminders.
async fn told(suite: &TestSuite, task: &Value) -> Vec<String> {
    let history = suite.get(&path(task, "/history"), StatusCode::OK).await;
    let said = |item: &Value| {
        let changes = item["changes"].as_array().unwrap().iter();
        let fields = changes.map(|change| match change["field"].as_str().unwrap() {
            field @ ("withdrawn" | "status") => {
                format!("{field} {} {}", change["from"], change["to"])
            }
            field => field.to_owned(),
        });
        let fields: Vec<String> = fields.collect();
        format!("{}: {}", item["type"].as_str().unwrap(), fields.join(", "))
    };
    history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(said)
        .collect()
}

#[tokio::test]
async fn the_history_says_withdrawn_and_not_what_services_tell_each_other() {
    let mut suite = suite().await;
    let (task, series) = monthly(&mut suite).await;
    let next = post(&suite, &task, "/complete").await["next_occurrence"].clone();
    post(&suite, &task, "/reopen").await;
    suite.deliver([due(&series, 0)]).await;
    post(&suite, &task, "/complete").await;
    suite.deliver([due(&series, 1)]).await;
    post(&suite, &task, "/reopen").await;

    assert_eq!(
        told(&suite, &next).await,
        [
            "task.created.v1: due, occurrence_index, recurrence, reminders, series_id, slot, \
             status null \"open\", title, trashed_at, withdrawn false true",
            "task.restored.v1: withdrawn true false, trashed_at",
            "task.trashed.v1: trashed_at, withdrawn false true",
        ]
    );
    assert_eq!(
        told(&suite, &task).await[2],
        "task.reopened.v1: completed_at, completed_by, status \"completed\" \"open\""
    );
    suite.finish().await;
}
