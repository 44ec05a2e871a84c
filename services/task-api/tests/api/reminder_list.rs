//! What a user will be told, and what became of the rest.

use event_schema::{Actor, Task};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::fixture::{self, RemindersStory, instant};
use test_support::{OTHER_USER, TestSuite, USER};

use crate::{create, errors, parts, path, suite};

/// A task that is told about at instants.
async fn reminded(suite: &TestSuite, title: &str, instants: &[&str]) -> Value {
    let at = |at: &&str| json!({"trigger": {"type": "absolute", "at": {"instant": at}}});
    let reminders: Vec<Value> = instants.iter().map(at).collect();
    create(suite, json!({"title": title, "reminders": reminders})).await
}

/// What the scheduler will say about a task.
fn story(task: &Value) -> RemindersStory {
    let id = task["id"].as_str().unwrap().parse().unwrap();
    let known = Task::new(id, USER, "", Actor::User(USER), fixture::start());
    let reminders = task["reminders"].as_array().unwrap().iter();
    let ids = reminders.map(|reminder| reminder["id"].as_str().unwrap().parse().unwrap());
    fixture::reminders(&known).named(ids.collect())
}

/// Titles and times of a list.
async fn listed(suite: &TestSuite, query: &str) -> Vec<(String, String)> {
    let page = suite
        .get(&format!("/v1/reminders{query}"), StatusCode::OK)
        .await;
    let text = |value: &Value| value.as_str().unwrap_or("never").to_owned();
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| (text(&item["task_title"]), text(&item["next_fire_at"])))
        .collect()
}

fn told(title: &str, at: &str) -> (String, String) {
    (title.to_owned(), at.to_owned())
}

#[tokio::test]
async fn what_is_still_to_be_told_is_listed_in_the_order_of_its_times() {
    for suite in TestSuite::every(parts).await {
        let late = "2026-11-24T09:00:00Z";
        let rent = reminded(&suite, "Rent", &[late, "2026-11-22T11:00:00Z"]).await;
        reminded(&suite, "Call", &["2026-11-23T23:30:00Z"]).await;
        let done = reminded(&suite, "Done", &["2026-11-22T12:00:00Z"]).await;
        let gone = reminded(&suite, "Gone", &["2026-11-22T12:00:00Z"]).await;
        suite
            .post(&path(&done, "/complete"), Value::Null, StatusCode::OK)
            .await;
        suite.delete(&path(&gone, ""), StatusCode::NO_CONTENT).await;
        let snoozed = rent["reminders"][1]["id"].as_str().unwrap();
        let snooze = format!("/v1/reminders/{snoozed}/snooze");
        suite
            .post(&snooze, json!({"for": "PT5H"}), StatusCode::OK)
            .await;

        let call = told("Call", "2026-11-23T23:30:00Z");
        let first = told("Rent", "2026-11-22T15:00:00Z");
        let last = told("Rent", late);
        let all = [first.clone(), call.clone(), last.clone()];
        assert_eq!(listed(&suite, "").await, all);
        assert_eq!(listed(&suite, "?state=snoozed").await, [first]);
        let scheduled = [call.clone(), last.clone()];
        assert_eq!(listed(&suite, "?state=scheduled").await, scheduled);
        assert_eq!(listed(&suite, "?from=2026-11-23").await, scheduled);
        assert_eq!(
            listed(&suite, "?from=2026-11-23&to=2026-11-23").await,
            [call]
        );
        assert_eq!(
            listed(&suite, &format!("?from={late}&to={late}")).await,
            [last]
        );
        suite.finish().await;
    }
}

#[tokio::test]
async fn what_had_its_turn_is_listed_by_what_became_of_it() {
    for mut suite in TestSuite::every(parts).await {
        let (nine, ten) = ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z");
        let rent = reminded(&suite, "Rent", &[nine]).await;
        let call = reminded(&suite, "Call", &[ten]).await;
        let dull = reminded(&suite, "Dull", &[ten]).await;
        suite.set_now(instant("2026-11-23T12:00:00Z"));
        suite
            .deliver(story(&rent).missed(0, instant(nine)).events())
            .await;
        suite
            .deliver(story(&call).fired(0, instant(ten)).events())
            .await;
        let dismiss = dull["reminders"][0]["id"].as_str().unwrap();
        let dismiss = format!("/v1/reminders/{dismiss}/dismiss");
        suite.post(&dismiss, json!({}), StatusCode::OK).await;

        assert!(listed(&suite, "").await.is_empty());
        for (state, title) in [("missed", "Rent"), ("fired", "Call"), ("dismissed", "Dull")] {
            let query = format!("?state={state}");
            assert_eq!(listed(&suite, &query).await, [told(title, "never")]);
        }
        assert!(listed(&suite, "?state=acknowledged").await.is_empty());
        assert!(
            listed(&suite, &format!("?state=missed&from={ten}"))
                .await
                .is_empty()
        );
        suite.delete(&path(&call, ""), StatusCode::NO_CONTENT).await;
        assert!(listed(&suite, "?state=fired").await.is_empty(), "trashed");
        suite.finish().await;
    }
}

#[tokio::test]
async fn pages_meet_without_gap_or_repeat_also_within_one_moment() {
    for suite in TestSuite::every(parts).await {
        let noon = "2026-11-22T12:00:00Z";
        for number in 0..5 {
            reminded(&suite, &format!("Task {number}"), &[noon]).await;
        }
        for list in ["/v1/reminders?", "/v1/reminders?state=scheduled&"] {
            let mut titles = Vec::new();
            let mut next = format!("{list}limit=2");
            loop {
                let page = suite.get(&next, StatusCode::OK).await;
                let items = page["items"].as_array().unwrap();
                titles.extend(items.iter().map(|item| item["task_title"].clone()));
                let Some(cursor) = page["next_cursor"].as_str() else {
                    break;
                };
                next = format!("{list}limit=2&cursor={cursor}");
            }
            titles.sort_by_key(ToString::to_string);
            let all: Vec<_> = (0..5).map(|number| format!("Task {number}")).collect();
            assert_eq!(titles, all);
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_list_holds_nobody_elses_and_says_what_it_cannot_read() {
    let suite = suite().await;
    reminded(&suite, "Rent", &["2026-11-22T12:00:00Z"]).await;

    let request = suite.request(Method::GET, "/v1/reminders").user(OTHER_USER);
    let page = request.send().await.expect(StatusCode::OK).json();
    assert_eq!(page, json!({"items": [], "next_cursor": null}));
    for (query, parameter) in [
        ("state=cancelled", "state"),
        ("state=Fired", "state"),
        ("from=noon", "from"),
        ("to=2026-02-30", "to"),
        ("limit=201", "limit"),
        ("sort=due", "sort"),
    ] {
        let path = format!("/v1/reminders?{query}");
        let problem = suite.get(&path, StatusCode::BAD_REQUEST).await;
        let faults = problem.to_string();
        assert!(faults.contains(parameter), "{query}: {faults}");
    }
    let problem = suite
        .get("/v1/reminders?cursor=x", StatusCode::BAD_REQUEST)
        .await;
    assert!(problem["type"].as_str().unwrap().contains("cursor-invalid"));
    assert!(errors(&problem).is_empty());
    suite.finish().await;
}
