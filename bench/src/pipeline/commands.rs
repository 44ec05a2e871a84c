//! Commands on tasks that every subscriber has to do something with: occurrences that have a reminder.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::AUTHORIZATION;
use chrono::{DateTime, TimeDelta, Utc};
use clock::SharedClock;
use event_schema::{App, UserId};
use serde::Deserialize;
use suite_tests::stack::Stack;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::report::{Measured, Phase};
use super::store::Effects;
use super::{SUBSCRIBERS, local, parts};
use crate::cpu::Parts;
use crate::driver::{Asked, Connection, Schedule};
use crate::latency::Latencies;
use crate::mix::patch_body;

/// Tasks that are changed again and again.
const WORKED: usize = 2000;
/// One command in so many is on a task that is changed once: its commit can be told afterwards.
const PROBED: u64 = 20;
/// A number of clients that keeps every batch of the lane busy.
const CLIENTS: usize = 64;
/// At a fixed rate so many commands can be open.
const CONNECTIONS: usize = 128;

/// Tasks, and who changes them.
pub(crate) struct Commands {
    clock: SharedClock,
    address: SocketAddr,
    authorization: HeaderValue,
    parts: Parts,
    tasks: Vec<Uuid>,
    probes: Vec<Uuid>,
    taken: AtomicU64,
}

/// A command that was carried out.
struct Done {
    probe: Option<(Uuid, Instant)>,
    answered_after: Duration,
}

impl Commands {
    /// Makes the tasks, and waits until all subscribers know them.
    pub(crate) async fn prepare(
        stack: &Stack,
        clock: &SharedClock,
        effects: &Effects,
        rate: u32,
        paced: Duration,
    ) -> anyhow::Result<Arc<Self>> {
        let user = UserId(clock.new_id());
        let mut authorization = HeaderValue::try_from(stack.bearer(user))?;
        authorization.set_sensitive(true);
        let probes = u64::from(rate) * paced.as_secs() / PROBED + 1;
        let mut commands = Self {
            clock: Arc::clone(clock),
            address: local(stack.port(App::TaskApi.id())),
            authorization,
            parts: parts(stack),
            tasks: Vec::new(),
            probes: Vec::new(),
            taken: AtomicU64::new(0),
        };
        let all = WORKED + usize::try_from(probes)?;
        commands.tasks = commands.create(all).await?;
        commands.probes = commands.tasks.split_off(WORKED);
        let known = [commands.tasks.as_slice(), &commands.probes].concat();
        effects.settle(&known).await?;
        effects.checkpoint().await?;
        Ok(Arc::new(commands))
    }

    /// Commands at a rate. The latency counts from when a command should have been sent to when a
    /// subscriber committed its effect.
    pub(crate) async fn paced(
        self: &Arc<Self>,
        effects: &Effects,
        rate: u32,
        paced: Duration,
    ) -> anyhow::Result<Phase> {
        let (began, began_at) = (Instant::now(), self.clock.now());
        let cpu = self.parts.read();
        let schedule = Arc::new(Schedule::new(began, began + paced, rate));
        let releasing = schedule.pace(CONNECTIONS);
        let mut running = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (commands, schedule) = (Arc::clone(self), Arc::clone(&schedule));
            running.spawn(async move { commands.on_schedule(&schedule).await });
        }
        let done = join(running).await?;
        drop(schedule);
        tokio::task::spawn_blocking(move || releasing.join())
            .await?
            .ok();
        let (took, cpu) = (began.elapsed(), self.parts.read().since(&cpu));
        effects.settle(&self.tasks).await?;
        effects.settle(&self.probes).await?;

        let sent = done.iter().filter_map(|done| done.probe);
        let sent: Vec<(Uuid, DateTime<Utc>)> = sent
            .map(|(task, intended)| Ok((task, began_at + TimeDelta::from_std(intended - began)?)))
            .collect::<anyhow::Result<_>>()?;
        let mut phase = Phase::new(done.len(), took, &cpu);
        let mut answers = Latencies::new()?;
        for done in &done {
            answers.record(done.answered_after);
        }
        phase.answered = Some(answers.summary());
        phase.measured = self.effects(effects, &sent).await?;
        Ok(phase)
    }

    /// As many commands as a number of clients can make. The time counts until the last subscriber has
    /// committed the last effect.
    pub(crate) async fn saturated(
        self: &Arc<Self>,
        effects: &Effects,
        most: Duration,
    ) -> anyhow::Result<Phase> {
        effects.checkpoint().await?;
        let (began, began_at) = (Instant::now(), self.clock.now());
        let cpu = self.parts.read();
        let mut running = JoinSet::new();
        for _ in 0..CLIENTS {
            let commands = Arc::clone(self);
            running.spawn(async move { commands.closed(began + most).await });
        }
        let done = join(running).await?;
        let ends = effects.settle(&self.tasks).await?;
        let cpu = self.parts.read().since(&cpu);
        let last = ends.into_iter().max().unwrap_or(began_at);
        Ok(Phase::new(done.len(), (last - began_at).to_std()?, &cpu))
    }

    async fn effects(
        &self,
        effects: &Effects,
        sent: &[(Uuid, DateTime<Utc>)],
    ) -> anyhow::Result<Vec<Measured>> {
        let tasks: Vec<Uuid> = sent.iter().map(|(task, _)| *task).collect();
        let committed = effects.committed(&tasks).await?;
        let mut measured = Vec::new();
        for (app, committed) in SUBSCRIBERS.into_iter().zip(committed) {
            let committed: std::collections::HashMap<_, _> = committed.into_iter().collect();
            let mut latencies = Latencies::new()?;
            for (task, intended) in sent {
                let Some(at) = committed.get(task) else {
                    bail!("{} has not seen {task}", app.id());
                };
                latencies.record((*at - intended).to_std().unwrap_or_default());
            }
            measured.push(Measured::new(app, latencies.summary()));
        }
        Ok(measured)
    }

    async fn on_schedule(&self, schedule: &Schedule) -> anyhow::Result<Vec<Done>> {
        let mut connection = Connection::open(self.address).await?;
        let mut all = Vec::new();
        while let Some(intended) = schedule.next().await {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            let probe = number.is_multiple_of(PROBED).then(|| {
                let index = usize::try_from(number / PROBED).unwrap_or_default();
                self.probes.get(index).copied()
            });
            let probe = probe.flatten();
            let task = probe.unwrap_or_else(|| self.worked(number));
            self.change(&mut connection, task, number).await?;
            all.push(Done {
                probe: probe.map(|task| (task, intended)),
                answered_after: intended.elapsed(),
            });
        }
        Ok(all)
    }

    async fn closed(&self, end: Instant) -> anyhow::Result<Vec<Done>> {
        let mut connection = Connection::open(self.address).await?;
        let mut all = Vec::new();
        while Instant::now() < end {
            let number = self.taken.fetch_add(1, Ordering::Relaxed);
            let begun = Instant::now();
            self.change(&mut connection, self.worked(number), number)
                .await?;
            all.push(Done {
                probe: None,
                answered_after: begun.elapsed(),
            });
        }
        Ok(all)
    }

    fn worked(&self, number: u64) -> Uuid {
        let index = usize::try_from(number).unwrap_or_default() % self.tasks.len();
        self.tasks[index]
    }

    async fn change(
        &self,
        connection: &mut Connection,
        task: Uuid,
        number: u64,
    ) -> anyhow::Result<()> {
        let body = patch_body(&format!("Water the plants on the balcony, turn {number}"));
        let asked = Asked::patch(format!("/v1/tasks/{task}?scope=this"), body);
        self.ask(connection, asked).await.map(drop)
    }

    async fn create(&self, count: usize) -> anyhow::Result<Vec<Uuid>> {
        let left = AtomicUsize::new(count);
        let one = async || {
            let mut connection = Connection::open(self.address).await?;
            let mut made = Vec::new();
            let take = |left: usize| left.checked_sub(1);
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
            {
                let asked = Asked::post("/v1/tasks", CREATE.to_owned());
                let body = self.ask(&mut connection, asked).await?;
                made.push(serde_json::from_slice::<Created>(&body)?.id);
            }
            anyhow::Ok(made)
        };
        let all = (0..CLIENTS).map(|_| one());
        let made = futures_util::future::try_join_all(all).await?;
        Ok(made.concat())
    }

    async fn ask(&self, connection: &mut Connection, asked: Asked) -> anyhow::Result<Bytes> {
        let asked = asked.shown(AUTHORIZATION, self.authorization.clone());
        let (status, body) = connection.ask(&asked).await?;
        let said = String::from_utf8_lossy(&body);
        ensure!(
            status.is_success(),
            "{} was answered {status}: {said}",
            asked.path
        );
        Ok(body)
    }
}

/// What matters of the answer to [`CREATE`].
#[derive(Deserialize)]
struct Created {
    id: Uuid,
}

/// An occurrence of a series with a reminder that does not fire while anything is measured.
const CREATE: &str = r#"{"title":"Water the plants on the balcony","due":{"local":"2099-01-31T09:00","time_zone":"Europe/Berlin"},"recurrence":{"rrule":"FREQ=MONTHLY"},"reminders":[{"trigger":{"type":"relative","to":"due","offset":"-PT10M"}}]}"#;

async fn join(mut running: JoinSet<anyhow::Result<Vec<Done>>>) -> anyhow::Result<Vec<Done>> {
    let mut all = Vec::new();
    while let Some(done) = running.join_next().await {
        all.extend(done??);
    }
    Ok(all)
}
