//! Sends commands over HTTP and counts what comes back.

mod client;
mod requests;
mod schedule;
mod tally;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::case::Load;
use crate::cpu::{CpuTime, Meter};
pub(crate) use schedule::Schedule;
use tally::Tally;

pub(crate) use client::{Client, Connection};
pub(crate) use requests::{Asked, Requests};
pub(crate) use tally::Run;

/// An open loop has so many connections: what is sent at once to a service that is late is bounded.
const OPEN_CONNECTIONS: usize = 256;
/// How long after the end an answer still counts to the latencies.
const GRACE: Duration = Duration::from_secs(1);

/// How long a run takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// When what happens counts.
#[derive(Clone, Copy, Debug)]
struct Window {
    begin: Instant,
    end: Instant,
}

impl Window {
    fn holds(&self, instant: Instant) -> bool {
        (self.begin..self.end).contains(&instant)
    }
}

/// Loads the service at this address, and measures after a warm-up. Each client asks for what
/// `requests` gives it by its number.
pub(crate) async fn run(
    address: SocketAddr,
    load: Load,
    times: Times,
    meter: Meter,
    requests: impl Fn(u64) -> Requests,
) -> anyhow::Result<Run> {
    let clients = connect(address, load, requests).await?;
    let started = Instant::now();
    let begin = started + times.warm_up;
    let window = Window {
        begin,
        end: begin + times.measured,
    };
    let metering = tokio::spawn(meter_window(meter, window));
    let mut tally = match load {
        Load::Clients(_) => closed_loop(clients, window).await?,
        Load::Rate(rate) => open_loop(clients, window, started, rate).await?,
    };
    let cpu = metering.await?.context("the meter stopped")?;
    tally.offered = match load {
        Load::Clients(_) => None,
        Load::Rate(rate) => Some(rate),
    };
    tally.into_run(times.measured, cpu)
}

async fn connect(
    address: SocketAddr,
    load: Load,
    requests: impl Fn(u64) -> Requests,
) -> anyhow::Result<Vec<Client>> {
    let count = match load {
        Load::Clients(clients) => clients,
        Load::Rate(_) => OPEN_CONNECTIONS,
    };
    let mut clients = Vec::with_capacity(count);
    for seed in 0..count {
        let seed = u64::try_from(seed)?;
        clients.push(Client::connect(address, requests(seed)).await?);
    }
    Ok(clients)
}

async fn meter_window(meter: Meter, window: Window) -> Option<CpuTime> {
    let read = move || tokio::task::spawn_blocking(move || meter.read());
    tokio::time::sleep_until(window.begin.into()).await;
    let before = read().await.ok()?;
    tokio::time::sleep_until(window.end.into()).await;
    Some(read().await.ok()? - before)
}

/// Each client sends its next request when it has the answer to the one before.
async fn closed_loop(clients: Vec<Client>, window: Window) -> anyhow::Result<Tally> {
    let mut running = JoinSet::new();
    for mut client in clients {
        running.spawn(async move {
            let mut tally = Tally::new()?;
            loop {
                let begun = Instant::now();
                if begun >= window.end {
                    return Ok(tally);
                }
                let answered = client.send().await?;
                let ended = Instant::now();
                if window.holds(ended) {
                    tally.count(answered);
                    tally.latencies.record(ended - begun);
                }
            }
        });
    }
    join(running).await
}

/// Requests are sent at a rate, whether or not those before were answered. The latency counts from
/// when a request should have been sent.
async fn open_loop(
    clients: Vec<Client>,
    window: Window,
    started: Instant,
    rate: u32,
) -> anyhow::Result<Tally> {
    let schedule = Arc::new(Schedule::new(started, window.end, rate));
    let deadline = window.end + GRACE;
    let pacer = schedule.pace(clients.len());
    let mut running = JoinSet::new();
    for client in clients {
        running.spawn(on_schedule(client, Arc::clone(&schedule), window, deadline));
    }
    let mut tally = join(running).await?;
    for intended in schedule.untaken().filter(|at| window.holds(*at)) {
        tally.unanswered(deadline - intended);
    }
    drop(schedule);
    tokio::task::spawn_blocking(move || pacer.join())
        .await?
        .map_err(|_| anyhow::anyhow!("the pacer panicked"))?;
    Ok(tally)
}

async fn on_schedule(
    mut client: Client,
    schedule: Arc<Schedule>,
    window: Window,
    deadline: Instant,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::new()?;
    while Instant::now() < deadline {
        let Some(intended) = schedule.next().await else {
            break;
        };
        let answer = tokio::time::timeout_at(deadline.into(), client.send()).await;
        let ended = Instant::now();
        let Ok(answered) = answer else {
            if window.holds(intended) {
                tally.unanswered(deadline - intended);
            }
            break;
        };
        let answered = answered?;
        if window.holds(ended) {
            tally.count(answered);
        }
        if window.holds(intended) {
            tally.latencies.record(ended - intended);
        }
    }
    Ok(tally)
}

async fn join(mut running: JoinSet<anyhow::Result<Tally>>) -> anyhow::Result<Tally> {
    let mut sum = Tally::new()?;
    while let Some(ended) = running.join_next().await {
        sum.add(&ended??)?;
    }
    Ok(sum)
}
