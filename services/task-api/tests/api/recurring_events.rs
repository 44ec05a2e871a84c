//! What the generator says becomes tasks, once.

use event_schema::{Series, Topic};
use http::StatusCode;
use serde_json::{Value, json};
use test_support::{TestSuite, fixture};

use crate::{berlin, create, parts, path, suite};

/// A recurring task below a parent, and its series as it was published.
async fn recurring(suite: &mut TestSuite) -> (Value, Series) {
    let parent = create(suite, json!({"title": "Home"})).await;
    let task = create(
        suite,
        json!({"title": "Pay rent", "notes": "4711", "priority": "high", "labels": ["home"],
               "parent_id": parent["id"], "due": berlin("2027-01-31T09:00"),
               "start": {"date": "2027-01-25"}, "deadline": berlin("2027-02-03T18:00"),
               "recurrence": {"rrule": "FREQ=MONTHLY"},
               "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}},
                             {"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}}]}),
    )
    .await;
    suite.run_workers().await;
    let started = suite.published_of("series.started.v1").remove(0);
    let series = serde_json::from_value(started["data"]["series"].clone()).unwrap();
    (task, series)
}

/// The generator's answer to the first occurrence.
fn due(series: &Series) -> Value {
    let mut due = fixture::progress(series)
        .occurrence_due("2027-02-28T09:00", 2)
        .last();
    due["data"]["change"]["previous_slot"] = "2027-01-31T09:00".into();
    due
}

#[tokio::test]
async fn an_occurrence_that_is_due_however_often_is_one_task() {
    for mut suite in TestSuite::every(parts).await {
        let (task, series) = recurring(&mut suite).await;
        let completed = suite
            .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
            .await;
        let next = &completed["next_occurrence"];
        assert_eq!(next["pending"], true);

        suite.deliver([due(&series)]).await;

        let created = suite.get(&path(next, ""), StatusCode::OK).await;
        assert_eq!(created["version"], 1);
        assert_eq!(created["slot"], "2027-02-28T09:00");
        assert_eq!(created["due"], next["due"]);
        assert_eq!(created["occurrence_index"], 2);
        assert_eq!(created["created_by"], "service:recurring-generator");
        for copied in [
            "title",
            "notes",
            "priority",
            "labels",
            "parent_id",
            "series_id",
            "recurrence",
        ] {
            assert_eq!(created[copied], task[copied], "{copied}");
        }
        // The civil distance from the slot stays.
        assert_eq!(created["start"], json!({"date": "2027-02-22"}));
        assert_eq!(created["deadline"]["local"], "2027-03-03T18:00");
        let reminders = created["reminders"].as_array().unwrap();
        assert_eq!(reminders.len(), 1);
        assert_eq!(reminders[0]["trigger"]["offset"], "-PT30M");
        assert_ne!(reminders[0]["id"], task["reminders"][0]["id"]);

        suite.run_workers().await;
        assert_eq!(suite.published_of("task.created.v1").len(), 3);

        // Completed again, a successor that its owner has changed is known: it stayed.
        let mine = json!({"notes": "mine"});
        suite
            .patch(&path(next, "?scope=this"), mine, StatusCode::OK)
            .await;
        let reopened = suite
            .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(reopened["successor"]["outcome"], "kept");
        let again = suite
            .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(again["next_occurrence"]["id"], next["id"]);
        assert_eq!(again["next_occurrence"]["pending"], false);

        // Also when slots have passed in the meantime: the generator asks for no other.
        suite
            .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
            .await;
        suite.advance(chrono::TimeDelta::days(365));
        let late = suite
            .post(&path(&task, "/skip"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(late["next_occurrence"]["id"], next["id"]);
        // When that one is finished too, the one after it follows whichever is finished again.
        let newest = suite
            .post(&path(next, "/complete"), Value::Null, StatusCode::OK)
            .await;
        suite
            .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
            .await;
        suite.advance(chrono::TimeDelta::days(90));
        let last = suite
            .post(&path(&task, "/cancel"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(last["next_occurrence"], newest["next_occurrence"]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn an_occurrence_loses_a_parent_that_is_trashed() {
    let mut suite = suite().await;
    let (task, series) = recurring(&mut suite).await;
    let parent = json!({"id": task["parent_id"]});
    suite
        .delete(&path(&parent, ""), StatusCode::NO_CONTENT)
        .await;
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    suite.deliver([due(&series)]).await;

    let created = suite
        .get(&path(&completed["next_occurrence"], ""), StatusCode::OK)
        .await;
    assert_eq!(created["parent_id"], Value::Null);
    suite.finish().await;
}

#[tokio::test]
async fn a_series_that_has_run_out_ends() {
    let mut suite = suite().await;
    let (task, series) = recurring(&mut suite).await;

    let exhausted = fixture::progress(&series).exhausted("2027-01-31T09:00");
    suite.deliver(exhausted.events()).await;

    suite.run_workers().await;
    let ended = suite.published_of("series.ended.v1");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0]["data"]["series"]["status"], "ended");
    // Whatever comes late has no effect, and nothing is promised any more.
    suite.deliver([due(&series)]).await;
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"], Value::Null);
    suite.run_workers().await;
    assert_eq!(suite.published_of("task.created.v1").len(), 2);
    suite.finish().await;
}

#[tokio::test]
async fn our_own_series_events_are_none_of_our_business() {
    let mut suite = suite().await;
    recurring(&mut suite).await;
    let started = suite.published_of("series.started.v1");
    let before = suite.ledger().last_position().await.unwrap();
    suite.deliver(started).await;
    assert_eq!(suite.ledger().last_position().await.unwrap(), before);
    suite.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_is_parked_and_holds_up_nobody_else() {
    let mut suite = suite().await;
    let (task, series) = recurring(&mut suite).await;
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    let stranger = fixture::series("Never started", "FREQ=DAILY");
    let unknown = fixture::progress(stranger.state()).occurrence_due("2026-11-24", 2);

    suite.expect_dead_letters(2);
    suite.deliver(unknown.events()).await;
    let answer = suite
        .deliver_bytes(
            Topic::RecurringEvents,
            "application/cloudevents+json",
            "k",
            "{\"id\":1}",
        )
        .await;
    assert_eq!(answer["status"], "SUCCESS");
    suite.deliver([due(&series)]).await;

    let reasons: Vec<_> = suite
        .dead_letters()
        .await
        .into_iter()
        .map(|dead| dead.reason)
        .collect();
    assert!(
        reasons[0].contains("there is no such series"),
        "{reasons:?}"
    );
    suite
        .get(&path(&completed["next_occurrence"], ""), StatusCode::OK)
        .await;
    suite.finish().await;
}
