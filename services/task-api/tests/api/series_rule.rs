//! Another rule, start or generation of a series.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, occurrences, series_path};
use crate::{berlin, create, errors, parts, path, suite};

async fn patch(suite: &TestSuite, task: &Value, body: Value, status: StatusCode) -> Value {
    suite.patch(&series_path(task, ""), body, status).await
}

async fn refused(suite: &TestSuite, task: &Value, body: Value) -> Value {
    patch(suite, task, body, StatusCode::UNPROCESSABLE_ENTITY).await
}

#[tokio::test]
async fn from_a_day_on_what_is_untouched_is_replaced_and_what_is_touched_stays() {
    for suite in TestSuite::every(parts).await {
        for touched in [false, true] {
            let task = monthly(&suite).await;
            if touched {
                let note = json!({"notes": "Ask for a receipt"});
                suite
                    .patch(&path(&task, "?scope=this"), note, StatusCode::OK)
                    .await;
            }
            let body = json!({"recurrence": {"freq": "weekly"}, "effective_from": "2027-01-27",
                              "template": {"title": "Pay the rent"}});
            let answer = suite
                .request(http::Method::PATCH, &series_path(&task, ""))
                .json(&body)
                .send()
                .await
                .expect(StatusCode::OK);
            let location = answer.headers["location"].to_str().unwrap().to_owned();
            let new = answer.json();
            assert_eq!(
                location,
                format!("/v1/series/{}", new["id"].as_str().unwrap())
            );
            let old = suite.get(&path(&task, ""), StatusCode::OK).await;
            let slots = occurrences(&suite, &new, 1).await;
            if touched {
                assert_eq!(
                    (&old["trashed_at"], &old["title"]),
                    (&Value::Null, &json!("Pay rent"))
                );
                // Its day is taken, and its turn comes first.
                assert_eq!(slots, ["2027-02-03T09:00 upcoming"]);
                assert_eq!(
                    (&new["begins_after"], &old["next_series_id"]),
                    (&old["id"], &new["id"])
                );
            } else {
                assert_ne!(old["trashed_at"], Value::Null);
                assert_eq!(slots, ["2027-01-27T09:00 open"]);
            }
            assert_eq!(new["template"]["title"], "Pay the rent");
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn another_time_of_day_keeps_rhythm_day_count_and_place() {
    let mut suite = suite().await;
    let home = create(
        &suite,
        json!({"title": "Home", "due": {"date": "2026-12-01"}}),
    )
    .await;
    let task = create(
        &suite,
        json!({"title": "Pay rent", "due": berlin("2027-01-31T09:00"), "start": {"date": "2027-01-24"},
               "parent_id": home["id"], "recurrence": {"rrule": "FREQ=MONTHLY;COUNT=4"}}),
    )
    .await;
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    let body = json!({"start": berlin("2027-01-31T18:30")});
    let new = patch(&suite, &task, body, StatusCode::OK).await;
    assert_eq!(
        occurrences(&suite, &new, 9).await,
        [
            "2027-02-28T18:30 open",
            "2027-03-31T18:30 upcoming",
            "2027-04-30T18:30 upcoming"
        ]
    );
    assert_eq!(new["recurrence"]["rrule"], "FREQ=MONTHLY;COUNT=4");
    let open = path(&home, "").replace("/v1/tasks/", "/v1/tasks?status=open&parent_id=");
    let found = suite.get(&open, StatusCode::OK).await;
    let first = &found["items"][0];
    assert_eq!(
        (&first["occurrence_index"], &first["start"]["date"]),
        (&json!(2), &json!("2027-02-21"))
    );
    // The generator had asked for the slot of the old rule already.
    occurrence_due(&mut suite, &task, "2027-02-28T09:00", 2).await;
    let found = suite.get(&open, StatusCode::OK).await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn a_policy_alone_keeps_the_rule_and_the_same_rule_is_no_change() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let before = suite.get(&series_path(&task, ""), StatusCode::OK).await;
    let same = json!({"recurrence": before["recurrence"], "start": berlin("2027-01-31T09:00")});
    assert_eq!(patch(&suite, &task, same, StatusCode::OK).await, before);

    let body = json!({"recurrence": {"month_overflow": "skip", "ends": {"count": 2}}});
    let new = patch(&suite, &task, body, StatusCode::OK).await;
    assert_eq!(new["recurrence"]["rrule"], "FREQ=MONTHLY;COUNT=2");
    assert_eq!(new["recurrence"]["month_overflow"], "skip");
    // What is open is the first of two.
    assert_eq!(
        (&new["start"]["local"], &new["begins_after"]),
        (&json!("2027-01-31T09:00"), &task["id"])
    );
    assert_eq!(
        occurrences(&suite, &new, 9).await,
        ["2027-03-31T09:00 upcoming"]
    );
    suite.finish().await;
}

#[tokio::test]
async fn when_occurrences_are_made_changes_in_place() {
    for mut suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        let body =
            json!({"recurrence": {"generation": "on_schedule", "max_open": 3, "lead_time": "P1D"}});
        let series = patch(&suite, &task, body, StatusCode::OK).await;
        assert_eq!(
            (&series["id"], &series["version"]),
            (&task["series_id"], &json!(2))
        );
        let recurrence = &series["recurrence"];
        assert_eq!(recurrence["generation"], "on_schedule");
        assert_eq!(
            (&recurrence["max_open"], &recurrence["lead_time"]),
            (&json!(3), &json!("P1D"))
        );

        // What is absent stays, null is what is usual.
        let body = json!({"recurrence": {"max_open": null, "catch_up": "all"}});
        let series = patch(&suite, &task, body, StatusCode::OK).await;
        let recurrence = &series["recurrence"];
        assert_eq!(
            (
                &recurrence["max_open"],
                &recurrence["lead_time"],
                &recurrence["catch_up"]
            ),
            (&json!(1), &json!("P1D"), &json!("all"))
        );
        let body = json!({"recurrence": {"generation": "on_completion"}});
        let series = patch(&suite, &task, body.clone(), StatusCode::OK).await;
        assert_eq!(series["recurrence"]["lead_time"], "PT0S");
        assert_eq!(patch(&suite, &task, body, StatusCode::OK).await, series);
        suite.run_workers().await;
        let changed = suite.published_of("series.changed.v1");
        assert_eq!(changed.len(), 3);
        assert_eq!(
            changed[0]["data"]["change"]["generation"]["to"]["max_open"],
            3
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_cannot_be_changed_so_is_told_with_what_to_send() {
    let mut suite = suite().await;
    let task = monthly(&suite).await;
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    occurrence_due(&mut suite, &task, "2027-02-28T09:00", 2).await;
    let weekly = json!({"rrule": "FREQ=WEEKLY"});
    for (body, expected) in [
        (json!({"recurrence": null}), ("/recurrence", "missing")),
        (
            json!({"recurrence": "weekly"}),
            ("/recurrence", "wrong_type"),
        ),
        (
            json!({"recurrence": {"rrule": "FREQ=HOURLY"}}),
            ("/recurrence/rrule", "unsupported"),
        ),
        (
            json!({"recurrence": {"anchor": "completion", "freq": "weekly", "by_weekday": [{"day": "mo"}]}}),
            ("/recurrence/by_weekday", "unsupported"),
        ),
        (
            json!({"recurrence": {"exceptions": ["2027-03-31T09:00"]}}),
            ("/recurrence/exceptions", "wrong_place"),
        ),
        (
            json!({"recurrence": {"max_open": 2}}),
            ("/recurrence/max_open", "on_schedule_only"),
        ),
        (json!({"start": null}), ("/start", "missing")),
        (
            json!({"start": {"date": "2027-02-30"}}),
            ("/start/date", "invalid_value"),
        ),
        (
            json!({"effective_from": "2027-02-28"}),
            ("/effective_from", "nothing_to_change"),
        ),
        (
            json!({"recurrence": weekly, "effective_from": "soon"}),
            ("/effective_from", "invalid_value"),
        ),
        (
            json!({"recurrence": weekly, "effective_from": "2027-01-31T09:00"}),
            ("/effective_from", "too_early"),
        ),
        (
            json!({"recurrence": weekly, "effective_from": "2027-04-01"}),
            ("/effective_from", "too_late"),
        ),
        (
            json!({"recurrence": {"rrule": "FREQ=WEEKLY;UNTIL=20270301T000000Z"}}),
            ("/recurrence", "never_occurs"),
        ),
        // A day has no time that a reminder could count from.
        (
            json!({"start": {"date": "2027-03-31"}}),
            ("/template/reminders/0/trigger/to", "anchor_without_time"),
        ),
    ] {
        let answer = refused(&suite, &task, body.clone()).await;
        assert_eq!(errors(&answer), [expected], "{body}");
    }
    let late = json!({"recurrence": weekly, "effective_from": "2027-04-01"});
    let detail = refused(&suite, &task, late).await["detail"].to_string();
    assert!(detail.contains("2027-03-31"), "{detail}");

    suite
        .post(&series_path(&task, "/end"), Value::Null, StatusCode::OK)
        .await;
    let body = json!({"recurrence": weekly});
    let answer = patch(&suite, &task, body, StatusCode::CONFLICT).await;
    assert_eq!(answer["code"], "illegal-transition");
    suite.finish().await;
}

#[tokio::test]
async fn a_series_without_a_slot_left_is_prolonged_from_a_day() {
    let suite = suite().await;
    let task = create(
        &suite,
        json!({"title": "x", "due": {"date": "2027-02-01"}, "recurrence": {"rrule": "FREQ=DAILY;COUNT=1"}}),
    )
    .await;
    // Who says no day means what follows the open one.
    let longer = json!({"recurrence": {"rrule": "FREQ=DAILY"}});
    let new = patch(&suite, &task, longer, StatusCode::OK).await;
    assert_eq!(new["next_slot"], "2027-02-02");
    let old = json!({ "series_id": new["id"] });
    let weekly = json!({"recurrence": {"rrule": "FREQ=WEEKLY"}, "effective_from": "2027-02-03"});
    let refused = refused(&suite, &old, weekly).await;
    assert_eq!(errors(&refused), [("/effective_from", "too_late")]);
    let old = suite.get(&path(&task, ""), StatusCode::OK).await;
    assert_eq!(old["trashed_at"], Value::Null);
    suite.finish().await;
}
