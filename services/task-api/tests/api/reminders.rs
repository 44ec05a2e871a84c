//! Reminders: what can be wished for, and how it is shown.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, create, errors, parts, path, suite};

fn with(reminder: &Value) -> Value {
    json!({"title": "Pay rent", "due": {"date": "2027-01-31"}, "reminders": [reminder]})
}

#[tokio::test]
async fn a_task_of_a_whole_day_has_a_reminder_at_a_time_of_day() {
    for mut suite in TestSuite::every(parts).await {
        let trigger = json!({"type": "time_of_day", "days_before": 1, "at": "09:00",
                             "time_zone": "Europe/Berlin"});

        let task = create(&suite, with(&json!({"trigger": trigger}))).await;

        let reminder = &task["reminders"][0];
        let shown = json!({"type": "time_of_day", "to": "due", "days_before": 1, "at": "09:00",
                           "time_zone": "Europe/Berlin"});
        assert_eq!(reminder["trigger"], shown);
        assert_eq!(reminder["urgent"], false);
        assert_eq!(reminder["nag"], Value::Null);
        assert_eq!(
            reminder["misfire"],
            json!({"policy": "fire_late", "grace": "P1D"})
        );
        assert_eq!(reminder["carry_over"], true);
        assert_eq!(suite.get(&path(&task, ""), StatusCode::OK).await, task);
        suite.run_workers().await;
        suite.finish().await;
    }
}

#[tokio::test]
async fn terms_are_kept_until_a_patch_says_otherwise() {
    let suite = suite().await;
    let insistent = json!({"trigger": {"type": "time_of_day", "at": "18:30"}, "urgent": true,
                           "nag": {"every": "PT15M", "max": 8},
                           "misfire": {"policy": "skip"}, "carry_over": false});
    let task = create(&suite, with(&insistent)).await;
    let shown = &task["reminders"][0];
    assert_eq!(shown["urgent"], true);
    assert_eq!(shown["nag"], json!({"every": "PT15M", "max": 8}));
    assert_eq!(shown["misfire"], json!({"policy": "skip", "grace": "P1D"}));
    assert_eq!(shown["carry_over"], false);

    let calm =
        json!({"reminders": [{"id": shown["id"], "trigger": shown["trigger"], "nag": null}]});
    let task = suite.patch(&path(&task, ""), calm, StatusCode::OK).await;

    let changed = &task["reminders"][0];
    assert_eq!(changed["id"], shown["id"]);
    assert_eq!(
        (&changed["urgent"], &changed["nag"]),
        (&json!(false), &Value::Null)
    );
    let again = json!({"reminders": [{"id": shown["id"], "trigger": shown["trigger"]}]});
    let same = suite.patch(&path(&task, ""), again, StatusCode::OK).await;
    assert_eq!(same["version"], 2);
    suite.finish().await;
}

/// The member into which something is put.
const TRIGGER: &str = "/trigger";

/// Where, what, and what is said about it.
#[rustfmt::skip]
const WRONG: [(&str, &str, &str, &str); 24] = [
    (TRIGGER, r#"{"at":"9:00"}"#, "trigger/at", "invalid_value"),
    (TRIGGER, r#"{"at":"24:00"}"#, "trigger/at", "invalid_value"),
    (TRIGGER, r#"{"at":9}"#, "trigger/at", "invalid_value"),
    (TRIGGER, r#"{"at":null}"#, "trigger/at", "missing"),
    (TRIGGER, r#"{"days_before":367}"#, "trigger/days_before", "out_of_range"),
    (TRIGGER, r#"{"days_before":-1}"#, "trigger/days_before", "wrong_type"),
    (TRIGGER, r#"{"time_zone":"floating"}"#, "trigger/time_zone", "invalid_value"),
    (TRIGGER, r#"{"time_zone":"Mars/Olympus"}"#, "trigger/time_zone", "invalid_value"),
    (TRIGGER, r#"{"to":"start"}"#, "trigger/to", "anchor_missing"),
    (TRIGGER, r#"{"to":"end"}"#, "trigger/to", "invalid_value"),
    (TRIGGER, r#"{"offset":"PT1H"}"#, "trigger/offset", "unknown_field"),
    (TRIGGER, r#"{"type":"location"}"#, "trigger/type", "invalid_value"),
    ("", r#"{"urgent":"yes"}"#, "urgent", "wrong_type"),
    ("", r#"{"nag":{"every":"PT15M"}}"#, "nag/max", "missing"),
    ("", r#"{"nag":{"every":"PT15M","max":0}}"#, "nag/max", "out_of_range"),
    ("", r#"{"nag":{"every":"PT15M","max":101}}"#, "nag/max", "out_of_range"),
    ("", r#"{"nag":{"every":"-PT15M","max":1}}"#, "nag/every", "invalid_value"),
    ("", r#"{"nag":{"every":"PT0S","max":1}}"#, "nag/every", "invalid_value"),
    ("", r#"{"nag":{"every":"P32D","max":1}}"#, "nag/every", "invalid_value"),
    ("", r#"{"nag":{"every":"PT1M","max":1,"x":1}}"#, "nag/x", "unknown_field"),
    ("", r#"{"misfire":{"policy":"retry"}}"#, "misfire/policy", "invalid_value"),
    ("", r#"{"misfire":{"grace":"P367D"}}"#, "misfire/grace", "invalid_value"),
    ("", r#"{"misfire":[]}"#, "misfire", "wrong_type"),
    ("", r#"{"carry_over":1}"#, "carry_over", "wrong_type"),
];

#[tokio::test]
async fn every_wrong_part_of_a_reminder_is_named() {
    let suite = suite().await;
    for (member, wrong, pointer, code) in WRONG {
        let mut reminder = json!({"trigger": {"type": "time_of_day", "at": "09:00"}});
        let wrong: Value = serde_json::from_str(wrong).unwrap();
        let into = reminder.pointer_mut(member).unwrap();
        into.as_object_mut()
            .unwrap()
            .extend(wrong.as_object().unwrap().clone());
        let body = with(&reminder);
        let problem = suite
            .post("/v1/tasks", body, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        let pointer = format!("/reminders/0/{pointer}");
        assert_eq!(errors(&problem), [(pointer.as_str(), code)], "{reminder}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_trigger_has_the_members_of_its_type_and_an_instant() {
    let suite = suite().await;
    let pointer = "/reminders/0/trigger/days_before";
    let relative = json!({"trigger": {"type": "relative", "to": "due", "offset": "-PT1H",
                                      "days_before": 1}});
    let problem = suite
        .post(
            "/v1/tasks",
            with(&relative),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert!(errors(&problem).contains(&(pointer, "unknown_field")));

    let early = json!({"trigger": {"type": "time_of_day", "days_before": 1, "at": "09:00"}});
    let body = json!({"title": "x", "due": {"date": "0001-01-01"}, "reminders": [early]});
    let problem = suite
        .post("/v1/tasks", body, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(errors(&problem), [(pointer, "out_of_range")]);
    suite.finish().await;
}

#[tokio::test]
async fn what_is_carried_over_comes_with_the_next_occurrence() {
    let mut suite = suite().await;
    let reminders = json!([
        {"trigger": {"type": "time_of_day", "days_before": 1, "at": "18:00"}, "urgent": true},
        {"trigger": {"type": "relative", "to": "due", "offset": "-PT5M"}, "carry_over": false},
        {"trigger": {"type": "absolute", "at": {"instant": "2027-01-30T17:00:00Z"}}, "carry_over": true},
        {"trigger": {"type": "absolute", "at": berlin("2027-01-29T12:00")}, "carry_over": true},
        {"trigger": {"type": "absolute", "at": berlin("2027-01-29T13:00")}}]);
    let task = create(
        &suite,
        json!({"title": "Pay rent", "due": berlin("2027-01-31T09:00"),
               "recurrence": {"rrule": "FREQ=MONTHLY;INTERVAL=2"}, "reminders": reminders}),
    )
    .await;
    assert_eq!(task["reminders"].as_array().unwrap().len(), 5);
    suite.run_workers().await;
    let started = suite.published_of("series.started.v1").remove(0);
    let series: event_schema::Series =
        serde_json::from_value(started["data"]["series"].clone()).unwrap();
    let completed = suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;

    let mut due = test_support::fixture::progress(&series)
        .occurrence_due("2027-03-31T09:00", 2)
        .last();
    due["data"]["change"]["previous_slot"] = "2027-01-31T09:00".into();
    suite.deliver([due]).await;

    let next = suite
        .get(&path(&completed["next_occurrence"], ""), StatusCode::OK)
        .await;
    let carried = next["reminders"].as_array().unwrap();
    let triggers: Vec<&Value> = carried.iter().map(|one| &one["trigger"]).collect();
    // The wall shows the same in Berlin, which has changed its clocks in between.
    let moved = berlin("2027-03-29T12:00");
    assert_eq!(triggers.len(), 3);
    assert_eq!(triggers[0], &task["reminders"][0]["trigger"]);
    assert_eq!(carried[0]["urgent"], true);
    assert_eq!(triggers[1]["at"]["instant"], "2027-03-30T16:00:00Z");
    assert_eq!(triggers[2]["at"]["local"], moved["local"]);
    suite.finish().await;
}
