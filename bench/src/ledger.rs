//! The lane against a transaction per command: the same code with one number changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use clock::{SharedClock, SystemClock};
use database::Database;
use event_schema::{Actor, App, Priority, Task, TaskEvent, TaskId, UserId};
use event_store::{Answer, Context, Error, LaneLimits, Ledger, StreamRef};
use task_api::domain::task::TaskStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::report::{Pair, Report};

/// What to measure on.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// A database that may be written to; a SQLite file of its own when nothing is named.
    #[arg(long)]
    database_url: Option<String>,

    /// Pairs per number of callers.
    #[arg(long, default_value_t = 5)]
    pairs: usize,

    /// Commands of each run.
    #[arg(long, default_value_t = 2000)]
    commands: usize,

    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

const CALLERS: [usize; 3] = [1, 64, 256];

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = format!("sqlite://{}/bench.db", directory.path().display());
    let url = config.database_url.unwrap_or(file);
    let sets = [event_store::MIGRATIONS, task_api::store::MIGRATIONS];
    let database = Database::connect(&database::Config::for_url(url), &sets).await?;
    let mut report = Report::default();
    for callers in CALLERS {
        // One caller alone gets a flush per command either way: fewer commands tell as much.
        let commands = if callers == 1 {
            config.commands / 10
        } else {
            config.commands
        };
        for _ in 0..config.pairs {
            let lane = measure(&database, LaneLimits::default().batch, callers, commands).await?;
            let single = measure(&database, 1, callers, commands).await?;
            report.add(callers, Pair { lane, single });
        }
    }
    database.close().await;
    report.print(config.json)
}

/// Commands a second.
async fn measure(
    database: &Database,
    batch: usize,
    callers: usize,
    commands: usize,
) -> anyhow::Result<f64> {
    let clock: SharedClock = Arc::new(SystemClock::new());
    let limits = LaneLimits {
        batch,
        ..LaneLimits::default()
    };
    let projections = task_api::store::projections();
    let (ledger, lane) = Ledger::new(
        App::TaskApi,
        database.clone(),
        Arc::clone(&clock),
        projections,
        limits,
    );
    let stop = CancellationToken::new();
    let lane = tokio::spawn(lane.run(stop.clone()));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        running.spawn(caller(
            ledger.clone(),
            Arc::clone(&clock),
            commands / callers,
        ));
    }
    for ended in running.join_all().await {
        ended?;
    }
    let took = begun.elapsed().max(Duration::from_micros(1));
    stop.cancel();
    lane.await?;
    let done = u32::try_from(commands / callers * callers)?;
    Ok(f64::from(done) / took.as_secs_f64())
}

async fn caller(ledger: Ledger, clock: SharedClock, commands: usize) -> Result<(), Error> {
    let user = UserId(clock.new_id());
    for _ in 0..commands {
        let now = clock.now();
        let task = task(TaskId(clock.new_id()), user, now);
        let context = Context {
            actor: Actor::User(user),
            now,
            correlation_id: None,
            causation_id: None,
            traceparent: None,
        };
        let stream = StreamRef::of::<TaskStream>(task.id);
        let decide = move |unit: &mut event_store::Unit<'_>| {
            unit.append::<TaskStream>(task.id, &TaskEvent::Created(Box::new(task.clone())));
            Ok::<_, Error>(Answer::default())
        };
        ledger.execute(context, None, &[stream], decide).await?;
    }
    Ok(())
}

fn task(id: TaskId, owner_id: UserId, now: chrono::DateTime<chrono::Utc>) -> Task {
    let title = "Water the plants on the balcony";
    Task {
        priority: Priority::Medium,
        labels: ["home", "balcony"].map(str::to_owned).into(),
        ..Task::new(id, owner_id, title, Actor::User(owner_id), now)
    }
}
