//! What is missing or wrong around a service: it says which and what to do, takes commands all the same,
//! keeps everything, and goes on by itself when it is mended.

mod certificate;
mod component;
mod password;

use std::time::Duration;

use clock::{Clock, SystemClock};
use serde_json::{Value, json};
use suite_tests::Suite;
use suite_tests::stack::Stack;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Longer than the longest wait of a relay, and than a broker and a consumer need to find each other again.
const PATIENCE: Duration = Duration::from_mins(3);

struct Scene {
    stack: Stack,
    suite: Suite,
}

impl Scene {
    async fn start() -> Self {
        Self {
            stack: Stack::of_environment(),
            suite: Suite::start().await,
        }
    }

    /// A command whose event has a long way to go: to the scheduler and from there to the notifier.
    async fn remind(&self) -> Value {
        let now = SystemClock::new().now();
        let task = json!({
            "title": "Water the plants",
            "reminders": [{ "trigger": { "type": "absolute", "at": { "instant": now } } }],
        });
        self.suite.post("/v1/tasks", &task, 201).await
    }

    /// Where the log of each part ends now.
    fn ends<const N: usize>(&self, parts: [&str; N]) -> [usize; N] {
        parts.map(|part| self.stack.log(part).len())
    }

    /// Waits until a part has said all of this in one line after what it had said before.
    async fn says(&self, part: &str, before: usize, words: &[&str]) {
        let said = async || {
            let log = self.stack.log(part);
            let mut lines = log[before..].lines();
            lines.any(|line| words.iter().all(|word| line.contains(word)))
        };
        until(&format!("{part} to say {words:?}"), said).await;
    }

    async fn told(&self, task: &Value) {
        let told = async || {
            let request = self
                .suite
                .request(reqwest::Method::GET, "/v1/notifications");
            let page = suite_tests::answer(request, 200).await;
            page["items"][0]["task_id"] == task["id"]
        };
        until("the notification", told).await;
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if is_so().await {
            return;
        }
        assert!(Instant::now() < deadline, "still waiting for {what}");
    }
}

#[tokio::test]
async fn a_sidecar_that_is_not_there() {
    let scene = Scene::start().await;
    let before = scene.stack.log("task-api").len();
    scene.stack.kill(&["task-api-dapr"]).await;

    let task = scene.remind().await;
    let words = ["no answer from the sidecar", "is daprd running"];
    scene.says("task-api", before, &words).await;

    scene.stack.up().await;
    scene.told(&task).await;
}

#[tokio::test]
async fn a_right_that_is_missing_at_the_broker() {
    let scene = Scene::start().await;
    let before = scene.stack.log("task-api").len();
    let words = [
        "--remove",
        "--force",
        "--allow-principal",
        "User:task-api",
        "--operation",
        "Write",
        "--topic",
        "task-events",
    ];
    let said = scene
        .stack
        .kafka("kafka-acls.sh", "admin", &words, "")
        .await;
    said.expect_success();

    let task = scene.remind().await;
    let words = ["not authorized to access this topic", "create-topics.sh"];
    scene.says("task-api", before, &words).await;

    scene.stack.make_topics().await;
    scene.told(&task).await;
}

#[tokio::test]
async fn a_topic_that_is_missing() {
    let scene = Scene::start().await;
    // A sidecar that had the topic does not find another of its name: see docs/kafka.md.
    scene.stack.kill(&["notifier-dapr"]).await;
    let before = scene.stack.log("reminder-scheduler").len();
    let words = ["--delete", "--topic", "reminder-events"];
    let said = scene
        .stack
        .kafka("kafka-topics.sh", "admin", &words, "")
        .await;
    said.expect_success();
    scene.stack.up().await;

    let task = scene.remind().await;
    let words = ["topic or partition that does not exist", "create-topics.sh"];
    scene.says("reminder-scheduler", before, &words).await;

    scene.stack.make_topics().await;
    scene.told(&task).await;
}
