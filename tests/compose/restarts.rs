//! Each container restarts in turn while commands come in.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clock::{Clock, SystemClock};
use event_schema::UserId;
use reqwest::Client;
use serde_json::Value;
use suite_tests::gateway::Gateway;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::load::{self, Load, REMINDED};

/// For what is still on its way when the last command is answered.
const PATIENCE: Duration = Duration::from_mins(3);
/// The history of one task of so many is looked at.
const LOOKED_AT: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_container_restarts_under_load_and_nothing_is_lost_or_doubled() {
    let gateway = Gateway::of_environment();
    let user = gateway.bearer(UserId(SystemClock::new().new_id()));
    let load = Load::start(&gateway, &user);
    until_answered(&load, 200).await;
    say("container                       healthy after   answered   repeated");
    for service in &gateway.services {
        restart(&gateway, &load, service).await;
    }
    let numbers = load.stop().await;
    say(&format!("{} commands, each answered", numbers.len()));

    let reader = Reader {
        client: load::client(),
        base: gateway.base,
        user,
    };
    let tasks = reader.all("/v1/tasks").await;
    let created = numbers.iter().map(u64::to_string).collect();
    assert_each_once(&tasks, "title", &created);
    for task in tasks.iter().step_by(LOOKED_AT) {
        let path = format!("/v1/tasks/{}/history", text(task, "id"));
        assert_eq!(reader.all(&path).await.len(), 1, "{task}");
    }
    let reminded = numbers
        .iter()
        .filter(|number| number.is_multiple_of(REMINDED));
    let reminded: BTreeSet<_> = reminded.map(u64::to_string).collect();
    let told = reader.eventually("/v1/notifications", reminded.len()).await;
    assert_each_once(&told, "title", &reminded);
    say(&format!(
        "{} tasks and {} notifications, each once",
        tasks.len(),
        told.len()
    ));
}

async fn restart(gateway: &Gateway, load: &Load, service: &str) {
    let seen = || {
        let counts = [&load.seen.answered, &load.seen.repeated];
        counts.map(|count| count.load(Ordering::Relaxed))
    };
    let ([answered, repeated], began) = (seen(), Instant::now());
    gateway.restart(&[service]).await;
    let took = began.elapsed().as_secs_f64();
    let [now, again] = seen();
    let (answered_now, repeated_now) = (now - answered, again - repeated);
    say(&format!(
        "{service:<30} {took:>12.1} s {answered_now:>10} {repeated_now:>10}"
    ));
    // The next one restarts while the suite works, not while it recovers.
    until_answered(load, now + 200).await;
}

async fn until_answered(load: &Load, count: u64) {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(20));
    while load.seen.answered.load(Ordering::Relaxed) < count {
        ticks.tick().await;
        assert!(Instant::now() < deadline, "no command is answered");
    }
}

fn assert_each_once(items: &[Value], field: &str, wanted: &BTreeSet<String>) {
    let found: BTreeSet<_> = items.iter().map(|item| text(item, field)).collect();
    let lost: Vec<_> = wanted
        .iter()
        .filter(|one| !found.contains(one.as_str()))
        .collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    assert_eq!(items.len(), wanted.len(), "some are there twice");
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap()
}

struct Reader {
    client: Client,
    base: String,
    user: String,
}

impl Reader {
    /// Every item of all pages.
    async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let url = format!("{}{path}?limit=100{after}", self.base);
            let request = self.client.get(url).header("authorization", &self.user);
            let mut page = suite_tests::answer(request, 200).await;
            items.append(page["items"].as_array_mut().unwrap());
            match page["next_cursor"].take() {
                Value::String(next) => cursor = Some(next),
                _ => return items,
            }
        }
    }

    /// The items of all pages, as soon as there are so many.
    async fn eventually(&self, path: &str, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let items = self.all(path).await;
            if items.len() >= count {
                return items;
            }
            let there = items.len();
            assert!(Instant::now() < deadline, "{there} of {count} at {path}");
        }
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the test is run for")]
fn say(line: &str) {
    println!("{line}");
}
