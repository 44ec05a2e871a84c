//! What a user sees when the scheduler was down: the services that reminders walk through, each in this
//! process with a clock that the test moves, and nothing between them but the events they publish.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod services;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};
use services::Services;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A task with a reminder at its due.
fn due(title: &str, due: &str, nag: &Value) -> Value {
    json!({ "title": title, "due": { "local": due, "time_zone": "UTC" }, "reminders": [
        { "trigger": { "type": "relative", "to": "due", "offset": "PT0S" }, "nag": nag } ] })
}

/// The only reminder of a task, as its user sees it.
async fn reminder(services: &Services, task: &Value) -> Value {
    let path = format!("/v1/tasks/{}", task["id"].as_str().unwrap());
    let mut task = services.tasks.get(&path, StatusCode::OK).await;
    task["reminders"][0].take()
}

async fn create(services: &Services, body: Value) -> Value {
    let created = services.tasks.post("/v1/tasks", body, StatusCode::CREATED);
    created.await
}

/// The inbox: what each notification is called, sorted.
async fn titles(services: &Services, kind: &str) -> Vec<String> {
    let path = format!("/v1/notifications?type={kind}");
    let page = services.notifier.get(&path, StatusCode::OK).await;
    let items = page["items"].as_array().unwrap().iter();
    let mut titles: Vec<String> = items
        .map(|item| item["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn after_three_days_what_is_recent_fires_once_the_rest_is_summed_up_and_nagging_goes_on() {
    for mut services in Services::every().await {
        let rent = create(&services, due("Pay rent", "2026-11-22T12:00", &Value::Null)).await;
        create(&services, due("Vote", "2026-11-23T09:00", &Value::Null)).await;
        let call = create(
            &services,
            due("Call back", "2026-11-25T08:00", &Value::Null),
        )
        .await;
        let nag = json!({ "every": "PT15M", "max": 8 });
        let pills = create(&services, due("Pills", "2026-11-22T11:00", &nag)).await;
        let ship = create(&services, due("Ship", "2026-11-23T15:00", &Value::Null)).await;
        let walk = create(&services, due("Walk", "2026-11-23T16:00", &Value::Null)).await;
        services.set_now(at("2026-11-22T11:00:00Z"));
        services.settle().await;
        assert_eq!(titles(&services, "reminder.fired").await, ["Pills"]);

        // The scheduler is down, its user is not.
        services.set_now(at("2026-11-23T08:00:00Z"));
        let complete = format!("/v1/tasks/{}/complete", ship["id"].as_str().unwrap());
        services
            .tasks
            .post(&complete, json!({}), StatusCode::OK)
            .await;
        let id = walk["reminders"][0]["id"].as_str().unwrap();
        let dismiss = format!("/v1/reminders/{id}/dismiss");
        services
            .tasks
            .post(&dismiss, json!({}), StatusCode::OK)
            .await;
        services.settle_without_scheduler().await;
        services.set_now(at("2026-11-25T11:00:30Z"));
        services.scheduler.restart().await;
        // Its timers are due before the sidecar delivers.
        services.scheduler.run_workers().await;
        services.settle().await;

        // Within grace: once, and how late.
        let call = reminder(&services, &call).await;
        assert_eq!(
            (&call["state"], &call["fire_count"]),
            (&json!("fired"), &json!(1))
        );
        assert_eq!(call["late_by"], "PT3H30S");
        // Older: missed, and told of once, without what was done or answered meanwhile.
        assert_eq!(reminder(&services, &rent).await["state"], "missed");
        assert_eq!(reminder(&services, &ship).await["state"], "cancelled");
        assert_eq!(reminder(&services, &walk).await["state"], "dismissed");
        let summary = titles(&services, "reminder.missed").await;
        assert_eq!(summary, ["2 reminders were missed while you were away"]);
        let page = services
            .notifier
            .get("/v1/notifications?type=reminder.missed", StatusCode::OK);
        let missed = page.await["items"][0]["missed"].take();
        assert_eq!(missed["first"][0]["title"], "Pay rent");
        assert_eq!(missed["first"][1]["title"], "Vote");
        // Nagging: once for all that passed, and on.
        let fired = ["Call back", "Pills", "Pills"];
        assert_eq!(titles(&services, "reminder.fired").await, fired);
        let nagging = reminder(&services, &pills).await;
        assert_eq!(nagging["fire_count"], 2);
        assert_eq!(nagging["next_fire_at"], "2026-11-25T11:15:00Z");
        services.set_now(at("2026-11-25T11:15:00Z"));
        services.settle().await;
        assert_eq!(reminder(&services, &pills).await["fire_count"], 3);
        assert_eq!(titles(&services, "reminder.fired").await.len(), 4);
        services.finish().await;
    }
}
