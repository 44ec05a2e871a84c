//! Values that are of the right type, and still none; and how they are told.

use http::StatusCode;
use serde_json::{Value, json};

use crate::bad_input::refused;
use crate::{berlin, create, errors, path, suite};

#[tokio::test]
async fn no_time_leaves_the_calendar_in_utc() {
    let suite = suite().await;
    let west = json!({"local": "9999-12-31T23:59", "time_zone": "America/Los_Angeles"});
    let east = json!({"local": "0001-01-01T00:00", "time_zone": "Asia/Tokyo"});
    let first = json!({"local": "0001-01-01T00:00", "time_zone": "floating"});
    let last = json!({"local": "9999-12-31T23:59", "time_zone": "floating"});
    let relative =
        |offset: &str| json!([{"trigger": {"type": "relative", "to": "due", "offset": offset}}]);
    for (body, pointer) in [
        (json!({"title": "x", "due": west}), "/due/local"),
        (json!({"title": "x", "start": east}), "/start/local"),
        (json!({"title": "x", "deadline": west}), "/deadline/local"),
        (
            json!({"title": "x", "reminders": [{"trigger": {"type": "absolute", "at": west}}]}),
            "/reminders/0/trigger/at/local",
        ),
        (
            json!({"title": "x", "due": first, "reminders": relative("-PT1S")}),
            "/reminders/0/trigger/offset",
        ),
        (
            json!({"title": "x", "due": last, "reminders": relative("PT1M")}),
            "/reminders/0/trigger/offset",
        ),
    ] {
        let problem = refused(&suite, body.clone()).await;
        assert_eq!(errors(&problem), [(pointer, "out_of_range")], "{body}");
    }
    let preview = json!({"start": east, "recurrence": {"rrule": "FREQ=DAILY"}});
    let preview = suite
        .post(
            "/v1/recurrence/preview",
            preview,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(errors(&preview), [("/start/local", "out_of_range")]);

    let near = json!({"title": "x", "due": last, "reminders": relative("PT59S")});
    let task = create(&suite, near).await;
    let moved = json!({"reminders": relative("PT60S")});
    let moved = suite
        .patch(&path(&task, ""), moved, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(
        errors(&moved),
        [("/reminders/0/trigger/offset", "out_of_range")]
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_reminder_that_says_the_same_as_another_is_refused() {
    let suite = suite().await;
    let half_hour = json!({"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}});
    let same = json!({"trigger": {"type": "relative", "to": "due", "offset": "-PT1800S"}});
    let hour = json!({"trigger": {"type": "relative", "to": "due", "offset": "-PT1H"}});
    let with = |reminders: Value| json!({"title": "x", "due": berlin("2027-01-31T09:00"), "reminders": reminders});

    let problem = refused(&suite, with(json!([half_hour, hour, same]))).await;
    assert_eq!(errors(&problem), [("/reminders/2", "duplicate")]);

    let task = create(&suite, with(json!([half_hour, hour]))).await;
    let patch = json!({"reminders": [task["reminders"][0], same]});
    let problem = suite
        .patch(&path(&task, ""), patch, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(errors(&problem), [("/reminders/1", "duplicate")]);
    suite.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_plain_sentences() {
    let suite = suite().await;
    let reminders =
        json!([{"trigger": 1}, 2, {"trigger": {"type": "relative", "to": [], "offset": 3}}]);
    let body = json!({"title": 1, "notes": [], "priority": "top", "labels": "x", "due": "2027-01-31",
                      "start": [1], "reminders": reminders, "recurrence": "FREQ=DAILY"});
    let mut problems = vec![refused(&suite, body).await];
    let overflow = json!({"rrule": "FREQ=DAILY", "month_overflow": "roll"});
    for body in [
        json!({"recurrence": overflow, "limit": 70_000, "start": 5}),
        json!({"recurrence": 1, "limit": "x"}),
    ] {
        let problem = suite
            .post(
                "/v1/recurrence/preview",
                body,
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        problems.push(problem);
    }
    for query in ["status=done", "sort=title", "due_from=tomorrow"] {
        let path = format!("/v1/tasks?{query}");
        problems.push(suite.get(&path, StatusCode::BAD_REQUEST).await);
    }
    for problem in problems {
        for error in problem["errors"].as_array().unwrap() {
            let message = error["message"].as_str().unwrap();
            assert!(
                message.starts_with("must ") || message == "is required",
                "{error}"
            );
        }
    }
    suite.finish().await;
}
