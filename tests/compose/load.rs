//! Commands at a steady rate, each repeated under its own key until it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clock::{Clock, SystemClock};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use suite_tests::gateway::Gateway;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Between two commands: 200 a second.
const PACE: Duration = Duration::from_millis(5);
/// More than wait at once while a container restarts for half a minute.
const IN_FLIGHT: usize = 8_192;
/// A client that is refused comes again after this.
const PAUSE: Duration = Duration::from_millis(200);
/// A command that is not answered by then will not be.
const PATIENCE: Duration = Duration::from_mins(2);
/// One task of so many has a reminder that is due at once: it goes through Kafka twice.
pub(crate) const REMINDED: u64 = 10;

/// Commands under way.
pub(crate) struct Load {
    stop: watch::Sender<bool>,
    running: tokio::task::JoinHandle<Vec<u64>>,
    pub(crate) seen: Arc<Seen>,
}

/// What has happened so far.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) answered: AtomicU64,
    pub(crate) repeated: AtomicU64,
}

impl Load {
    /// Begins to create tasks, named after their numbers.
    pub(crate) fn start(gateway: &Gateway, user: &str) -> Self {
        let (stop, stopped) = watch::channel(false);
        let seen = Arc::new(Seen::default());
        let client = Arc::new(Commander {
            client: client(),
            url: format!("{}/v1/tasks", gateway.base),
            user: user.to_owned(),
            seen: Arc::clone(&seen),
        });
        let running = tokio::spawn(run(client, stopped));
        Self {
            stop,
            running,
            seen,
        }
    }

    /// Ends it: the numbers of all commands, each of which was answered.
    pub(crate) async fn stop(self) -> Vec<u64> {
        self.stop.send(true).unwrap();
        self.running.await.unwrap()
    }
}

/// Waits for an answer, and not for ever.
pub(crate) fn client() -> Client {
    let patient = Client::builder().timeout(Duration::from_secs(10));
    patient.build().unwrap()
}

async fn run(client: Arc<Commander>, stopped: watch::Receiver<bool>) -> Vec<u64> {
    let room = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut commands = JoinSet::new();
    let mut number = 0;
    while !*stopped.borrow() {
        ticks.tick().await;
        let permit = Arc::clone(&room).acquire_owned().await.unwrap();
        let client = Arc::clone(&client);
        commands.spawn(async move {
            client.command(number).await;
            drop(permit);
            number
        });
        number += 1;
    }
    commands.join_all().await
}

struct Commander {
    client: Client,
    url: String,
    user: String,
    seen: Arc<Seen>,
}

impl Commander {
    async fn command(&self, number: u64) {
        let task = task(number);
        let key = format!("load-{number}");
        let deadline = Instant::now() + PATIENCE;
        let mut ticks = interval(PAUSE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if self.answered(&task, &key).await {
                self.seen.answered.fetch_add(1, Ordering::Relaxed);
                return;
            }
            self.seen.repeated.fetch_add(1, Ordering::Relaxed);
            assert!(
                Instant::now() < deadline,
                "command {number} is not answered"
            );
        }
    }

    /// Whether it was; nothing but an absent service may keep it from that.
    async fn answered(&self, task: &Value, key: &str) -> bool {
        let request = self
            .client
            .post(&self.url)
            .header("authorization", &self.user);
        let request = request.header("idempotency-key", key).json(task).send();
        let Ok(Ok(response)) = timeout(PATIENCE, request).await else {
            return false;
        };
        let status = response.status();
        let later = status.is_server_error()
            || status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::CONFLICT;
        assert!(status == StatusCode::CREATED || later, "{status}");
        // An answer that breaks off was none.
        status == StatusCode::CREATED && response.bytes().await.is_ok()
    }
}

fn task(number: u64) -> Value {
    let mut task = json!({ "title": number.to_string() });
    if number.is_multiple_of(REMINDED) {
        let now = SystemClock::new().now();
        task["reminders"] =
            json!([{ "trigger": { "type": "absolute", "at": { "instant": now } } }]);
    }
    task
}
