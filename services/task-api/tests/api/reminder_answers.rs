//! What a user says to a reminder, and reminders by themselves.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{OTHER_USER, TestSuite};

use crate::{berlin, create, errors, parts, path, suite};

const NOON: &str = "2026-11-22T12:00:00Z";

/// Due at noon in UTC, with a reminder then; it is ten o'clock.
async fn reminded(suite: &TestSuite) -> (Value, String) {
    let body = json!({"title": "Pay rent", "due": {"local": "2026-11-22T12:00", "time_zone": "UTC"},
                      "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "PT0S"}}]});
    let task = create(suite, body).await;
    let reminder = task["reminders"][0]["id"].as_str().unwrap();
    (task.clone(), format!("/v1/reminders/{reminder}"))
}

async fn say(suite: &TestSuite, reminder: &str, verb: &str, body: Value) -> Value {
    let path = format!("{reminder}/{verb}");
    suite.post(&path, body, StatusCode::OK).await
}

#[tokio::test]
async fn a_snooze_moves_the_reminder_and_not_the_due() {
    for mut suite in TestSuite::every(parts).await {
        let (task, reminder) = reminded(&suite).await;

        let snoozed = say(&suite, &reminder, "snooze", json!({"for": "PT3H"})).await;

        assert_eq!(snoozed["state"], "snoozed");
        assert_eq!(snoozed["snoozed_until"], "2026-11-22T13:00:00Z");
        assert_eq!(snoozed["next_fire_at"], "2026-11-22T13:00:00Z");
        assert_eq!(snoozed["task_id"], task["id"]);
        assert_eq!(snoozed["version"], 2);
        let now = suite.get(&path(&task, ""), StatusCode::OK).await;
        assert_eq!(now["due"], task["due"]);
        assert_eq!(now["reminders"][0]["state"], "snoozed");
        assert_eq!(suite.get(&reminder, StatusCode::OK).await, snoozed);
        let until = json!({"until": "2026-11-22T15:00:00+02:00"});
        assert_eq!(
            say(&suite, &reminder, "snooze", until).await,
            snoozed,
            "no new version"
        );
        suite.run_workers().await;
        let types = ["task.created.v1", "task.reminder-answered.v1"];
        assert_eq!(suite.published_types(), types);
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_preset_is_read_where_the_user_is() {
    let suite = suite().await;
    let (_, reminder) = reminded(&suite).await;
    for (preset, zone, expected) in [
        ("this_evening", None, "2026-11-22T18:00:00Z"),
        (
            "this_evening",
            Some("Europe/Berlin"),
            "2026-11-22T17:00:00Z",
        ),
        (
            "tomorrow_morning",
            Some("America/New_York"),
            "2026-11-23T14:00:00Z",
        ),
        ("next_week", None, "2026-11-23T09:00:00Z"),
    ] {
        let body = json!({"preset": preset, "time_zone": zone});
        let snoozed = say(&suite, &reminder, "snooze", body).await;
        assert_eq!(snoozed["next_fire_at"], expected, "{preset} {zone:?}");
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_snooze_ends_when_the_due_changes_and_when_the_task_is_closed() {
    let suite = suite().await;
    for (verb, body, state) in [
        (
            "",
            json!({"due": {"local": "2026-11-22T12:30", "time_zone": "UTC"}}),
            "scheduled",
        ),
        ("/complete", Value::Null, "cancelled"),
        ("/cancel", Value::Null, "cancelled"),
    ] {
        let (task, reminder) = reminded(&suite).await;
        say(&suite, &reminder, "snooze", json!({"for": "PT3H"})).await;
        let path_of = path(&task, verb);
        if verb.is_empty() {
            suite.patch(&path_of, body, StatusCode::OK).await;
        } else {
            suite.post(&path_of, body, StatusCode::OK).await;
        }
        let after = suite.get(&reminder, StatusCode::OK).await;
        assert_eq!(after["state"], state, "{verb}");
        assert_eq!(after["snoozed_until"], Value::Null);
        if verb == "/complete" {
            suite
                .post(&path(&task, "/reopen"), Value::Null, StatusCode::OK)
                .await;
            let again = suite.get(&reminder, StatusCode::OK).await;
            assert_eq!(again["next_fire_at"], NOON);
        }
    }
    let (task, reminder) = reminded(&suite).await;
    say(&suite, &reminder, "snooze", json!({"for": "PT3H"})).await;
    suite.delete(&path(&task, ""), StatusCode::NO_CONTENT).await;
    assert_eq!(
        suite.get(&reminder, StatusCode::OK).await["state"],
        "cancelled"
    );
    suite.finish().await;
}

#[tokio::test]
async fn dismissing_holds_until_the_reminder_has_another_time() {
    let suite = suite().await;
    let (task, reminder) = reminded(&suite).await;
    let dismissed = say(&suite, &reminder, "dismiss", json!({})).await;
    assert_eq!(
        (&dismissed["state"], &dismissed["next_fire_at"]),
        (&json!("dismissed"), &Value::Null)
    );
    assert_eq!(
        say(&suite, &reminder, "dismiss", json!({})).await,
        dismissed
    );

    suite
        .patch(
            &path(&task, ""),
            json!({"title": "Pay the rent"}),
            StatusCode::OK,
        )
        .await;
    assert_eq!(
        suite.get(&reminder, StatusCode::OK).await["state"],
        "dismissed"
    );
    let moved = json!({"due": {"local": "2026-11-22T11:00", "time_zone": "UTC"}});
    suite.patch(&path(&task, ""), moved, StatusCode::OK).await;
    let again = suite.get(&reminder, StatusCode::OK).await;
    assert_eq!(again["state"], "scheduled");
    assert_eq!(again["next_fire_at"], "2026-11-22T11:00:00Z");
    suite.finish().await;
}

#[tokio::test]
async fn only_what_was_told_can_be_acknowledged() {
    let suite = suite().await;
    let (_, reminder) = reminded(&suite).await;
    let acknowledge = format!("{reminder}/acknowledge");
    let early = suite
        .post(&acknowledge, json!({}), StatusCode::CONFLICT)
        .await;
    assert_eq!(early["code"], "illegal-transition");

    // It has fired, although that is not known here yet.
    suite.set_now(NOON.parse().unwrap());
    let known = say(&suite, &reminder, "acknowledge", json!({})).await;
    assert_eq!(known["state"], "acknowledged");
    assert_eq!(known["next_fire_at"], Value::Null);
    suite.finish().await;
}

#[tokio::test]
async fn a_snooze_says_until_when_in_one_way() {
    let suite = suite().await;
    let (task, reminder) = reminded(&suite).await;
    let snooze = format!("{reminder}/snooze");
    for (body, pointer, code) in [
        (json!({}), "", "invalid_value"),
        (
            json!({"for": "PT1H", "preset": "next_week"}),
            "",
            "invalid_value",
        ),
        (json!({"for": "PT0S"}), "/for", "invalid_value"),
        (json!({"for": "P367D"}), "/for", "invalid_value"),
        (json!({"for": 60}), "/for", "wrong_type"),
        (
            json!({"until": "2026-11-22T10:00:00Z"}),
            "/until",
            "in_the_past",
        ),
        (
            json!({"until": "2030-11-22T10:00:00Z"}),
            "/until",
            "out_of_range",
        ),
        (json!({"until": "noon"}), "/until", "invalid_value"),
        (json!({"preset": "never"}), "/preset", "invalid_value"),
        (
            json!({"preset": "this_evening", "time_zone": "Asia/Tokyo"}),
            "/preset",
            "in_the_past",
        ),
        (
            json!({"preset": "next_week", "time_zone": "Mars"}),
            "/time_zone",
            "invalid_value",
        ),
    ] {
        let problem = suite
            .post(&snooze, body.clone(), StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert!(
            errors(&problem).contains(&(pointer, code)),
            "{body} {problem}"
        );
    }
    suite
        .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
        .await;
    suite
        .post(&snooze, json!({"for": "PT1H"}), StatusCode::CONFLICT)
        .await;
    suite.finish().await;
}

#[tokio::test]
async fn reminders_are_added_changed_and_removed_by_themselves() {
    for mut suite in TestSuite::every(parts).await {
        let (task, _) = reminded(&suite).await;
        let all = path(&task, "/reminders");
        let day = json!({"trigger": {"type": "time_of_day", "at": "09:00"}, "urgent": true});

        let added = suite.request(Method::POST, &all).json(&day).send().await;
        let added = added.expect(StatusCode::CREATED);
        let location = added.header("location").to_owned();
        assert_eq!(added.version(), 2);
        let listed = suite.get(&all, StatusCode::OK).await;
        assert_eq!(listed["items"][1], added.json());
        assert_eq!(suite.get(&location, StatusCode::OK).await, added.json());

        let same = suite
            .post(&all, day, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(errors(&same), [("/trigger", "duplicate")]);
        let start = json!({"trigger": {"type": "time_of_day", "to": "start", "at": "09:00"}});
        let problem = suite
            .post(&all, start, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(errors(&problem), [("/trigger/to", "anchor_missing")]);

        let nag = json!({"nag": {"every": "PT15M", "max": 2}});
        let changed = suite.patch(&location, nag, StatusCode::OK).await;
        assert_eq!(changed["nag"]["max"], 2);
        assert_eq!(changed["urgent"], true);
        let kept = suite
            .patch(&location, json!({"urgent": null}), StatusCode::OK)
            .await;
        assert_eq!(
            (&kept["urgent"], &kept["nag"]["max"]),
            (&json!(false), &json!(2))
        );
        let none = json!({"trigger": null});
        let problem = suite
            .patch(&location, none, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(errors(&problem), [("/trigger", "missing")]);

        let remove = || {
            suite
                .request(Method::DELETE, &location)
                .idempotency_key("gone")
                .send()
        };
        assert_eq!(remove().await.status, StatusCode::NO_CONTENT);
        assert_eq!(
            remove().await.status,
            StatusCode::NO_CONTENT,
            "the answer of then"
        );
        suite.get(&location, StatusCode::NOT_FOUND).await;
        suite.delete(&location, StatusCode::NOT_FOUND).await;
        assert_eq!(
            suite.get(&all, StatusCode::OK).await["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        suite.run_workers().await;
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_foreign_reminder_is_answered_like_an_unknown_one() {
    let suite = suite().await;
    let (_, reminder) = reminded(&suite).await;
    let unknown = "/v1/reminders/0198c0de-0000-7000-8000-00000000dead";
    for (method, command) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/snooze"),
        (Method::POST, "/dismiss"),
        (Method::POST, "/acknowledge"),
    ] {
        let ask = async |path: &str| {
            let request = suite.request(method.clone(), &format!("{path}{command}"));
            let request = request.user(OTHER_USER);
            let request = match command {
                "/snooze" => request.json(&json!({"for": "PT1H"})),
                _ if method == Method::PATCH => request.json(&json!({"urgent": true})),
                _ => request,
            };
            let mut problem = request.send().await.expect(StatusCode::NOT_FOUND).json();
            for name in ["instance", "trace_id"] {
                problem.as_object_mut().unwrap().remove(name);
            }
            problem
        };
        assert_eq!(
            ask(&reminder).await,
            ask(unknown).await,
            "{method} {command}"
        );
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_task_has_twenty_reminders_at_most() {
    let suite = suite().await;
    let minutes = |from: usize, to: usize| {
        let one =
            |minute| json!({"trigger": {"type": "time_of_day", "at": format!("09:{minute:02}")}});
        (from..to).map(one).collect::<Vec<_>>()
    };
    let task = create(
        &suite,
        json!({"title": "x", "due": berlin("2027-01-31T09:00"), "reminders": minutes(0, 20)}),
    )
    .await;
    let more = minutes(20, 21).remove(0);
    let problem = suite
        .post(
            &path(&task, "/reminders"),
            more,
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    assert_eq!(errors(&problem), [("", "too_many")]);
    suite.finish().await;
}
