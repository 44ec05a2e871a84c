//! The bare driver: publishes events like those of the commands through the same sidecar to subscribers
//! that do nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use axum::http::{HeaderName, HeaderValue};
use clock::SharedClock;
use event_schema::{App, Topic};
use suite_tests::stack::Stack;
use tokio::task::JoinSet;

use super::report::{Measured, Phase};
use super::sink::{Given, SENT};
use super::{SUBSCRIBERS, local, parts};
use crate::child::{Child, free_address};
use crate::cpu::Parts;
use crate::driver::{Asked, Connection};

/// As measured best: more do not help, and each call holds a key once at most.
const LANES: usize = 2;
const MOST_PER_CALL: u64 = 512;
const KEYS: u64 = 5000;
/// How long a lane rests when nothing is due.
const REST: Duration = Duration::from_millis(1);
const POLL: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_mins(2);

/// A publisher and where its events arrive.
struct Driver {
    clock: SharedClock,
    sidecar: SocketAddr,
    token: HeaderValue,
    path: String,
    /// An event without its first brace.
    event: String,
    report: SocketAddr,
    parts: Parts,
    taken: AtomicU64,
}

/// Measures at a rate, and then as much as possible. The services are stopped meanwhile.
pub(crate) async fn measure(
    stack: &Stack,
    clock: &SharedClock,
    sample: &str,
    (rate, paced): (u32, Duration),
    most: Duration,
) -> anyhow::Result<(Phase, Phase)> {
    let folder = tempfile::tempdir()?;
    let report = free_address()?;
    let listen = SUBSCRIBERS.map(|app| local(stack.port(&format!("{}:sidecar", app.id()))));
    let addresses = listen.map(|address| address.to_string()).join(",");
    let words = ["--listen", &addresses, "--report", &report.to_string()].map(str::to_owned);
    let sink = Child::start("sink", &words, report, folder.path()).await?;
    let mut parts = parts(stack);
    let services = App::ALL.map(App::id);
    parts
        .0
        .retain(|(name, _)| !services.contains(&name.as_str()));
    parts.0.push(("sink".to_owned(), sink.id()));
    let token = stack.secret(&format!("dapr-api-token:{}", App::TaskApi.id()));
    let driver = Arc::new(Driver {
        clock: Arc::clone(clock),
        sidecar: local(stack.port(&format!("{}-dapr", App::TaskApi.id()))),
        token: HeaderValue::try_from(token)?,
        path: format!(
            "/v1.0-alpha1/publish/bulk/pubsub/{}",
            Topic::TaskUpdateEvents.name()
        ),
        event: sample.strip_prefix('{').context("an event")?.to_owned(),
        report,
        parts,
        taken: AtomicU64::new(0),
    });
    // The connections of the sidecars begin, and what is left of other events is gone.
    driver.phase(Some(rate), Duration::from_secs(2)).await?;
    let at_rate = driver.phase(Some(rate), paced).await?;
    let saturated = driver.phase(None, most).await?;
    sink.stop().await?;
    Ok((at_rate, saturated))
}

impl Driver {
    async fn phase(self: &Arc<Self>, rate: Option<u32>, time: Duration) -> anyhow::Result<Phase> {
        let forget = Asked::post("/forget", String::new());
        Connection::open(self.report).await?.ask(&forget).await?;
        self.taken.store(0, Ordering::Relaxed);
        let (began, began_at) = (Instant::now(), self.clock.now().timestamp_micros());
        let cpu = self.parts.read();
        let mut running = JoinSet::new();
        for _ in 0..LANES {
            let driver = Arc::clone(self);
            running.spawn(async move { driver.publish(rate, began, began_at, time).await });
        }
        let mut published = 0;
        while let Some(lane) = running.join_next().await {
            published += lane??;
        }
        let given = self.arrived(published).await?;
        let cpu = self.parts.read().since(&cpu);
        let last = given
            .iter()
            .map(|given| given.last)
            .max()
            .unwrap_or(began_at);
        let took = Duration::from_micros(u64::try_from(last - began_at)?);
        let mut phase = Phase::new(usize::try_from(published)?, took, &cpu);
        let measured = SUBSCRIBERS.into_iter().zip(given);
        phase.measured = measured
            .map(|(app, given)| Measured::new(app, given.latency))
            .collect();
        Ok(phase)
    }

    /// Publishes what is due, or as much as a call holds, until the time is over.
    async fn publish(
        &self,
        rate: Option<u32>,
        began: Instant,
        began_at: i64,
        time: Duration,
    ) -> anyhow::Result<u64> {
        let mut connection = Connection::open(self.sidecar).await?;
        let mut published = 0;
        loop {
            let elapsed = began.elapsed();
            let (first, count) = match rate {
                None if elapsed >= time => return Ok(published),
                None => (
                    self.taken.fetch_add(MOST_PER_CALL, Ordering::Relaxed),
                    MOST_PER_CALL,
                ),
                Some(rate) => {
                    let due = due(elapsed.min(time), rate);
                    let known = self.taken.load(Ordering::Relaxed);
                    let count = due.saturating_sub(known).min(MOST_PER_CALL);
                    if count == 0 && elapsed >= time {
                        return Ok(published);
                    }
                    (self.taken.fetch_add(count, Ordering::Relaxed), count)
                }
            };
            if count == 0 {
                tokio::time::sleep(REST).await;
                continue;
            }
            let now = i64::try_from(elapsed.as_micros())?;
            let sent = |number: u64| match rate {
                None => Ok::<_, anyhow::Error>(began_at + now),
                Some(rate) => Ok(began_at + i64::try_from(number * 1_000_000 / u64::from(rate))?),
            };
            let mut entries = Vec::new();
            for number in first..first + count {
                entries.push(self.entry(number, sent(number)?));
            }
            self.call(&mut connection, entries).await?;
            published += count;
        }
    }

    /// Text instead of values: the driver shares the machine with what it measures.
    fn entry(&self, number: u64, sent: i64) -> String {
        let (event, key) = (&self.event, number % KEYS);
        format!(
            r#"{{"entryId":"{number}","contentType":"application/cloudevents+json","metadata":{{"partitionKey":"bare-{key}"}},"event":{{"{SENT}":"{sent}",{event}}}"#
        )
    }

    async fn call(&self, connection: &mut Connection, entries: Vec<String>) -> anyhow::Result<()> {
        let asked = Asked::post(self.path.as_str(), format!("[{}]", entries.join(",")));
        let name = HeaderName::from_static("dapr-api-token");
        let (status, body) = connection
            .ask(&asked.shown(name, self.token.clone()))
            .await?;
        let said = String::from_utf8_lossy(&body);
        ensure!(status == 204, "a publish was answered {status}: {said}");
        Ok(())
    }

    /// Waits until each subscriber has everything.
    async fn arrived(&self, published: u64) -> anyhow::Result<Vec<Given>> {
        let mut connection = Connection::open(self.report).await?;
        let asked = Asked::get("/");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (_, body) = connection.ask(&asked).await?;
            let given: Vec<Given> = serde_json::from_slice(&body)?;
            if given.iter().all(|given| given.events >= published) {
                return Ok(given);
            }
            if Instant::now() > deadline {
                bail!("of {published} bare events there came {given:?}");
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// How many events are due after so long.
fn due(elapsed: Duration, rate: u32) -> u64 {
    let due = elapsed.as_micros() * u128::from(rate) / 1_000_000;
    u64::try_from(due).unwrap_or(u64::MAX)
}
