//! How far a change or a deletion of an occurrence reaches.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, series_path};
use crate::{berlin, create, errors, parts, path, suite};

async fn open_tasks(suite: &TestSuite) -> Vec<Value> {
    let page = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
    page["items"].as_array().unwrap().clone()
}

/// January done, February open.
async fn february(suite: &mut TestSuite) -> (Value, Value) {
    let january = monthly(suite).await;
    suite
        .post(&path(&january, "/complete"), Value::Null, StatusCode::OK)
        .await;
    occurrence_due(suite, &january, "2027-02-28T09:00", 2).await;
    let february = open_tasks(suite).await.remove(0);
    (january, february)
}

fn slots(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            format!(
                "{} {}",
                item["slot"].as_str().unwrap(),
                item["state"].as_str().unwrap()
            )
        })
        .collect()
}

#[tokio::test]
async fn a_command_on_an_occurrence_says_how_far_it_reaches() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let refused = suite
        .patch(
            &path(&task, ""),
            json!({"title": "x"}),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(refused["code"], "scope-required");
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("?scope=this, future or series")
    );
    suite.delete(&path(&task, ""), StatusCode::CONFLICT).await;
    suite
        .patch(
            &path(&task, "?scope=all"),
            json!({"title": "x"}),
            StatusCode::BAD_REQUEST,
        )
        .await;

    let plain = create(&suite, json!({"title": "Once"})).await;
    suite
        .patch(
            &path(&plain, "?scope=this"),
            json!({"title": "x"}),
            StatusCode::OK,
        )
        .await;
    let refused = suite
        .patch(
            &path(&plain, "?scope=future"),
            json!({"title": "x"}),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(refused["code"], "not-recurring");
    suite
        .delete(&path(&plain, ""), StatusCode::NO_CONTENT)
        .await;
    suite.finish().await;
}

#[tokio::test]
async fn the_future_is_a_series_of_its_own_and_the_past_stays() {
    for mut suite in TestSuite::every(parts).await {
        let (january, old) = february(&mut suite).await;
        let change = json!({"title": "Pay the rent", "due": berlin("2027-02-28T18:30")});

        let new = suite
            .patch(&path(&old, "?scope=future"), change, StatusCode::OK)
            .await;

        assert_ne!(
            (&new["id"], &new["series_id"]),
            (&old["id"], &old["series_id"])
        );
        assert_eq!(
            (&new["title"], &new["slot"]),
            (&json!("Pay the rent"), &json!("2027-02-28T18:30"))
        );
        assert_eq!(new["occurrence_index"], 2);
        assert_eq!(open_tasks(&suite).await, std::slice::from_ref(&new));
        let before = suite.get(&series_path(&old, ""), StatusCode::OK).await;
        assert_eq!(
            (&before["state"], &before["next_series_id"]),
            (&json!("ended"), &new["series_id"])
        );
        let after = suite.get(&series_path(&new, ""), StatusCode::OK).await;
        assert_eq!(after["previous_series_id"], old["series_id"]);
        let past = suite.get(&path(&january, ""), StatusCode::OK).await;
        assert_eq!(
            (&past["title"], &past["series_id"]),
            (&json!("Pay rent"), &old["series_id"])
        );
        // The day of the month is remembered.
        let to_come = series_path(&new, "/occurrences?to=2027-04-30");
        let to_come = suite.get(&to_come, StatusCode::OK).await;
        let expected = [
            "2027-02-28T18:30 open",
            "2027-03-31T18:30 upcoming",
            "2027-04-30T18:30 upcoming",
        ];
        assert_eq!(slots(&to_come), expected);
        // The old series is over, whatever of it is still under way.
        occurrence_due(&mut suite, &january, "2027-03-31T09:00", 3).await;
        assert_eq!(open_tasks(&suite).await.len(), 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn another_rule_begins_with_this_occurrence() {
    let mut suite = suite().await;
    let (_, old) = february(&mut suite).await;
    for scope in ["?scope=this", ""] {
        let change = json!({"recurrence": {"rrule": "FREQ=WEEKLY"}});
        let refused = suite
            .patch(&path(&old, scope), change, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(errors(&refused), [("/recurrence", "wrong_scope")]);
    }
    let change = json!({"recurrence": {"rrule": "FREQ=WEEKLY;COUNT=2"}});
    let new = suite
        .patch(&path(&old, "?scope=series"), change, StatusCode::OK)
        .await;
    assert_eq!(
        (&new["slot"], &new["occurrence_index"]),
        (&json!("2027-02-28T09:00"), &json!(1))
    );
    let completed = suite
        .post(&path(&new, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"]["slot"], "2027-03-07T09:00");
    // What is finished has no future to change.
    let refused = suite
        .patch(
            &path(&new, "?scope=future"),
            json!({"title": "x"}),
            StatusCode::CONFLICT,
        )
        .await;
    assert_eq!(refused["code"], "illegal-transition");
    suite.finish().await;
}

#[tokio::test]
async fn what_cannot_be_of_a_whole_future_is_refused_by_name() {
    let mut suite = suite().await;
    let (_, old) = february(&mut suite).await;
    let weekly = json!({"title": "x", "due": {"date": "2027-02-01"}, "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=MO"}});
    let monday = create(&suite, weekly).await;
    let absolute = json!({"reminders": [{"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}}]});
    for (task, change, expected) in [
        (&old, json!({"due": null}), ("/due", "needs_date")),
        (
            &old,
            absolute,
            ("/reminders/0/trigger/type", "not_in_a_series"),
        ),
        (
            &old,
            json!({"parent_id": monday["id"]}),
            ("/parent_id", "wrong_scope"),
        ),
        (
            &old,
            json!({"recurrence": null}),
            ("/recurrence", "wrong_scope"),
        ),
        (
            &old,
            json!({"recurrence": {"rrule": "FREQ=DAILY;UNTIL=20270101T000000Z"}}),
            ("/recurrence", "never_occurs"),
        ),
        (
            &monday,
            json!({"due": {"date": "2027-02-02"}}),
            ("/due", "not_on_the_rule"),
        ),
    ] {
        let refused = suite
            .patch(
                &path(task, "?scope=future"),
                change,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        assert_eq!(errors(&refused), [expected]);
    }
    assert_eq!(open_tasks(&suite).await.len(), 2);
    suite.run_workers().await;
    suite.finish().await;
}

#[tokio::test]
async fn the_whole_series_changes_in_place_while_rule_and_time_stay() {
    for mut suite in TestSuite::every(parts).await {
        let (january, task) = february(&mut suite).await;
        let own = json!({"title": "Pay February's rent"});
        suite
            .patch(&path(&task, "?scope=this"), own, StatusCode::OK)
            .await;

        // A week before the due of February.
        let change = json!({"title": "Pay the rent", "start": {"date": "2027-02-21"},
                            "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-P1D"}}]});
        let changed = suite
            .patch(&path(&task, "?scope=series"), change, StatusCode::OK)
            .await;

        assert_eq!(changed["id"], task["id"]);
        assert_eq!(
            (&changed["title"], &changed["start"]["date"]),
            (&json!("Pay the rent"), &json!("2027-02-21"))
        );
        assert_eq!(changed["reminders"][0]["trigger"]["offset"], "-P1D");
        let series = suite.get(&series_path(&task, ""), StatusCode::OK).await;
        assert_eq!(series["template"]["title"], "Pay the rent");
        assert_eq!(series["template"]["start"]["date"], "2027-01-24");
        let past = suite.get(&path(&january, ""), StatusCode::OK).await;
        assert_eq!(past["title"], "Pay rent");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_deletion_reaches_as_far_as_it_says() {
    for mut suite in TestSuite::every(parts).await {
        let (_, one) = february(&mut suite).await;
        suite
            .delete(&path(&one, "?scope=this"), StatusCode::NO_CONTENT)
            .await;
        let series = suite.get(&series_path(&one, ""), StatusCode::OK).await;
        assert_eq!(series["state"], "active");

        let other = monthly(&suite).await;
        suite
            .delete(&path(&other, "?scope=future"), StatusCode::NO_CONTENT)
            .await;
        let series = suite.get(&series_path(&other, ""), StatusCode::OK).await;
        assert_eq!(series["state"], "ended");
        let gone = suite.get(&path(&other, ""), StatusCode::OK).await;
        assert_ne!(gone["trashed_at"], Value::Null);

        let third = monthly(&suite).await;
        suite
            .post(&path(&third, "/complete"), Value::Null, StatusCode::OK)
            .await;
        occurrence_due(&mut suite, &third, "2027-02-28T09:00", 2).await;
        suite
            .delete(&path(&third, "?scope=series"), StatusCode::NO_CONTENT)
            .await;
        assert_eq!(open_tasks(&suite).await, [Value::Null; 0]);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_version_is_that_of_the_task() {
    let mut suite = suite().await;
    let (_, task) = february(&mut suite).await;
    let request = |version: &str| {
        let request = suite.request(http::Method::PATCH, &path(&task, "?scope=future"));
        request
            .header("if-match", version)
            .json(&json!({"title": "x"}))
    };
    assert_eq!(
        request("\"v2\"").send().await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(request("\"v1\"").send().await.status, StatusCode::OK);
    suite.run_workers().await;
    suite.finish().await;
}
