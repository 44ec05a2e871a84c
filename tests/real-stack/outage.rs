//! What a service cannot take now is delivered when it can, however long that takes: nothing goes to
//! Dapr's dead letters, and nobody has to do anything.

use std::time::Duration;

use clock::{Clock, SystemClock};
use event_schema::{App, TaskId, TimeValue, Topic, Trigger, UserId};
use suite_tests::Suite;
use suite_tests::stack::Stack;
use test_support::fixture::task;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Seven attempts, five seconds apart, were all that an event once had.
const MORE_ATTEMPTS_THAN_A_MINUTE_HAS: u64 = 13;
const PATIENCE: Duration = Duration::from_mins(3);

/// Waits until a service has asked for so many retries more.
async fn retried(stack: &Stack, app: App, before: u64, times: u64) {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(200));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let more = stack.retries(app).await - before;
        if more >= times {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the event was tried {more} times and then given up"
        );
    }
}

#[tokio::test]
async fn an_event_outlasts_a_database_that_is_away_for_more_than_a_minute() {
    let stack = Stack::of_environment();
    let clock = SystemClock::new();
    let user = UserId(clock.new_id());
    let suite = Suite::of_user(stack.clone(), user);
    suite.get("/v1/notifications", 200).await;
    let now = clock.now();
    let at = TimeValue::Instant { instant: now };
    let created = task("Water the plants")
        .id(TaskId(clock.new_id()))
        .owner(user)
        .at(now)
        .reminder_by(Trigger::Absolute { at })
        .created();
    let before = stack.retries(App::ReminderScheduler).await;

    stack.kill(&["postgres"]).await;
    stack
        .publish(App::TaskApi, Topic::TaskEvents, &created.last())
        .await;
    retried(
        &stack,
        App::ReminderScheduler,
        before,
        MORE_ATTEMPTS_THAN_A_MINUTE_HAS,
    )
    .await;
    stack.up().await;

    let told = suite
        .eventually("/v1/notifications", |_, page| page["items"].get(0).cloned())
        .await;
    assert_eq!(told["task_id"], created.state().id.to_string());
}

#[tokio::test]
async fn what_happens_while_a_service_is_down_reaches_it_when_it_is_back() {
    let suite = Suite::start().await;
    let stack = Stack::of_environment();
    let at = SystemClock::new().now();
    let remind = serde_json::json!({
        "title": "Water the plants",
        "reminders": [{ "trigger": { "type": "absolute", "at": { "instant": at } } }],
    });
    stack.kill(&["notifier"]).await;

    let task = suite.post("/v1/tasks", &remind, 201).await;
    stack.up().await;

    let told = suite
        .eventually("/v1/notifications", |_, page| page["items"].get(0).cloned())
        .await;
    assert_eq!(told["task_id"], task["id"]);
}
