//! Commands at a steady rate while something happens, each repeated under its own key until it is answered.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clock::{Clock, SystemClock};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::Suite;

/// More than wait at once while a part restarts for half a minute.
const IN_FLIGHT: usize = 8_192;
/// So many of them ask at once, as a frontend's pool of connections does. The proxy that a container engine
/// has before a published port needs six open files for each connection, and ends when it has no more.
const ASKING: usize = 512;
/// A client that is refused comes again after this.
const PAUSE: Duration = Duration::from_millis(200);
/// A client that hears nothing for so long asks again.
const ANSWER: Duration = Duration::from_secs(10);
/// A command that is not answered by then will not be.
const PATIENCE: Duration = Duration::from_mins(2);
/// One task of so many has a reminder that is due at once: it goes through the broker twice.
const REMINDED: u64 = 10;
/// One of so many is changed, as often as this: its events have an order.
const CHANGED: u64 = 10;
const CHANGES: usize = 3;

/// Commands under way.
#[derive(Debug)]
pub struct Load {
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<Vec<u64>>,
    seen: Arc<Seen>,
}

/// What has happened so far.
#[derive(Debug, Default)]
struct Seen {
    answered: AtomicU64,
    repeated: AtomicU64,
}

impl Load {
    /// Begins to create tasks of this user, titled by their numbers, one after each interval.
    pub fn start(suite: &Arc<Suite>, pace: Duration) -> Self {
        let (stop, stopped) = watch::channel(false);
        let seen = Arc::new(Seen::default());
        let commander = Arc::new(Commander {
            suite: Arc::clone(suite),
            seen: Arc::clone(&seen),
            asking: Semaphore::new(ASKING),
        });
        let running = tokio::spawn(run(commander, pace, stopped));
        Self {
            stop,
            running,
            seen,
        }
    }

    /// How many tasks were answered for, and how many commands had to be asked again.
    pub fn seen(&self) -> [u64; 2] {
        [&self.seen.answered, &self.seen.repeated].map(|count| count.load(Ordering::Relaxed))
    }

    /// Waits until so many more tasks were answered for.
    pub async fn goes_on(&self, more: u64) {
        let (deadline, [begun, _]) = (Instant::now() + PATIENCE, self.seen());
        let mut ticks = interval(Duration::from_millis(20));
        while self.seen()[0] < begun + more {
            ticks.tick().await;
            assert!(!self.running.is_finished(), "a command failed");
            assert!(Instant::now() < deadline, "no command is answered");
        }
    }

    /// Ends it: the numbers of all tasks, each of which was answered for.
    pub async fn stop(self) -> Vec<u64> {
        self.stop.send(true).expect("it runs until it is told");
        self.running.await.expect("no command fails")
    }
}

/// The titles of the tasks of which the user is told.
pub fn reminded(numbers: &[u64]) -> BTreeSet<String> {
    let reminded = numbers.iter().filter(|number| is_reminded(**number));
    reminded.map(u64::to_string).collect()
}

/// How many events a task has.
pub fn events_of(number: u64) -> usize {
    if is_changed(number) { 1 + CHANGES } else { 1 }
}

/// Holds that these items have exactly the wanted values in a field, each once.
pub fn assert_each_once(items: &[Value], field: &str, wanted: &BTreeSet<String>) {
    let text = |item: &Value| item[field].as_str().unwrap_or_default().to_owned();
    let found: BTreeSet<_> = items.iter().map(text).collect();
    let lost: Vec<_> = wanted.difference(&found).collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
    assert_eq!(items.len(), wanted.len(), "some are there twice");
}

fn is_reminded(number: u64) -> bool {
    number.is_multiple_of(REMINDED)
}

fn is_changed(number: u64) -> bool {
    number % CHANGED == CHANGED / 2
}

async fn run(
    commander: Arc<Commander>,
    pace: Duration,
    stopped: watch::Receiver<bool>,
) -> Vec<u64> {
    let room = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut commands = JoinSet::new();
    let (mut number, mut numbers) = (0, Vec::new());
    while !*stopped.borrow() {
        ticks.tick().await;
        // The first that fails ends all: a thousand that say the same are slow to tell it.
        while let Some(done) = commands.try_join_next() {
            numbers.push(done.expect("no command fails"));
        }
        let permit = Arc::clone(&room).acquire_owned().await;
        let permit = permit.expect("nobody closes it");
        let commander = Arc::clone(&commander);
        commands.spawn(async move {
            commander.task(number).await;
            drop(permit);
            number
        });
        number += 1;
    }
    numbers.extend(commands.join_all().await);
    numbers
}

struct Commander {
    suite: Arc<Suite>,
    seen: Arc<Seen>,
    asking: Semaphore,
}

impl Commander {
    /// Creates a task, and changes it when it is one of those.
    async fn task(&self, number: u64) {
        let body = task(number);
        let create = || self.suite.request(Method::POST, "/v1/tasks").json(&body);
        let created = self.answered(&format!("load-{number}"), create).await;
        for turn in 1..events_of(number) {
            let path = format!("/v1/tasks/{}", created["id"].as_str().expect("an id"));
            let body = json!({ "notes": format!("change {turn}") });
            let change = || self.suite.request(Method::PATCH, &path).json(&body);
            self.answered(&format!("load-{number}-{turn}"), change)
                .await;
        }
        self.seen.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// Asks until there is an answer; nothing but an absent service may keep it from that.
    async fn answered(&self, key: &str, request: impl Fn() -> RequestBuilder) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let turn = self.asking.acquire().await.expect("nobody closes it");
            let answer = once(request().header("idempotency-key", key)).await;
            drop(turn);
            if let Some(answer) = answer {
                return answer;
            }
            self.seen.repeated.fetch_add(1, Ordering::Relaxed);
            assert!(Instant::now() < deadline, "{key} is not answered");
        }
    }
}

/// The answer, unless it broke off or asks to come again.
async fn once(request: RequestBuilder) -> Option<Value> {
    let response = timeout(ANSWER, request.send()).await.ok()?.ok()?;
    let status = response.status();
    let later = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::CONFLICT;
    assert!(status.is_success() || later, "{status}");
    if later {
        return None;
    }
    timeout(ANSWER, response.json()).await.ok()?.ok()
}

fn task(number: u64) -> Value {
    let mut task = json!({ "title": number.to_string() });
    if is_reminded(number) {
        let now = SystemClock::new().now();
        task["reminders"] =
            json!([{ "trigger": { "type": "absolute", "at": { "instant": now } } }]);
    }
    task
}
