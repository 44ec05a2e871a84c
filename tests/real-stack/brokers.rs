//! Brokers die one after the other while commands come in. With three of them, each partition has another
//! copy to go on with; a single one leaves everybody waiting until it is back. Either way nothing is lost,
//! nothing happens twice, and each task's events stay in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, SystemClock};
use event_schema::topic::Profile;
use event_schema::{Topic, UserId};
use serde_json::Value;
use suite_tests::Suite;
use suite_tests::load::{Load, assert_each_once, events_of, reminded};
use suite_tests::stack::Stack;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Tasks a second: what production has to stand, and what unoptimized services beside one broker can.
const RATE: [(Profile, u32); 2] = [(Profile::Production, 500), (Profile::Local, 100)];
/// A broker is away for at least so many seconds of answered commands.
const AWAY: u64 = 3;
/// And all are there for as many before the next one dies.
const BETWEEN: u64 = 2;
/// For a broker to have all copies again.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_broker_is_killed_under_load_and_nothing_is_lost_or_doubled() {
    let stack = Stack::of_environment();
    let user = UserId(SystemClock::new().new_id());
    let suite = Arc::new(Suite::of_user(stack.clone(), user));
    let rate = RATE
        .into_iter()
        .find(|(profile, _)| *profile == stack.profile());
    let (_, rate) = rate.unwrap();
    let load = Load::start(&suite, Duration::from_secs(1) / rate);
    for broker in stack.brokers() {
        load.goes_on(BETWEEN * u64::from(rate)).await;
        roll(&stack, &load, &broker, AWAY * u64::from(rate)).await;
    }
    load.goes_on(BETWEEN * u64::from(rate)).await;
    let [_, repeated] = load.seen();
    let numbers = load.stop().await;

    let tasks = suite.all("/v1/tasks").await;
    let titles = numbers.iter().map(u64::to_string).collect();
    assert_each_once(&tasks, "title", &titles);
    let wanted = reminded(&numbers);
    let told = suite.all_of("/v1/notifications", wanted.len()).await;
    assert_each_once(&told, "title", &wanted);
    assert_in_order(&stack, &tasks).await;
    say(&format!(
        "{} tasks and {} notifications, each once; {repeated} commands asked again",
        tasks.len(),
        told.len()
    ));
    tell_delays(&tasks, &told);
}

/// Kills a broker, lets the suite work without it, and has it back with all copies.
async fn roll(stack: &Stack, load: &Load, broker: &str, commands: u64) {
    let ([_, repeated], died) = (load.seen(), Instant::now());
    stack.kill(&[broker]).await;
    load.goes_on(commands).await;
    let away = died.elapsed().as_secs_f64();
    stack.up().await;
    until_copied(stack).await;
    let (back, [_, again]) = (died.elapsed().as_secs_f64(), load.seen());
    let repeated = again - repeated;
    say(&format!(
        "{broker}: away for {away:.1} s, all copies after {back:.1} s, {repeated} commands asked again"
    ));
}

async fn until_copied(stack: &Stack) {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let words = ["--describe", "--under-replicated-partitions"];
        let said = stack.kafka("kafka-topics.sh", "admin", &words, "").await;
        let missing = said.expect_success();
        if missing.trim().is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "copies are missing:\n{missing}");
    }
}

/// What was published of each task is 1, 2, 3, …, whichever topic an event belongs to. Within a topic one
/// may be there again, but comes first in its turn.
async fn assert_in_order(stack: &Stack, tasks: &[Value]) {
    let mut published: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for topic in [Topic::TaskEvents, Topic::TaskUpdateEvents] {
        for (task, sequences) in firsts(stack, topic).await {
            assert!(sequences.is_sorted(), "{task}: {sequences:?} of {topic:?}");
            published.entry(task).or_default().extend(sequences);
        }
    }
    for task in tasks {
        let number: u64 = text(task, "title").parse().unwrap();
        let mut found = published.remove(text(task, "id")).unwrap_or_default();
        found.sort_unstable();
        let count = u64::try_from(events_of(number)).unwrap();
        assert_eq!(found, (1..=count).collect::<Vec<_>>(), "{task}");
    }
}

/// The sequences of each task in a topic, in the order in which each came first.
async fn firsts(stack: &Stack, topic: Topic) -> BTreeMap<String, Vec<u64>> {
    let words = ["--topic", topic.name(), "--from-beginning"];
    let words = [words.as_slice(), &["--timeout-ms", "15000"]].concat();
    let said = stack
        .kafka("kafka-console-consumer.sh", "admin", &words, "")
        .await;
    let mut firsts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for line in said.out.lines() {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue; // Other tests write what is none.
        };
        let sequence = text(&event, "sequence").parse().unwrap();
        let of_task = firsts.entry(text(&event, "subject").to_owned());
        let of_task = of_task.or_default();
        if !of_task.contains(&sequence) {
            of_task.push(sequence);
        }
    }
    firsts
}

/// From a task with a reminder that is due at once to the notification: twice through Kafka.
fn tell_delays(tasks: &[Value], told: &[Value]) {
    let created: BTreeMap<_, _> = tasks
        .iter()
        .map(|task| (text(task, "id"), at(task)))
        .collect();
    let mut moments: Vec<DateTime<Utc>> = told.iter().map(at).collect();
    moments.sort_unstable();
    let delay = |told: &Value| at(told) - created[text(told, "task_id")];
    let mut delays: Vec<TimeDelta> = told.iter().map(delay).collect();
    delays.sort_unstable();
    let share = |part: usize| delays[(delays.len() - 1) * part / 100].as_seconds_f64();
    let pause = moments.windows(2).map(|pair| pair[1] - pair[0]).max();
    say(&format!(
        "command to notification: p50 {:.3} s, p90 {:.3} s, p99 {:.3} s, max {:.3} s; longest pause {:.3} s",
        share(50),
        share(90),
        share(99),
        share(100),
        pause.unwrap_or_default().as_seconds_f64()
    ));
}

fn at(item: &Value) -> DateTime<Utc> {
    text(item, "created_at").parse().unwrap()
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap()
}

#[expect(
    clippy::print_stdout,
    reason = "the figures are what the test is run for"
)]
fn say(line: &str) {
    println!("{line}");
}
