//! Slots of a series that are different.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::series::{monthly, occurrence_due, series_path};
use crate::{berlin, errors, parts, path, suite};

#[tokio::test]
async fn a_slot_that_is_skipped_has_no_occurrence() {
    for suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        let skip = json!({"slot": "2027-02-28T09:00", "action": "skip"});
        let exceptions = series_path(&task, "/exceptions");

        let series = suite.post(&exceptions, skip, StatusCode::OK).await;

        assert_eq!(
            series["exceptions"],
            json!([{"slot": "2027-02-28T09:00", "action": "skip"}])
        );
        assert_eq!(series["next_slot"], "2027-03-31T09:00");
        let to_come = series_path(&task, "/occurrences?from=2027-02-01&limit=1");
        let to_come = suite.get(&to_come, StatusCode::OK).await;
        assert_eq!(to_come["items"][0]["slot"], "2027-03-31T09:00");
        assert_eq!(to_come["items"][0]["index"], 3);
        let none = json!({"slot": "2027-02-28T09:00", "action": "none"});
        let series = suite.post(&exceptions, none, StatusCode::OK).await;
        assert_eq!(
            (&series["exceptions"], &series["version"]),
            (&json!([]), &json!(3))
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_slot_that_is_overridden_has_an_occurrence_of_its_own_kind() {
    let mut suite = suite().await;
    let task = monthly(&suite).await;
    let change = json!({"slot": "2027-02-28T09:00", "action": "override", "title": "Pay rent and heating",
                        "labels": [], "due": berlin("2027-03-01T12:00")});
    let series = suite
        .post(&series_path(&task, "/exceptions"), change, StatusCode::OK)
        .await;
    assert_eq!(series["exceptions"][0]["title"], "Pay rent and heating");
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    occurrence_due(&mut suite, &task, "2027-02-28T09:00", 2).await;

    let page = suite.get("/v1/tasks?status=open", StatusCode::OK).await;
    let february = &page["items"][0];
    assert_eq!(
        (&february["title"], &february["labels"]),
        (&json!("Pay rent and heating"), &json!([]))
    );
    assert_eq!(february["due"]["local"], "2027-03-01T12:00");
    assert_eq!(february["slot"], "2027-02-28T09:00");
    suite.finish().await;
}

#[tokio::test]
async fn what_cannot_be_different_is_refused_by_name() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let exceptions = series_path(&task, "/exceptions");
    let over = json!({"slot": "2027-01-31T09:00", "action": "skip"});
    let over = suite.post(&exceptions, over, StatusCode::CONFLICT).await;
    assert_eq!(over["code"], "slot-is-over");
    for (body, expected) in [
        (
            json!({}),
            vec![("/action", "missing"), ("/slot", "missing")],
        ),
        (
            json!({"slot": "2027-02-28", "action": "skip"}),
            vec![("/slot", "no_slot")],
        ),
        (
            json!({"slot": "2027-02-27T09:00", "action": "skip"}),
            vec![("/slot", "no_slot")],
        ),
        (
            json!({"slot": "soon", "action": "forget", "x": 1}),
            vec![
                ("/action", "invalid_value"),
                ("/slot", "invalid_value"),
                ("/x", "unknown_field"),
            ],
        ),
        (
            json!({"slot": "2027-02-28T09:00", "action": "skip", "title": "x"}),
            vec![("/action", "invalid_value")],
        ),
        (
            json!({"slot": "2027-02-28T09:00", "action": "override"}),
            vec![("/action", "invalid_value")],
        ),
        (
            json!({"slot": "2027-02-28T09:00", "action": "override", "title": ""}),
            vec![("/title", "empty")],
        ),
    ] {
        let refused = suite
            .post(&exceptions, body, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(errors(&refused), expected);
    }
    suite.finish().await;
}
