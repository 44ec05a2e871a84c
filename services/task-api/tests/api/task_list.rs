//! Lists of tasks.

use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, create, parts, path};

fn titles(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Six tasks in the order of their dues, two of them without one.
async fn six(suite: &TestSuite) -> Vec<Value> {
    let mut tasks = Vec::new();
    for (title, due, labels) in [
        ("c", berlin("2027-01-31T09:00"), json!(["home"])),
        ("e", Value::Null, json!([])),
        ("a", json!({"date": "2027-01-30"}), json!(["home", "money"])),
        (
            "d",
            json!({"local": "2027-01-31T08:30", "time_zone": "floating"}),
            json!([]),
        ),
        ("f", Value::Null, json!(["money"])),
        ("b", json!({"date": "2027-01-31"}), json!([])),
    ] {
        tasks.push(create(suite, json!({"title": title, "due": due, "labels": labels})).await);
        suite.advance(chrono::TimeDelta::seconds(1));
    }
    tasks
}

#[tokio::test]
async fn a_list_has_its_order_and_its_filters() {
    for suite in TestSuite::every(parts).await {
        let tasks = six(&suite).await;
        suite
            .delete(&path(&tasks[1], ""), StatusCode::NO_CONTENT)
            .await;
        suite
            .post(&path(&tasks[0], "/complete"), Value::Null, StatusCode::OK)
            .await;
        let child =
            json!({"title": "child", "parent_id": tasks[5]["id"], "due": {"date": "2030-01-01"}});
        create(&suite, child).await;
        let parent = format!("parent_id={}", tasks[5]["id"].as_str().unwrap());

        for (query, expected) in [
            ("", "c a d f b child"),
            ("sort=-created_at", "child b f d a c"),
            ("sort=due", "a b c d child f"),
            ("sort=-due", "child d c b a f"),
            ("status=open&sort=due", "a b d child f"),
            ("status=completed", "c"),
            ("status=skipped", ""),
            ("status=trashed", "e"),
            ("label=home&sort=due", "a c"),
            ("label=nothing", ""),
            (&parent, "child"),
            ("due_from=2027-01-31&sort=due", "b c d child"),
            ("due_to=2027-01-31&sort=due", "a b c d"),
            ("due_from=2027-01-31&due_to=2027-01-31&sort=-due", "d c b"),
            (
                "due_from=2027-01-31T08:00:00Z&due_to=2027-01-31T08:00:00Z",
                "c",
            ),
            ("due_from=2031-01-01", ""),
        ] {
            let page = suite
                .get(&format!("/v1/tasks?{query}"), StatusCode::OK)
                .await;
            assert_eq!(titles(&page).join(" "), expected, "{query}");
            assert_eq!(page["next_cursor"], Value::Null);
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn pages_give_every_task_once() {
    for suite in TestSuite::every(parts).await {
        six(&suite).await;
        for (sort, expected) in [
            ("due", "a b c d e f"),
            ("-due", "d c b a f e"),
            ("created_at", "c e a d f b"),
            ("-created_at", "b f d a e c"),
        ] {
            for limit in 1..=6 {
                let mut all = Vec::new();
                let mut cursor = String::new();
                loop {
                    let path = format!("/v1/tasks?sort={sort}&limit={limit}{cursor}");
                    let page = suite.get(&path, StatusCode::OK).await;
                    assert!(titles(&page).len() <= limit);
                    all.extend(titles(&page));
                    match &page["next_cursor"] {
                        Value::String(next) => cursor = format!("&cursor={next}"),
                        _ => break,
                    }
                }
                assert_eq!(all.join(" "), expected, "{sort} {limit}");
            }
        }
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order() {
    let suite = crate::suite().await;
    six(&suite).await;
    let page = suite
        .get("/v1/tasks?sort=due&limit=1", StatusCode::OK)
        .await;
    let cursor = page["next_cursor"].as_str().unwrap();

    let path = format!("/v1/tasks?sort=-due&limit=1&cursor={cursor}");
    let problem = suite.get(&path, StatusCode::BAD_REQUEST).await;

    assert_eq!(problem["code"], "cursor-invalid");
    suite.finish().await;
}

#[tokio::test]
async fn a_list_shows_what_a_task_shows() {
    let suite = crate::suite().await;
    let task = create(&suite, json!({"title": "x", "due": {"date": "9999-12-31"}})).await;
    let page = suite.get("/v1/tasks?sort=due", StatusCode::OK).await;
    assert_eq!(page["items"], json!([task]));
    suite.finish().await;
}
