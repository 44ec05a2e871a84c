//! Where a user is: dates, floating times and presets follow.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{OTHER_USER, TestSuite};

use crate::series::occurrences;
use crate::{berlin, create, errors, parts, path, suite};

const PREFERENCES: &str = "/v1/me/preferences";

async fn move_to(suite: &mut TestSuite, zone: Value) -> Value {
    let body = json!({ "time_zone": zone });
    let moved = suite.patch(PREFERENCES, body, StatusCode::OK).await;
    suite.run_workers().await;
    moved
}

fn floating(local: &str) -> Value {
    json!({ "local": local, "time_zone": "floating" })
}

async fn get(suite: &TestSuite, task: &Value) -> Value {
    suite.get(&path(task, ""), StatusCode::OK).await
}

/// The titles of a list.
async fn titles(suite: &TestSuite, query: &str) -> Vec<Value> {
    let page = suite
        .get(&format!("/v1/tasks?{query}"), StatusCode::OK)
        .await;
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["title"].clone()).collect()
}

#[tokio::test]
async fn preferences_are_read_changed_and_cleared() {
    for mut suite in TestSuite::every(parts).await {
        let none = json!({"version": 0, "time_zone": null, "updated_at": null});
        assert_eq!(suite.get(PREFERENCES, StatusCode::OK).await, none);

        let tokyo = move_to(&mut suite, json!("Asia/Tokyo")).await;
        assert_eq!(
            (&tokyo["version"], &tokyo["time_zone"]),
            (&json!(1), &json!("Asia/Tokyo"))
        );
        // That everything followed is no version: what the user holds is not stale by it.
        let read = suite.get(PREFERENCES, StatusCode::OK).await;
        assert_eq!(read, tokyo);
        let same = move_to(&mut suite, json!("Asia/Tokyo")).await;
        assert_eq!(same, tokyo);
        let cleared = move_to(&mut suite, Value::Null).await;
        assert_eq!(cleared["time_zone"], Value::Null);

        for (body, expected) in [
            (
                json!({"time_zone": "Mars/Olympus"}),
                ("/time_zone", "invalid_value"),
            ),
            (
                json!({"time_zone": "floating"}),
                ("/time_zone", "invalid_value"),
            ),
            (json!({"time_zone": 9}), ("/time_zone", "wrong_type")),
            (json!({"zone": "UTC"}), ("/zone", "unknown_field")),
        ] {
            let refused = suite
                .patch(PREFERENCES, body, StatusCode::UNPROCESSABLE_ENTITY)
                .await;
            assert_eq!(errors(&refused), [expected]);
        }
        let stale = suite
            .request(Method::PATCH, PREFERENCES)
            .if_match(1)
            .json(&json!({"time_zone": "UTC"}))
            .send()
            .await
            .expect(StatusCode::PRECONDITION_FAILED);
        assert_eq!(stale.json()["current"]["time_zone"], Value::Null);
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_floats_follows_its_owner_and_the_rest_stays() {
    for mut suite in TestSuite::every(parts).await {
        let reminder = json!([{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]);
        let pills = create(
            &suite,
            json!({"title": "Pills", "due": floating("2026-11-23T08:00"), "reminders": reminder}),
        )
        .await;
        let trash = create(
            &suite,
            json!({"title": "Trash", "due": {"date": "2026-11-22"},
                   "reminders": [{"trigger": {"type": "time_of_day", "to": "due", "days_before": 0, "at": "18:00"}}]}),
        )
        .await;
        let call = create(
            &suite,
            json!({"title": "Call", "due": berlin("2026-11-23T08:00"), "reminders": reminder}),
        )
        .await;
        let done = create(
            &suite,
            json!({"title": "Done", "due": {"date": "2026-11-01"}}),
        )
        .await;
        suite
            .post(&path(&done, "/complete"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(pills["due"]["instant"], "2026-11-23T08:00:00Z");

        // It is 19:00 there, on the same day.
        move_to(&mut suite, json!("Asia/Tokyo")).await;

        let moved = get(&suite, &pills).await;
        assert_eq!(moved["due"]["local"], "2026-11-23T08:00");
        assert_eq!(moved["due"]["instant"], "2026-11-22T23:00:00Z");
        assert_eq!(
            moved["reminders"][0]["next_fire_at"],
            "2026-11-22T22:30:00Z"
        );
        let evening = &get(&suite, &trash).await["reminders"][0];
        assert_eq!(evening["next_fire_at"], "2026-11-22T09:00:00Z");
        assert_eq!(get(&suite, &call).await, call);
        assert_eq!(get(&suite, &done).await["version"], 2);
        let told = suite.published_of("task.updated.v1");
        assert_eq!(told.len(), 2);
        for event in told {
            assert_eq!(event["data"]["change"]["home_zone"]["to"], "Asia/Tokyo");
            assert_eq!(event["data"]["actor"], "service:task-api");
            // What fired before that was no mistake.
            let since = &event["data"]["task"]["reminders"][0]["since"];
            assert_eq!(*since, event["data"]["change"]["updated_at"]);
        }

        // The day of the list is the day there: the call is due at 16:00.
        let today = titles(&suite, "due_from=2026-11-23&due_to=2026-11-23&sort=due").await;
        assert_eq!(today, ["Pills", "Call"]);
        assert_eq!(
            titles(&suite, "due_to=2026-11-22&status=open").await,
            ["Trash"]
        );
        assert_eq!(get(&suite, &trash).await["is_overdue"], false);
        suite.advance(chrono::TimeDelta::hours(5));
        assert_eq!(get(&suite, &trash).await["is_overdue"], true);
        // What is new is read there at once.
        let new = create(
            &suite,
            json!({"title": "New", "due": floating("2026-11-24T08:00")}),
        )
        .await;
        assert_eq!(
            (&new["due"]["instant"], &new["version"]),
            (&json!("2026-11-23T23:00:00Z"), &json!(1))
        );
        // Nothing is left to follow.
        let before = suite.published().len();
        suite.run_workers().await;
        assert_eq!(suite.published().len(), before + 1);
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_begins_to_float_or_opens_again_is_read_where_its_owner_is() {
    for mut suite in TestSuite::every(parts).await {
        let fixed = create(
            &suite,
            json!({"title": "x", "due": berlin("2026-11-23T08:00")}),
        )
        .await;
        let closed = create(
            &suite,
            json!({"title": "y", "due": floating("2026-11-23T08:00")}),
        )
        .await;
        suite
            .post(&path(&closed, "/cancel"), Value::Null, StatusCode::OK)
            .await;
        move_to(&mut suite, json!("America/New_York")).await;
        assert_eq!(
            get(&suite, &closed).await["due"]["instant"],
            "2026-11-23T08:00:00Z"
        );

        let due = json!({"due": floating("2026-11-23T08:00")});
        let floats = suite.patch(&path(&fixed, ""), due, StatusCode::OK).await;
        assert_eq!(floats["due"]["instant"], "2026-11-23T13:00:00Z");
        let open = suite
            .post(&path(&closed, "/reopen"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(open["due"]["instant"], "2026-11-23T13:00:00Z");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_series_follows_and_its_slots_stay() {
    for mut suite in TestSuite::every(parts).await {
        let task = create(
            &suite,
            json!({"title": "Water the plants", "due": {"date": "2026-11-22"},
                   "recurrence": {"rrule": "FREQ=DAILY"}}),
        )
        .await;
        move_to(&mut suite, json!("Pacific/Auckland")).await;
        let changed = suite.published_of("series.changed.v1");
        let change = &changed[0]["data"]["change"]["home_zone"];
        assert_eq!(change["to"], "Pacific/Auckland");

        // It is eleven at night there, and an hour later it is tomorrow.
        let preview = json!({"action": "complete", "at": "2026-11-22T11:30:00Z"});
        let late = suite
            .post(&path(&task, "/preview"), preview, StatusCode::OK)
            .await;
        assert_eq!(late["next_occurrence"]["slot"], "2026-11-24");
        let done = suite
            .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(done["next_occurrence"]["slot"], "2026-11-23");
        let preview = json!({"recurrence": {"rrule": "FREQ=DAILY"}, "limit": 1,
                             "start": floating("2027-01-31T09:00")});
        let preview = suite
            .post("/v1/recurrence/preview", preview, StatusCode::OK)
            .await;
        assert_eq!(preview["occurrences"][0]["instant"], "2027-01-30T20:00:00Z");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_floating_series_ends_with_the_same_slot_wherever_its_owner_is() {
    for mut suite in TestSuite::every(parts).await {
        move_to(&mut suite, json!("Pacific/Kiritimati")).await;
        let first = create(
            &suite,
            json!({"title": "Water the plants", "due": floating("2027-01-31T09:00"),
                   "recurrence": {"rrule": "FREQ=DAILY", "ends": {"until": "2027-02-01T09:00"}}}),
        )
        .await;
        let rrule = &first["recurrence"]["rrule"];
        assert_eq!(rrule, "FREQ=DAILY;UNTIL=20270201T090000");
        suite.run_workers().await;
        let series = json!({ "id": first["series_id"] });
        let slots = ["2027-01-31T09:00 open", "2027-02-01T09:00 upcoming"];
        assert_eq!(occurrences(&suite, &series, 9).await, slots);

        // It is the evening of the first of February there: the last slot is over.
        let evening = json!({"action": "complete", "at": "2027-02-01T05:00:00Z"});
        let preview = path(&first, "/preview");
        let late = suite.post(&preview, evening.clone(), StatusCode::OK).await;
        assert_eq!(late["next_occurrence"], Value::Null);

        // And the evening before in Pago Pago: the last slot is still to come.
        move_to(&mut suite, json!("Pacific/Pago_Pago")).await;
        assert_eq!(occurrences(&suite, &series, 9).await, slots);
        let early = suite.post(&preview, evening, StatusCode::OK).await;
        assert_eq!(early["next_occurrence"]["slot"], "2027-02-01T09:00");
        let done = suite
            .post(&path(&first, "/complete"), Value::Null, StatusCode::OK)
            .await;
        assert_eq!(done["next_occurrence"]["slot"], "2027-02-01T09:00");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_preset_means_the_wall_of_its_user() {
    let mut suite = suite().await;
    move_to(&mut suite, json!("Asia/Tokyo")).await;
    let task = create(
        &suite,
        json!({"title": "x", "reminders": [{"trigger": {"type": "absolute",
               "at": {"instant": "2026-12-01T10:00:00Z"}}}]}),
    )
    .await;
    let id = task["reminders"][0]["id"].as_str().unwrap();
    let snoozed = suite
        .post(
            &format!("/v1/reminders/{id}/snooze"),
            json!({"preset": "tomorrow_morning"}),
            StatusCode::OK,
        )
        .await;
    assert_eq!(snoozed["snoozed_until"], "2026-11-23T00:00:00Z");
    suite.finish().await;
}

#[tokio::test]
async fn users_are_where_they_are() {
    let mut suite = suite().await;
    let mine = create(
        &suite,
        json!({"title": "x", "due": floating("2026-11-23T08:00")}),
    )
    .await;
    let answer = suite
        .request(Method::PATCH, PREFERENCES)
        .user(OTHER_USER)
        .json(&json!({"time_zone": "Asia/Tokyo"}))
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(answer.json()["time_zone"], "Asia/Tokyo");
    suite.run_workers().await;
    assert_eq!(get(&suite, &mine).await, mine);
    let own = suite.get(PREFERENCES, StatusCode::OK).await;
    assert_eq!(own["time_zone"], Value::Null);
    suite.finish().await;
}
