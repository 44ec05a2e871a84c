//! A sidecar that is gone, hangs, or answers 500 for some entries, while commands keep coming.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::{Clock, SystemClock};
use database::testing::TestDatabase;
use test_support::{Fault, FaultProxy};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, interval_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::audit;
use crate::caller::Caller;
use crate::command::{Command, Kind};
use crate::load::Dice;
use crate::process;
use crate::scale::scaled;
use crate::sidecar::Sidecar;

/// What is wrong, as it is printed.
const FAULTS: [&str; 4] = ["healthy", "refuses", "hangs", "answers 500 for some"];

/// Callers who ask at a fixed rate, whether or not they are answered.
struct Stream {
    asked: Arc<Mutex<Vec<Asked>>>,
    asking: tokio::task::JoinHandle<()>,
    stop: CancellationToken,
}

/// A command, when it should have been asked, and how long the answer took from then on.
struct Asked {
    command: Command,
    at: Instant,
    took: Duration,
}

impl Stream {
    fn start(caller: Caller, rate: u32) -> Self {
        let stop = CancellationToken::new();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let asking = tokio::spawn(ask(caller, rate, Arc::clone(&asked), stop.clone()));
        Self {
            asked,
            asking,
            stop,
        }
    }

    /// Whoever was answered so far.
    fn answered(&self) -> HashSet<Uuid> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|one| one.command.id).collect()
    }

    async fn finish(self) -> Vec<Asked> {
        self.stop.cancel();
        self.asking.await.unwrap();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut asked)
    }
}

/// A time with one fault, and what was seen.
struct Phase {
    fault: &'static str,
    from: Instant,
    over: Instant,
    drained: Duration,
    /// Memory before, at the end of the fault, and after the drain.
    memory: [Option<f64>; 3],
}

impl Phase {
    /// Of the commands that were to be asked meanwhile.
    fn percentile(&self, asked: &[Asked], percent: usize) -> Duration {
        let meanwhile = |one: &&Asked| one.at >= self.from && one.at < self.over;
        let mut took: Vec<Duration> = asked.iter().filter(meanwhile).map(|one| one.took).collect();
        took.sort_unstable();
        let index = took.len() * percent / 100;
        took.get(index).copied().unwrap_or_default()
    }
}

fn print(name: &str, rate: u32, phases: &[Phase], asked: &[Asked]) {
    let healthy = phases[0].percentile(asked, 99).as_secs_f64();
    for phase in phases {
        let p99 = phase.percentile(asked, 99);
        let [before, at_end, after] = phase.memory.map(|memory| memory.unwrap_or(f64::NAN));
        eprintln!(
            "{name} at {rate}/s, sidecar {} for {:.0?}: p50 {:.1?}, p99 {p99:.1?} ({:.2} x); \
             drained in {:.1?}; memory {before:.1}, {at_end:.1}, {after:.1} MB",
            phase.fault,
            phase.over - phase.from,
            phase.percentile(asked, 50),
            p99.as_secs_f64() / healthy,
            phase.drained,
        );
    }
}

async fn ask(caller: Caller, rate: u32, asked: Arc<Mutex<Vec<Asked>>>, stop: CancellationToken) {
    let (clock, mut dice) = (SystemClock::new(), Dice::new(1));
    let open = Arc::new(Mutex::new(Vec::<Uuid>::new()));
    let mut calls = JoinSet::new();
    let mut due = interval(Duration::from_secs(1) / rate);
    while let Some(at) = stop.run_until_cancelled(due.tick()).await {
        let known = {
            let open = open.lock().unwrap_or_else(PoisonError::into_inner);
            let renames = dice.roll(100) < 40 && !open.is_empty();
            renames.then(|| open[dice.roll(open.len())])
        };
        let command = match known {
            Some(task) => Command::new(clock.new_id(), Kind::Rename, task),
            None => Command::new(clock.new_id(), Kind::Create, clock.new_id()),
        };
        let (caller, open, asked) = (caller.clone(), Arc::clone(&open), Arc::clone(&asked));
        calls.spawn(async move {
            let mut command = command;
            command.outcome = caller.once(&command, 0).await;
            let took = at.elapsed();
            if command.kind == Kind::Create && command.answer().is_some() {
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                open.push(command.task);
            }
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            asked.push(Asked { command, at, took });
        });
        while calls.try_join_next().is_some() {}
    }
    while calls.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_sidecar_does_commands_go_on_and_the_backlog_drains_in_order() {
    let seconds = Duration::from_secs(scaled("TASKLEDGER_TEST_OUTAGE_SECONDS", 1));
    let rate = scaled("TASKLEDGER_TEST_RATE", 50);
    for test in TestDatabase::every(&[]).await {
        let sidecar = Sidecar::default();
        let (_, door) = sidecar.door().await;
        let mut proxy = Some(FaultProxy::start(door).await);
        let address = proxy.as_ref().unwrap().address();
        let process = process::start(&test.config, &format!("http://{address}")).await;
        let stream = Stream::start(Caller::new(vec![process.base.clone()]), rate);
        let mut phases = Vec::new();
        for fault in FAULTS {
            let (from, before) = (Instant::now(), process.resident());
            match fault {
                "refuses" => proxy = None,
                "hangs" => proxy.as_ref().unwrap().set(Fault::Blackhole),
                "answers 500 for some" => {
                    sidecar.refuse(Some(|key| key.as_u128().is_multiple_of(8)));
                }
                _ => {}
            }
            interval_at(from + seconds, seconds).tick().await;
            let (over, at_end) = (Instant::now(), process.resident());
            sidecar.refuse(None);
            match &proxy {
                Some(proxy) => proxy.set(Fault::None),
                None => proxy = Some(FaultProxy::start_at(address, door).await),
            }
            sidecar.has_all(&stream.answered()).await;
            phases.push(Phase {
                fault,
                from,
                over,
                drained: over.elapsed(),
                memory: [before, at_end, process.resident()],
            });
        }
        let asked = stream.finish().await;

        print(test.name(), rate, &phases, &asked);
        let commands: Vec<Command> = asked.into_iter().map(|one| one.command).collect();
        let not_done = commands.iter().find(|one| one.answer().is_none());
        assert!(not_done.is_none(), "{not_done:?}");
        let found = audit(&test, &commands, &sidecar).await;
        eprintln!("{}: {found}", test.name());
        process.kill().await;
    }
}
