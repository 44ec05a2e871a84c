//! Listing, counting and reading.

use chrono::TimeDelta;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::fixture::{self, instant};
use test_support::{OTHER_USER, TestSuite};

use super::{suite, text, titles};

/// An inbox with notifications named 1 to `count`, a minute apart.
async fn inbox(count: usize) -> TestSuite {
    let mut suite = suite().await;
    for number in 1..=count {
        let task = fixture::task(&number.to_string()).created();
        let fired = fixture::reminders(task.state()).fired(0, instant("2026-11-22T09:50:00Z"));
        suite.deliver(fired.events()).await;
        suite.advance(TimeDelta::minutes(1));
    }
    suite
}

async fn ids(suite: &TestSuite) -> Vec<String> {
    let page = suite.get("/v1/notifications", StatusCode::OK).await;
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| text(item, "id")).collect()
}

#[tokio::test]
async fn the_inbox_is_read_page_by_page() {
    let suite = inbox(5).await;

    let mut path = "/v1/notifications?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = suite.get(&path, StatusCode::OK).await;
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| text(item, "title")),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/v1/notifications?limit=2&cursor={cursor}");
    }

    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
    suite.finish().await;
}

#[tokio::test]
async fn reading_shows_in_the_list_in_the_counts_and_to_other_services() {
    let mut suite = inbox(2).await;
    let id = &ids(&suite).await[0];

    let read = suite
        .post(
            &format!("/v1/notifications/{id}/read"),
            Value::Null,
            StatusCode::OK,
        )
        .await;

    assert_eq!(read["read_at"], "2026-11-22T10:02:00Z");
    assert_eq!(read["version"], 2);
    let counts = suite.get("/v1/notifications/count", StatusCode::OK).await;
    assert_eq!(counts, json!({ "unread": 1, "total": 2 }));
    let unread = suite
        .get("/v1/notifications?unread=true", StatusCode::OK)
        .await;
    assert_eq!(unread["items"].as_array().unwrap().len(), 1);
    assert_eq!(unread["items"][0]["title"], "1");
    suite.run_workers().await;
    assert_eq!(suite.published_of("notification.read.v1").len(), 1);
    suite.finish().await;
}

#[tokio::test]
async fn reading_again_changes_nothing() {
    let mut suite = inbox(1).await;
    let path = format!("/v1/notifications/{}/read", ids(&suite).await[0]);
    let first = suite
        .request(Method::POST, &path)
        .send()
        .await
        .expect(StatusCode::OK);
    suite.advance(TimeDelta::hours(1));

    let second = suite
        .request(Method::POST, &path)
        .send()
        .await
        .expect(StatusCode::OK);

    assert_eq!(second.json(), first.json());
    assert_eq!(second.version(), 2);
    suite.run_workers().await;
    assert_eq!(suite.published().len(), 2);
    suite.finish().await;
}

#[tokio::test]
async fn a_key_replays_the_answer_and_a_wrong_version_is_refused() {
    let suite = inbox(1).await;
    let path = format!("/v1/notifications/{}/read", ids(&suite).await[0]);
    let read = || suite.request(Method::POST, &path);

    let refused = read().if_match(7).send().await;
    let refused = refused.expect(StatusCode::PRECONDITION_FAILED).json();
    assert_eq!(refused["code"], "version-conflict");
    assert_eq!(refused["current"]["version"], 1);

    let first = read().if_match(1).idempotency_key("k").send().await;
    let again = read().if_match(1).idempotency_key("k").send().await;
    assert_eq!(first.expect(StatusCode::OK).body, again.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    suite.finish().await;
}

#[tokio::test]
async fn one_notification_can_be_read_again_when_it_changed() {
    let suite = inbox(1).await;
    let path = format!("/v1/notifications/{}", ids(&suite).await[0]);

    let found = suite
        .request(Method::GET, &path)
        .send()
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        (found.version(), text(&found.json(), "title").as_str()),
        (1, "1")
    );
    let known = suite
        .request(Method::GET, &path)
        .header("if-none-match", "\"v1\"");
    let _unchanged = known.send().await.expect(StatusCode::NOT_MODIFIED);
    suite.finish().await;
}

#[tokio::test]
async fn filters_name_a_type_and_nothing_else() {
    let suite = inbox(1).await;
    let fired = suite
        .get("/v1/notifications?type=reminder.fired", StatusCode::OK)
        .await;
    assert_eq!(fired["items"].as_array().unwrap().len(), 1);
    let ended = suite
        .get("/v1/notifications?type=series.ended", StatusCode::OK)
        .await;
    assert_eq!(ended["items"], json!([]));
    for query in ["type=x", "unread=perhaps", "cursor=x", "limit=0", "other=1"] {
        let path = format!("/v1/notifications?{query}");
        suite.get(&path, StatusCode::BAD_REQUEST).await;
    }
    suite.finish().await;
}

#[tokio::test]
async fn nobody_sees_or_reads_a_foreign_inbox() {
    let suite = inbox(1).await;
    let id = &ids(&suite).await[0];
    let foreign = format!("/v1/notifications/{id}");
    let unknown = "/v1/notifications/0190a6e0-3c1a-7b52-9d0e-5f2b7a1c0001";

    for (method, end) in [(Method::GET, ""), (Method::POST, "/read")] {
        let mut answers = Vec::new();
        for path in [&foreign, unknown] {
            let request = suite.request(method.clone(), &format!("{path}{end}"));
            let answer = request.user(OTHER_USER).send().await;
            let mut body = answer.expect(StatusCode::NOT_FOUND).json();
            body["instance"].take();
            body["trace_id"].take();
            answers.push(body);
        }
        assert_eq!(answers[0], answers[1]);
    }
    let list = suite
        .request(Method::GET, "/v1/notifications")
        .user(OTHER_USER);
    assert_eq!(list.send().await.json()["items"], json!([]));
    let count = suite
        .request(Method::GET, "/v1/notifications/count")
        .user(OTHER_USER);
    assert_eq!(
        count.send().await.json(),
        json!({ "unread": 0, "total": 0 })
    );
    assert_eq!(titles(&suite).await, ["1"]);
    suite.finish().await;
}

#[tokio::test]
async fn nothing_is_told_to_the_unknown() {
    let suite = inbox(1).await;
    let read = format!("/v1/notifications/{}/read", ids(&suite).await[0]);
    for (method, path) in [
        (Method::GET, "/v1/notifications"),
        (Method::GET, "/v1/notifications/count"),
        (Method::GET, "/v1/notifications/stream"),
        (Method::GET, read.trim_end_matches("/read")),
        (Method::POST, &read),
    ] {
        let answer = suite.request(method, path).anonymous().send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    suite.finish().await;
}
