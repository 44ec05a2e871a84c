//! Series as their owners read them.

use event_schema::Series;
use http::StatusCode;
use serde_json::{Value, json};
use test_support::{OTHER_USER, TestSuite, fixture};

use crate::{berlin, create, parts, path, suite};

pub(crate) fn series_path(task: &Value, rest: &str) -> String {
    format!("/v1/series/{}{rest}", task["series_id"].as_str().unwrap())
}

/// The first occurrence of a monthly series.
pub(crate) async fn monthly(suite: &TestSuite) -> Value {
    let body = json!({"title": "Pay rent", "labels": ["home"], "due": berlin("2027-01-31T09:00"),
                      "recurrence": {"rrule": "FREQ=MONTHLY"},
                      "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT30M"}}]});
    create(suite, body).await
}

/// The generator's request for a slot of the series of this task.
pub(crate) async fn occurrence_due(suite: &mut TestSuite, task: &Value, slot: &str, index: u32) {
    suite.run_workers().await;
    let started = suite.published_of("series.started.v1");
    let of_task = |event: &&Value| event["subject"] == task["series_id"];
    let started = started.iter().find(of_task).unwrap();
    let series: Series = serde_json::from_value(started["data"]["series"].clone()).unwrap();
    let mut due = fixture::progress(&series)
        .occurrence_due(slot, index)
        .last();
    due["data"]["change"]["previous_slot"] = task["slot"].clone();
    suite.deliver([due]).await;
}

/// Slot and state of each occurrence of a series.
pub(crate) async fn occurrences(suite: &TestSuite, series: &Value, limit: u16) -> Vec<String> {
    let id = series["id"].as_str().unwrap();
    let list = format!("/v1/series/{id}/occurrences?from=2027-01-01&limit={limit}");
    let page = suite.get(&list, StatusCode::OK).await;
    let text = |item: &Value| {
        let word = |name: &str| item[name].as_str().unwrap().to_owned();
        format!("{} {}", word("slot"), word("state"))
    };
    page["items"].as_array().unwrap().iter().map(text).collect()
}

fn slots(page: &Value) -> Vec<(&str, &str)> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item["slot"].as_str().unwrap(),
                item["state"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_series_is_shown_with_what_its_tasks_start_with() {
    for suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;

        let series = suite.get(&series_path(&task, ""), StatusCode::OK).await;

        assert_eq!(series["id"], task["series_id"]);
        assert_eq!(
            (&series["version"], &series["state"]),
            (&json!(1), &json!("active"))
        );
        assert_eq!(series["recurrence"]["rrule"], task["recurrence"]["rrule"]);
        assert_eq!(series["recurrence"]["generation"], "on_completion");
        assert_eq!(series["start"], task["due"]);
        let template = &series["template"];
        assert_eq!(
            (&template["title"], &template["labels"]),
            (&task["title"], &task["labels"])
        );
        assert_eq!(template["reminders"][0]["trigger"]["offset"], "-PT30M");
        assert_eq!(series["next_slot"], "2027-02-28T09:00");
        assert_eq!(series["created_at"], task["created_at"]);
        let page = suite.get("/v1/series", StatusCode::OK).await;
        assert_eq!(page, json!({"items": [series], "next_cursor": null}));
        suite.finish().await;
    }
}

#[tokio::test]
async fn series_are_listed_page_by_page_by_state() {
    for mut suite in TestSuite::every(parts).await {
        let mut created = Vec::new();
        for _ in 0..3 {
            created.push(monthly(&suite).await["series_id"].clone());
            suite.advance(chrono::TimeDelta::seconds(1));
        }
        let ids = |page: &Value| -> Vec<Value> {
            let items = page["items"].as_array().unwrap().iter();
            items.map(|series| series["id"].clone()).collect()
        };

        let first = suite.get("/v1/series?limit=2", StatusCode::OK).await;
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = format!("/v1/series?limit=2&state=active&cursor={cursor}");
        let second = suite.get(&second, StatusCode::OK).await;

        assert_eq!(ids(&first), created[..2]);
        assert_eq!(
            (ids(&second), &second["next_cursor"]),
            (created[2..].to_vec(), &Value::Null)
        );
        let ended = suite.get("/v1/series?state=ended", StatusCode::OK).await;
        assert_eq!(ids(&ended), [Value::Null; 0]);
        let refused = suite
            .get("/v1/series?state=over", StatusCode::BAD_REQUEST)
            .await;
        assert!(refused.to_string().contains("active, paused or ended"));
        suite.run_workers().await;
        suite.finish().await;
    }
}

#[tokio::test]
async fn occurrences_are_those_with_a_task_and_those_to_come() {
    for mut suite in TestSuite::every(parts).await {
        let task = monthly(&suite).await;
        suite
            .post(&path(&task, "/complete"), Value::Null, StatusCode::OK)
            .await;
        occurrence_due(&mut suite, &task, "2027-02-28T09:00", 2).await;

        let all = series_path(&task, "/occurrences?to=2027-05-31&limit=366");
        let all = suite.get(&all, StatusCode::OK).await;

        let expected = [
            ("2027-01-31T09:00", "completed"),
            ("2027-02-28T09:00", "open"),
            ("2027-03-31T09:00", "upcoming"),
            ("2027-04-30T09:00", "upcoming"),
            ("2027-05-31T09:00", "upcoming"),
        ];
        assert_eq!(slots(&all), expected);
        assert_eq!(all["items"][0]["task_id"], task["id"]);
        let third = &all["items"][2];
        assert_eq!(
            (&third["index"], &third["task_id"]),
            (&json!(3), &Value::Null)
        );
        assert_eq!(third["due"]["instant"], "2027-03-31T07:00:00Z");

        let mut found = Vec::new();
        let mut query = "from=2027-02-01&to=2027-05-31T09:00&limit=1".to_owned();
        loop {
            let page = series_path(&task, &format!("/occurrences?{query}"));
            let page = suite.get(&page, StatusCode::OK).await;
            found.extend(slots(&page).iter().map(|(slot, _)| (*slot).to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            query = format!("from=2027-02-01&to=2027-05-31T09:00&limit=1&cursor={cursor}");
        }
        assert_eq!(
            found,
            expected[1..]
                .iter()
                .map(|(slot, _)| *slot)
                .collect::<Vec<_>>()
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_moved_occurrence_shows_its_due_and_keeps_its_slot() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    let due = json!({"due": berlin("2027-02-02T10:00")});
    suite
        .patch(&path(&task, "?scope=this"), due, StatusCode::OK)
        .await;
    suite
        .delete(&path(&task, "?scope=this"), StatusCode::NO_CONTENT)
        .await;

    let page = series_path(&task, "/occurrences?to=2027-01-31");
    let page = suite.get(&page, StatusCode::OK).await;

    assert_eq!(slots(&page), [("2027-01-31T09:00", "trashed")]);
    assert_eq!(page["items"][0]["due"]["local"], "2027-02-02T10:00");
    suite.finish().await;
}

#[tokio::test]
async fn a_foreign_series_looks_like_an_unknown_one() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    for rest in ["", "/occurrences"] {
        let unknown = "/v1/series/01977777-0000-7000-8000-000000000000".to_owned() + rest;
        let unknown = suite.get(&unknown, StatusCode::NOT_FOUND).await;
        assert_eq!(unknown["detail"], "there is no such series");
        let request = suite.request(http::Method::GET, &series_path(&task, rest));
        let foreign = request.user(OTHER_USER).send().await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    }
    suite.finish().await;
}

#[tokio::test]
async fn a_query_that_cannot_be_read_says_what_to_write() {
    let suite = suite().await;
    let task = monthly(&suite).await;
    for (query, expected) in [
        ("from=tomorrow", "2027-01-31T09:00"),
        ("to=2027-02-30", "2027-01-31T09:00"),
        ("limit=367", "between 1 and 366"),
        ("until=2027-01-31", "until"),
    ] {
        let refused = series_path(&task, &format!("/occurrences?{query}"));
        let refused = suite.get(&refused, StatusCode::BAD_REQUEST).await;
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    suite.finish().await;
}
