//! Each container restarts in turn while commands come in.

use std::sync::Arc;
use std::time::Duration;

use suite_tests::Suite;
use suite_tests::gateway::Gateway;
use suite_tests::load::{Load, assert_each_once, events_of, reminded};
use tokio::time::Instant;

/// Between two commands: 200 a second.
const PACE: Duration = Duration::from_millis(5);
/// The history of one task of so many is looked at.
const LOOKED_AT: usize = 101;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_container_restarts_under_load_and_nothing_is_lost_or_doubled() {
    let gateway = Gateway::of_environment();
    let suite = Arc::new(Suite::start().await);
    let load = Load::start(&suite, PACE);
    load.goes_on(200).await;
    say("container                       healthy after   answered   repeated");
    for service in &gateway.services {
        restart(&gateway, &load, service).await;
    }
    let numbers = load.stop().await;
    say(&format!("{} tasks, each answered", numbers.len()));

    let tasks = suite.all("/v1/tasks").await;
    assert_each_once(
        &tasks,
        "title",
        &numbers.iter().map(u64::to_string).collect(),
    );
    for number in numbers.iter().step_by(LOOKED_AT) {
        let title = number.to_string();
        let task = tasks.iter().find(|task| task["title"] == title.as_str());
        let id = task
            .and_then(|task| task["id"].as_str())
            .unwrap_or_default();
        let history = suite.all(&format!("/v1/tasks/{id}/history")).await;
        assert_eq!(history.len(), events_of(*number), "{history:#?}");
    }
    let wanted = reminded(&numbers);
    let told = suite.all_of("/v1/notifications", wanted.len()).await;
    assert_each_once(&told, "title", &wanted);
    say(&format!(
        "{} tasks and {} notifications, each once",
        tasks.len(),
        told.len()
    ));
}

async fn restart(gateway: &Gateway, load: &Load, service: &str) {
    let ([answered, repeated], began) = (load.seen(), Instant::now());
    gateway.restart(&[service]).await;
    let took = began.elapsed().as_secs_f64();
    let [now, again] = load.seen();
    let (answered, repeated) = (now - answered, again - repeated);
    say(&format!(
        "{service:<30} {took:>12.1} s {answered:>10} {repeated:>10}"
    ));
    // The next one restarts while the suite works, not while it recovers.
    load.goes_on(200).await;
}

#[expect(clippy::print_stdout, reason = "the table is what the test is run for")]
fn say(line: &str) {
    println!("{line}");
}
