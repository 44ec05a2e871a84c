//! Rules: what they would do, and tasks that repeat.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{berlin, create, errors, path, suite};

fn monthly() -> Value {
    json!({"title": "Pay rent", "labels": ["home"], "due": berlin("2027-01-31T09:00"),
           "start": {"date": "2027-01-25"}, "deadline": {"date": "2027-02-03"},
           "recurrence": {"rrule": "freq=monthly", "month_overflow": "clamp"},
           "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}},
                         {"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}}]})
}

#[tokio::test]
async fn a_recurring_task_starts_a_series_and_its_first_occurrence() {
    let mut suite = suite().await;

    let task = create(&suite, monthly()).await;

    assert_eq!(task["slot"], "2027-01-31T09:00");
    assert_eq!(task["occurrence_index"], 1);
    assert_eq!(
        task["recurrence"],
        json!({"rrule": "FREQ=MONTHLY", "month_overflow": "clamp"})
    );
    assert_eq!(task["reminders"].as_array().unwrap().len(), 2);
    suite.run_workers().await;
    let started = &suite.published_of("series.started.v1")[0];
    assert_eq!(started["subject"], task["series_id"]);
    assert_eq!(started["partitionkey"], task["series_id"]);
    let template = &started["data"]["series"]["template"];
    assert_eq!(template["reminders"].as_array().unwrap().len(), 1);
    assert_eq!(
        suite.published_of("task.created.v1")[0]["subject"],
        task["id"]
    );
    suite.finish().await;
}

#[tokio::test]
async fn finishing_an_occurrence_tells_the_next() {
    let suite = suite().await;
    let task = create(&suite, monthly()).await;

    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    assert_eq!(completed["task"]["status"], "completed");
    let next = &completed["next_occurrence"];
    assert_eq!(next["slot"], "2027-02-28T09:00");
    assert_eq!(next["due"]["instant"], "2027-02-28T08:00:00Z");
    assert_eq!(next["pending"], true);

    let other = create(&suite, monthly()).await;
    let skipped = suite
        .post(&path(&other, "/skip"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(skipped["task"]["status"], "skipped");
    assert_eq!(skipped["next_occurrence"]["slot"], "2027-02-28T09:00");

    let third = create(&suite, monthly()).await;
    let cancelled = suite
        .post(&path(&third, "/cancel"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(cancelled["task"]["status"], "cancelled");
    assert_eq!(cancelled["next_occurrence"]["slot"], "2027-02-28T09:00");
    let plain = create(&suite, json!({"title": "Once"})).await;
    let plain = suite
        .post(&path(&plain, "/cancel"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(plain["next_occurrence"], Value::Null);
    suite.finish().await;
}

#[tokio::test]
async fn the_last_occurrence_has_none_after_it() {
    let suite = suite().await;
    let mut body = monthly();
    body["recurrence"]["rrule"] = "FREQ=MONTHLY;COUNT=1".into();
    let task = create(&suite, body).await;
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"], Value::Null);
    suite.finish().await;
}

#[tokio::test]
async fn a_due_that_is_not_on_the_rule_moves_to_its_first_slot_with_all_around_it() {
    let mut suite = suite().await;
    let task = create(
        &suite,
        json!({"title": "x", "due": {"date": "2026-11-25"}, "start": {"date": "2026-11-24"},
               "deadline": berlin("2026-11-26T18:00"), "recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=FR"}}),
    )
    .await;
    assert_eq!(task["due"], json!({"date": "2026-11-27"}));
    assert_eq!(task["slot"], "2026-11-27");
    assert_eq!(task["start"], json!({"date": "2026-11-26"}));
    assert_eq!(task["deadline"]["local"], "2026-11-28T18:00");
    suite.run_workers().await;
    suite.finish().await;
}

#[tokio::test]
async fn a_moved_occurrence_keeps_its_slot_and_a_due() {
    let suite = suite().await;
    let task = create(&suite, monthly()).await;

    let moved = json!({"due": berlin("2027-02-02T10:00")});
    let moved = suite.patch(&path(&task, ""), moved, StatusCode::OK).await;
    assert_eq!(moved["slot"], "2027-01-31T09:00");

    let clear = json!({"due": null, "reminders": null});
    let refused = suite
        .patch(&path(&task, ""), clear, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(refused["code"], "recurring-task-needs-date");
    assert_eq!(errors(&refused), [("/due", "needs_date")]);

    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"]["slot"], "2027-02-28T09:00");
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_shows_slots_instants_and_surprises() {
    let suite = suite().await;
    let preview = async |body: Value| {
        suite
            .post("/v1/recurrence/preview", body, StatusCode::OK)
            .await
    };
    let codes = |preview: &Value| -> Vec<String> {
        let warnings = preview["warnings"].as_array().unwrap().iter();
        warnings
            .map(|warning| warning["code"].as_str().unwrap().to_owned())
            .collect()
    };

    let monthly = preview(json!({"recurrence": {"rrule": "freq=monthly"}, "start": berlin("2027-01-31T02:30"), "limit": 4})).await;
    assert_eq!(
        monthly["slots"],
        json!([
            {"slot": "2027-01-31T02:30", "index": 1, "instant": "2027-01-31T01:30:00Z",
             "due": {"local": "2027-01-31T02:30", "time_zone": "Europe/Berlin", "instant": "2027-01-31T01:30:00Z"}},
            {"slot": "2027-02-28T02:30", "index": 2, "instant": "2027-02-28T01:30:00Z",
             "due": {"local": "2027-02-28T02:30", "time_zone": "Europe/Berlin", "instant": "2027-02-28T01:30:00Z"}},
            {"slot": "2027-03-31T02:30", "index": 3, "instant": "2027-03-31T00:30:00Z",
             "due": {"local": "2027-03-31T02:30", "time_zone": "Europe/Berlin", "instant": "2027-03-31T00:30:00Z"}},
            {"slot": "2027-04-30T02:30", "index": 4, "instant": "2027-04-30T00:30:00Z",
             "due": {"local": "2027-04-30T02:30", "time_zone": "Europe/Berlin", "instant": "2027-04-30T00:30:00Z"}},
        ])
    );
    assert_eq!(monthly["recurrence"]["rrule"], "FREQ=MONTHLY");
    assert_eq!(codes(&monthly), ["last_day_used"]);

    let daily = preview(json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": berlin("2027-03-27T02:30"), "limit": 2})).await;
    assert_eq!(daily["slots"][1]["instant"], "2027-03-28T01:30:00Z");
    assert_eq!(codes(&daily), ["clock_change"]);

    let aligned = preview(
        json!({"recurrence": {"rrule": "FREQ=WEEKLY;BYDAY=FR"}, "start": {"date": "2026-11-25"}}),
    )
    .await;
    assert_eq!(
        aligned["slots"][0],
        json!({"slot": "2026-11-27", "index": 1, "instant": null, "due": {"date": "2026-11-27"}})
    );
    assert_eq!(aligned["slots"].as_array().unwrap().len(), 10);
    assert_eq!(codes(&aligned), ["start_aligned"]);

    let skipping = json!({"rrule": "FREQ=MONTHLY", "month_overflow": "skip"});
    let skipping =
        preview(json!({"recurrence": skipping, "start": {"date": "2027-01-31"}, "limit": 2})).await;
    assert_eq!(skipping["slots"][1]["slot"], "2027-03-31");
    assert_eq!(codes(&skipping), ["months_skipped"]);

    let ended = preview(json!({"recurrence": {"rrule": "FREQ=DAILY;UNTIL=20200101"}, "start": {"date": "2027-01-31"}})).await;
    assert_eq!(
        (&ended["slots"], codes(&ended)),
        (&json!([]), vec!["ended".to_owned()])
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_warns_of_short_months_only_when_the_rule_comes_to_one() {
    let suite = suite().await;
    for (rrule, start, overflow, expected) in [
        ("FREQ=MONTHLY;INTERVAL=12", "2027-01-31", "clamp", None),
        ("FREQ=MONTHLY;INTERVAL=12", "2027-01-31", "skip", None),
        ("FREQ=MONTHLY;COUNT=1", "2027-01-31", "clamp", None),
        ("FREQ=MONTHLY;BYMONTH=1,3", "2027-01-31", "clamp", None),
        ("FREQ=YEARLY;INTERVAL=4", "2028-02-29", "clamp", None),
        (
            "FREQ=MONTHLY;INTERVAL=5",
            "2027-01-31",
            "clamp",
            Some("last_day_used"),
        ),
        (
            "FREQ=MONTHLY;INTERVAL=5",
            "2027-01-31",
            "skip",
            Some("months_skipped"),
        ),
        ("FREQ=MONTHLY", "2027-01-29", "clamp", Some("last_day_used")),
        ("FREQ=YEARLY", "2028-02-29", "clamp", Some("last_day_used")),
        (
            "FREQ=YEARLY;BYMONTH=1,6",
            "2027-01-31",
            "skip",
            Some("months_skipped"),
        ),
    ] {
        let recurrence = json!({"rrule": rrule, "month_overflow": overflow});
        let body = json!({"recurrence": recurrence, "start": {"date": start}});
        let preview = suite
            .post("/v1/recurrence/preview", body, StatusCode::OK)
            .await;
        let warnings = preview["warnings"].as_array().unwrap().iter();
        let codes: Vec<_> = warnings.map(|warning| warning["code"].as_str()).collect();
        let expected: Vec<_> = expected.into_iter().map(Some).collect();
        assert_eq!(codes, expected, "{rrule} {start} {overflow}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_preview_is_read_strictly() {
    let suite = suite().await;
    let refused = suite
        .post(
            "/v1/recurrence/preview",
            json!({"recurrence": {"rrule": "FREQ=SECONDLY"}, "start": {"instant": "2027-01-31T00:00:00Z"}, "limit": 101, "x": 1}),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(
        errors(&refused),
        [
            ("/limit", "out_of_range"),
            ("/recurrence/rrule", "unsupported"),
            ("/start", "invalid_value"),
            ("/x", "unknown_field")
        ]
    );
    let empty = suite
        .post(
            "/v1/recurrence/preview",
            json!({}),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(
        errors(&empty),
        [("/recurrence", "missing"), ("/start", "missing")]
    );
    suite.finish().await;
}

#[tokio::test]
async fn a_rule_ends_with_the_last_slot_that_can_be_told_in_utc() {
    let suite = suite().await;
    let west = |local: &str| json!({"local": local, "time_zone": "America/Los_Angeles"});
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": west("9999-12-29T23:59")});
    let preview = suite
        .post("/v1/recurrence/preview", body, StatusCode::OK)
        .await;
    let slots = preview["slots"].as_array().unwrap().iter();
    let slots: Vec<_> = slots.map(|slot| slot["slot"].as_str().unwrap()).collect();
    assert_eq!(slots, ["9999-12-29T23:59", "9999-12-30T23:59"]);

    let task = json!({"title": "x", "due": west("9999-12-30T23:59"), "recurrence": {"rrule": "FREQ=DAILY"}});
    let task = create(&suite, task).await;
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    assert_eq!(completed["next_occurrence"], Value::Null);
    suite.finish().await;
}
