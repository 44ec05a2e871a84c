//! Tasks that repeat.

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
        json!({"rrule": "FREQ=MONTHLY", "month_overflow": "clamp", "dst_gap": "shift", "anchor": "schedule"})
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
    let moved = suite
        .patch(&path(&task, "?scope=this"), moved, StatusCode::OK)
        .await;
    assert_eq!(moved["slot"], "2027-01-31T09:00");

    let clear = json!({"due": null, "reminders": null});
    let refused = suite
        .patch(
            &path(&task, "?scope=this"),
            clear,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
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
async fn a_rule_ends_with_the_last_slot_that_can_be_told_in_utc() {
    let suite = suite().await;
    let west = |local: &str| json!({"local": local, "time_zone": "America/Los_Angeles"});
    let body = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "start": west("9999-12-29T23:59")});
    let preview = suite
        .post("/v1/recurrence/preview", body, StatusCode::OK)
        .await;
    let slots = preview["occurrences"].as_array().unwrap().iter();
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

#[tokio::test]
async fn a_series_keeps_what_its_rule_leaves_out() {
    let suite = suite().await;
    let recurrence =
        json!({"freq": "daily", "dst_gap": "skip", "exceptions": ["2027-03-27T02:30"]});
    let task = json!({"title": "x", "due": berlin("2027-03-26T02:30"), "recurrence": recurrence});
    let task = create(&suite, task).await;
    assert_eq!(task["recurrence"]["dst_gap"], "skip");

    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    // The 27th is an exception, and on the 28th the clocks leave half past two out.
    assert_eq!(completed["next_occurrence"]["slot"], "2027-03-29T02:30");
    suite.finish().await;
}

#[tokio::test]
async fn who_counts_from_completions_gets_the_day_of_completion_plus_the_interval() {
    let mut suite = suite().await;
    let recurrence = json!({"rrule": "FREQ=DAILY;INTERVAL=3", "anchor": "completion"});
    let task =
        json!({"title": "Water", "due": berlin("2026-11-22T09:00"), "recurrence": recurrence});
    let task = create(&suite, task).await;
    suite.advance(chrono::TimeDelta::days(5));
    let day = suite.now().date_naive() + chrono::TimeDelta::days(3);

    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    assert_eq!(completed["next_occurrence"]["slot"], format!("{day}T09:00"));
    let named = json!({"rrule": "FREQ=WEEKLY;BYDAY=MO", "anchor": "completion"});
    let named = json!({"title": "x", "due": berlin("2026-11-23T09:00"), "recurrence": named});
    let refused = suite
        .post("/v1/tasks", named, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(refused["code"], "recurrence-unsupported");
    assert_eq!(errors(&refused), [("/recurrence/rrule", "unsupported")]);
    let anchor = json!({"rrule": "FREQ=DAILY", "anchor": "due"});
    let anchor = json!({"title": "x", "due": berlin("2026-11-23T09:00"), "recurrence": anchor});
    let refused = suite
        .post("/v1/tasks", anchor, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(errors(&refused), [("/recurrence/anchor", "invalid_value")]);
    suite.run_workers().await;
    suite.finish().await;
}
