//! What is asked of a series, and what becomes of its occurrences.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, series_path};
use crate::{berlin, create, errors, parts, path, suite};

async fn open_tasks(suite: &TestSuite) -> Vec<Value> {
    let page = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_changed_series_takes_its_open_occurrence_along_and_leaves_the_past() {
    for mut suite in TestSuite::every(parts).await {
        let january = monthly(&suite).await;
        suite
            .post(&path(&january, "/complete"), Value::Null, StatusCode::OK)
            .await;
        occurrence_due(&mut suite, &january, "2027-02-28T09:00", 2).await;
        let own = open_tasks(&suite).await.remove(0);
        suite
            .patch(
                &path(&own, "?scope=this"),
                json!({"notes": "By card"}),
                StatusCode::OK,
            )
            .await;

        let change = json!({"template": {"title": "Pay the rent", "notes": "By transfer", "labels": null,
                                         "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-P1D"}}]}});
        let series = suite
            .patch(&series_path(&january, ""), change.clone(), StatusCode::OK)
            .await;

        assert_eq!(
            (&series["version"], &series["next_slot"]),
            (&json!(2), &json!("2027-03-31T09:00"))
        );
        assert_eq!(series["template"]["notes"], "By transfer");
        let february = suite.get(&path(&own, ""), StatusCode::OK).await;
        assert_eq!(february["title"], "Pay the rent");
        assert_eq!(february["notes"], "By card");
        assert_eq!(february["labels"], json!([]));
        assert_eq!(february["reminders"][0]["trigger"]["offset"], "-P1D");
        let past = suite.get(&path(&january, ""), StatusCode::OK).await;
        assert_eq!(
            (&past["title"], &past["labels"]),
            (&json!("Pay rent"), &json!(["home"]))
        );
        // The same again is no change.
        let same = suite
            .patch(&series_path(&january, ""), change, StatusCode::OK)
            .await;
        assert_eq!(same["version"], 2);
        suite.run_workers().await;
        assert_eq!(suite.published_of("series.changed.v1").len(), 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn an_occurrence_after_the_change_begins_with_it() {
    let mut suite = suite().await;
    let january = monthly(&suite).await;
    let change = json!({"template": {"title": "Pay the rent"}});
    suite
        .patch(&series_path(&january, ""), change, StatusCode::OK)
        .await;
    suite
        .post(&path(&january, "/complete"), Value::Null, StatusCode::OK)
        .await;
    occurrence_due(&mut suite, &january, "2027-02-28T09:00", 2).await;
    assert_eq!(open_tasks(&suite).await[0]["title"], "Pay the rent");
    suite.finish().await;
}

#[tokio::test]
async fn a_series_is_paused_resumed_and_ended() {
    let mut suite = suite().await;
    let task = monthly(&suite).await;
    let command = async |suite: &TestSuite, verb: &str, status| {
        suite
            .post(&series_path(&task, verb), Value::Null, status)
            .await
    };

    let paused = command(&suite, "/pause", StatusCode::OK).await;
    assert_eq!(
        (&paused["state"], &paused["next_slot"]),
        (&json!("paused"), &Value::Null)
    );
    let again = command(&suite, "/pause", StatusCode::CONFLICT).await;
    assert_eq!(again["code"], "illegal-transition");
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"], Value::Null);
    let resumed = command(&suite, "/resume", StatusCode::OK).await;
    assert_eq!(resumed["next_slot"], "2027-02-28T09:00");
    command(&suite, "/resume", StatusCode::CONFLICT).await;
    let ended = command(&suite, "/end", StatusCode::OK).await;
    assert_eq!(
        (&ended["state"], &ended["version"]),
        (&json!("ended"), &json!(4))
    );
    assert_eq!(command(&suite, "/end", StatusCode::OK).await["version"], 4);
    command(&suite, "/resume", StatusCode::CONFLICT).await;
    let change = json!({"template": {"title": "Too late"}});
    let refused = suite
        .patch(&series_path(&task, ""), change, StatusCode::CONFLICT)
        .await;
    assert_eq!(refused["code"], "illegal-transition");
    suite.run_workers().await;
    let published = suite.published_types();
    for event in ["series.paused.v1", "series.resumed.v1", "series.ended.v1"] {
        assert_eq!(
            published.iter().filter(|other| *other == event).count(),
            1,
            "{event}"
        );
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_deleted_series_leaves_nothing_open() {
    for mut suite in TestSuite::every(parts).await {
        let january = monthly(&suite).await;
        let other = create(&suite, json!({"title": "Else"})).await;
        suite
            .post(&path(&january, "/complete"), Value::Null, StatusCode::OK)
            .await;
        occurrence_due(&mut suite, &january, "2027-02-28T09:00", 2).await;

        suite
            .delete(&series_path(&january, ""), StatusCode::NO_CONTENT)
            .await;

        let left = open_tasks(&suite).await;
        assert_eq!(left.len(), 1);
        assert_eq!(left[0]["id"], other["id"]);
        let series = suite.get(&series_path(&january, ""), StatusCode::OK).await;
        assert_eq!(series["state"], "ended");
        let past = suite.get(&path(&january, ""), StatusCode::OK).await;
        assert_eq!(past["status"], "completed");
        suite
            .delete(&series_path(&january, ""), StatusCode::NO_CONTENT)
            .await;
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_command_wants_the_version_that_the_caller_saw() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let request = |version: &str| {
        let request = suite.request(http::Method::PATCH, &series_path(&task, ""));
        request
            .header("if-match", version)
            .json(&json!({"template": {"title": "x"}}))
    };
    let stale = request("\"v7\"").send().await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let current = &stale.json()["current"];
    assert_eq!(
        (&current["id"], &current["version"]),
        (&task["series_id"], &json!(1))
    );
    let done = request("\"v1\"").send().await;
    assert_eq!(
        (done.status, &done.json()["version"]),
        (StatusCode::OK, &json!(2))
    );
    suite.finish().await;
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let refused = json!({"template": {"title": "", "labels": [7], "due": {"date": "2027-01-31"},
                                      "reminders": [{"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}}]},
                         "state": "paused"});
    let refused = suite
        .patch(
            &series_path(&task, ""),
            refused,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(
        errors(&refused),
        [
            ("/state", "unknown_field"),
            ("/template/due", "unknown_field"),
            ("/template/labels/0", "wrong_type"),
            ("/template/reminders/0/trigger/type", "not_in_a_series"),
            ("/template/title", "empty"),
        ]
    );
    let anchor = json!({"template": {"reminders": [{"trigger": {"type": "relative", "to": "deadline", "offset": "PT0S"}}]}});
    let refused = suite
        .patch(
            &series_path(&task, ""),
            anchor,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(
        errors(&refused),
        [("/template/reminders/0/trigger/to", "anchor_missing")]
    );
    let null = suite
        .patch(
            &series_path(&task, ""),
            json!({"template": null}),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(errors(&null), [("/template", "missing")]);
    suite.finish().await;
}

#[tokio::test]
async fn a_series_is_created_with_its_first_occurrence() {
    let mut suite = suite().await;
    let body = json!({"start": berlin("2027-01-31T09:00"), "recurrence": {"rrule": "FREQ=MONTHLY"},
                      "template": {"title": "Pay rent", "labels": ["home"], "start": {"date": "2027-01-25"}}});

    let series = suite.post("/v1/series", body, StatusCode::CREATED).await;

    assert_eq!(
        (&series["version"], &series["next_slot"]),
        (&json!(1), &json!("2027-02-28T09:00"))
    );
    let first = open_tasks(&suite).await.remove(0);
    assert_eq!(
        (&first["series_id"], &first["slot"]),
        (&series["id"], &json!("2027-01-31T09:00"))
    );
    assert_eq!(first["title"], "Pay rent");
    assert_eq!(
        series,
        suite.get(&series_path(&first, ""), StatusCode::OK).await
    );

    let wrong = json!({"start": {"date": "2027-02-30"}, "recurrence": {"rrule": "FREQ=SECONDLY"},
                       "template": {"title": "", "due": null}, "title": "x"});
    let refused = suite
        .post("/v1/series", wrong, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(
        errors(&refused),
        [
            ("/template/due", "unknown_field"),
            ("/title", "unknown_field")
        ]
    );
    let wrong = json!({"start": {"date": "2027-02-30"}, "recurrence": {"rrule": "FREQ=SECONDLY"}, "template": {"title": ""}});
    let refused = suite
        .post("/v1/series", wrong, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    let expected = [
        ("/recurrence/rrule", "unsupported"),
        ("/start/date", "invalid_value"),
        ("/template/title", "empty"),
    ];
    assert_eq!(errors(&refused), expected);
    let nothing = suite
        .post("/v1/series", json!({}), StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    let missing = [
        ("/recurrence", "missing"),
        ("/start", "missing"),
        ("/template", "missing"),
    ];
    assert_eq!(errors(&nothing), missing);
    let absolute = json!({"start": {"date": "2027-01-31"}, "recurrence": {"rrule": "FREQ=MONTHLY"},
                          "template": {"title": "x", "reminders": [{"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}}]}});
    let refused = suite
        .post("/v1/series", absolute, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(
        errors(&refused),
        [("/template/reminders/0/trigger/type", "not_in_a_series")]
    );
    suite.run_workers().await;
    suite.finish().await;
}

#[tokio::test]
async fn a_series_on_schedule_says_when_its_occurrences_are_made() {
    let mut suite = suite().await;
    let recurrence = json!({"rrule": "FREQ=DAILY", "generation": "on_schedule", "lead_time": "P1D",
                            "max_open": 3, "catch_up": "all", "catch_up_limit": 5});
    let task =
        json!({"title": "Stand-up", "due": berlin("2027-02-01T09:00"), "recurrence": recurrence});
    let task = create(&suite, task).await;
    let series = suite.get(&series_path(&task, ""), StatusCode::OK).await;
    for (member, value) in recurrence_members(&recurrence) {
        assert_eq!(series["recurrence"][member], *value, "{member}");
    }
    // The second is there before the first is finished.
    occurrence_due(&mut suite, &task, "2027-02-02T09:00", 2).await;
    assert_eq!(open_tasks(&suite).await.len(), 2);
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    let next = &completed["next_occurrence"];
    assert_eq!(
        (&next["slot"], &next["pending"]),
        (&json!("2027-02-02T09:00"), &json!(false))
    );

    for (member, value, code) in [
        ("generation", json!("sometimes"), "invalid_value"),
        ("lead_time", json!("-P1D"), "invalid_value"),
        ("max_open", json!(101), "out_of_range"),
        ("max_open", json!(0), "out_of_range"),
        ("catch_up", json!("some"), "invalid_value"),
        ("catch_up_limit", json!("5"), "wrong_type"),
    ] {
        let mut recurrence = recurrence.clone();
        recurrence[member] = value;
        let task =
            json!({"title": "x", "due": berlin("2027-02-01T09:00"), "recurrence": recurrence});
        let refused = suite
            .post("/v1/tasks", task, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert!(
            errors(&refused).contains(&(&format!("/recurrence/{member}"), code)),
            "{refused}"
        );
    }
    let only = json!({"rrule": "FREQ=DAILY", "max_open": 3});
    let only = json!({"title": "x", "due": berlin("2027-02-01T09:00"), "recurrence": only});
    let refused = suite
        .post("/v1/tasks", only, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(
        errors(&refused),
        [("/recurrence/max_open", "on_schedule_only")]
    );
    suite.run_workers().await;
    suite.finish().await;
}

fn recurrence_members(recurrence: &Value) -> impl Iterator<Item = (&String, &Value)> {
    recurrence.as_object().unwrap().iter()
}
