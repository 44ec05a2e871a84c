//! Rows that are not what this code makes of the log are made anew at the start.

use database::{on, sqlx};
use http::StatusCode;
use serde_json::{Value, json};
use test_support::TestSuite;

use crate::{berlin, create, parts, path};

async fn run(suite: &TestSuite, statement: &'static str) {
    let mut tx = suite.ledger().database().begin().await.unwrap();
    let done = on!(&mut tx, conn => sqlx::query(statement).execute(conn).await.map(drop));
    done.unwrap();
    tx.commit().await.unwrap();
}

async fn pay_rent(suite: &TestSuite) -> Value {
    let body = json!({
        "title": "Pay rent", "due": berlin("2027-01-31T09:00"),
        "reminders": [{"trigger": {"type": "relative", "to": "due", "offset": "-PT10M"}}],
    });
    create(suite, body).await
}

/// What the list says that is told next.
async fn next(suite: &TestSuite) -> Value {
    let listed = suite.get("/v1/reminders", StatusCode::OK).await;
    listed["items"].clone()
}

#[tokio::test]
async fn rows_follow_the_zone_rules_of_today_and_are_read_meanwhile() {
    for mut suite in TestSuite::every(parts).await {
        pay_rent(&suite).await;
        let right = next(&suite).await;
        // Older rules had Berlin elsewhere.
        run(&suite, "update projection set rules = '2020a'").await;
        run(&suite, "update tasks set due_at = created_at").await;
        run(&suite, "update reminders set next_at = null").await;
        suite.restart().await;

        let due = "/v1/tasks?due_from=2027-01-31";
        assert_eq!(next(&suite).await, json!([]), "as the older rules had it");
        assert_eq!(suite.get(due, StatusCode::OK).await["items"], json!([]));

        suite.run_workers().await;
        assert_eq!(next(&suite).await, right);
        let listed = suite.get(due, StatusCode::OK).await;
        assert_eq!(listed["items"][0]["title"], "Pay rent");
        suite.finish().await;
    }
}

#[tokio::test]
async fn a_new_table_of_an_old_ledger_is_not_read_before_it_is_filled() {
    for mut suite in TestSuite::every(parts).await {
        let task = pay_rent(&suite).await;
        let right = next(&suite).await;
        run(&suite, "delete from reminders").await;
        run(&suite, "delete from projection where name = 'reminders'").await;
        suite.restart().await;

        let refused = suite
            .get("/v1/reminders", StatusCode::SERVICE_UNAVAILABLE)
            .await;
        assert_eq!(refused["code"], "projection-rebuilding");
        // Everything else goes on.
        suite.get("/v1/tasks", StatusCode::OK).await;
        suite.get(&path(&task, ""), StatusCode::OK).await;

        suite.run_workers().await;
        assert_eq!(next(&suite).await, right);
        suite.finish().await;
    }
}
