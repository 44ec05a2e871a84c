//! `kill -9` at any moment: what was answered is there, and nothing happens twice.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, SystemClock};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::running::{Running, operator, run};

const CREATES: usize = 1200;
const COMPLETES: usize = 800;
const KILLS: usize = 20;
const CLIENTS: usize = 8;
const PATIENCE: Duration = Duration::from_mins(1);

/// A caller who repeats a request under the same key until it is answered.
#[derive(Clone)]
struct Caller {
    client: Client,
    base: Arc<RwLock<String>>,
    answered: mpsc::UnboundedSender<()>,
}

impl Caller {
    async fn post(&self, path: &str, key: &str, body: &Value) -> Value {
        let mut ticks = interval(Duration::from_millis(20));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let url = format!("{}{path}", self.base.read().await);
            let request = self
                .client
                .post(url)
                .header("idempotency-key", key)
                .json(body);
            let Ok(response) = request.send().await else {
                continue;
            };
            let status = response.status().as_u16();
            let Ok(text) = response.text().await else {
                continue;
            };
            match status {
                200 | 201 => {
                    let _ = self.answered.send(());
                    return serde_json::from_str(&text).unwrap();
                }
                503 => {}
                _ => panic!("{path} answered {status} {text}"),
            }
        }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.base.read().await);
        let response = self.client.get(url).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Every item of a collection, page by page.
    async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let (status, page) = self.get(&format!("{path}?limit=200{cursor}")).await;
            assert_eq!(status, 200, "{page}");
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

/// What the callers were answered.
#[derive(Default)]
struct Acknowledged {
    created: HashSet<String>,
    completed: HashSet<String>,
    next: HashSet<String>,
}

/// Creates repeating tasks whose reminder is due at once, and completes some.
async fn drive(caller: Caller, client: usize, remind_at: DateTime<Utc>) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    for number in 0..CREATES / CLIENTS {
        let name = format!("{client}-{number}");
        let task = json!({
            "title": name,
            "due": { "local": "2027-01-31T09:00", "time_zone": "Europe/Berlin" },
            "recurrence": { "rrule": "FREQ=MONTHLY" },
            "reminders": [{ "trigger": { "type": "absolute", "at": { "instant": remind_at } } }],
        });
        let task = caller
            .post("/v1/tasks", &format!("create-{name}"), &task)
            .await;
        let id = task["id"].as_str().unwrap().to_owned();
        acknowledged.created.insert(id.clone());
        if number < COMPLETES / CLIENTS {
            let path = format!("/v1/tasks/{id}/complete");
            let answer = caller
                .post(&path, &format!("complete-{name}"), &json!({}))
                .await;
            let next = answer["next_occurrence"]["id"].as_str().unwrap();
            acknowledged.next.insert(next.to_owned());
            acknowledged.completed.insert(id);
        }
    }
    acknowledged
}

/// Kills the suite after every so many answers and starts it again.
async fn kill_in_the_middle(
    mut suite: Running,
    data_dir: &Path,
    base: &RwLock<String>,
    mut answered: mpsc::UnboundedReceiver<()>,
) -> Running {
    for _ in 0..KILLS {
        for _ in 0..(CREATES + COMPLETES) / (KILLS + 1) {
            answered.recv().await.unwrap();
        }
        suite.kill().await;
        suite = Running::start(data_dir).await;
        base.write().await.clone_from(&suite.base);
    }
    suite
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_during_two_thousand_commands_lose_and_repeat_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let suite = Running::start(directory.path()).await;
    let base = Arc::new(RwLock::new(suite.base.clone()));
    let (sender, answered) = mpsc::unbounded_channel();
    let client = Client::builder()
        .timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let caller = Caller {
        client,
        base: Arc::clone(&base),
        answered: sender,
    };
    let remind_at = SystemClock::new().now() + TimeDelta::milliseconds(500);

    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(drive(caller.clone(), client, remind_at));
    }
    let suite = kill_in_the_middle(suite, directory.path(), &base, answered).await;
    let mut acknowledged = Acknowledged::default();
    for part in clients.join_all().await {
        acknowledged.created.extend(part.created);
        acknowledged.completed.extend(part.completed);
        acknowledged.next.extend(part.next);
    }
    assert_eq!(acknowledged.created.len(), CREATES);
    assert_eq!(acknowledged.next.len(), COMPLETES);

    let expected_tasks = CREATES + COMPLETES;
    let expected_reminded: HashSet<String> = acknowledged
        .created
        .difference(&acknowledged.completed)
        .cloned()
        .collect();
    let (tasks, notifications) = drained(&caller, expected_tasks, &expected_reminded).await;

    check_tasks(&tasks, &acknowledged);
    let mut told = HashMap::<&str, usize>::new();
    for notification in &notifications {
        *told
            .entry(notification["task_id"].as_str().unwrap())
            .or_default() += 1;
    }
    assert!(
        told.values().all(|times| *times == 1),
        "somebody was told twice"
    );
    assert!(told.keys().all(|task| acknowledged.created.contains(*task)));
    suite.kill().await;
    let verified = run(operator(&["ledger", "verify"], directory.path())).await;
    assert_eq!(verified.code, Some(0), "{}", verified.stdout);
}

/// Waits until every occurrence and notification is there; nobody helps.
async fn drained(
    caller: &Caller,
    expected_tasks: usize,
    expected_reminded: &HashSet<String>,
) -> (Vec<Value>, Vec<Value>) {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(200));
    loop {
        ticks.tick().await;
        let tasks = caller.all("/v1/tasks").await;
        let notifications = caller.all("/v1/notifications").await;
        let told: HashSet<&str> = notifications
            .iter()
            .map(|one| one["task_id"].as_str().unwrap())
            .collect();
        let missing = expected_reminded
            .iter()
            .filter(|task| !told.contains(task.as_str()))
            .count();
        if tasks.len() >= expected_tasks && missing == 0 {
            return (tasks, notifications);
        }
        assert!(
            Instant::now() < deadline,
            "{} of {expected_tasks} tasks, {missing} reminders missing",
            tasks.len()
        );
    }
}

fn check_tasks(tasks: &[Value], acknowledged: &Acknowledged) {
    let ids: HashSet<&str> = tasks
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), tasks.len(), "a task is listed twice");
    assert_eq!(
        tasks.len(),
        CREATES + COMPLETES,
        "there are tasks that nobody asked for"
    );
    let slots: HashSet<(&str, &str)> = tasks
        .iter()
        .map(|task| {
            (
                task["series_id"].as_str().unwrap(),
                task["slot"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(slots.len(), tasks.len(), "an occurrence was made twice");
    for task in tasks {
        let id = task["id"].as_str().unwrap();
        let completed = acknowledged.completed.contains(id);
        assert_eq!(task["status"] == "completed", completed, "{task}");
        let known = acknowledged.created.contains(id) || acknowledged.next.contains(id);
        assert!(known, "{task}");
    }
    assert!(acknowledged.next.iter().all(|id| ids.contains(id.as_str())));
}
