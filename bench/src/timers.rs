//! Many reminders of one second among very many that are not due: when is each of them told?

mod figures;
mod store;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use clock::{Clock, SharedClock, SystemClock};
use database::Database;
use event_schema::{App, ReminderEvent, ReminderScheduled, TaskId, TaskReminders, Terms, UserId};
use event_store::{LaneLimits, Ledger, correct_clock};
use reminder_scheduler::app::AppState;
use reminder_scheduler::domain::reminders::evolve;
use reminder_scheduler::store::projections;
use reminder_scheduler::workers::fire_due_timers;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use figures::Figures;

/// What to measure.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// A fresh database that may be written to; a SQLite file of its own when nothing is named.
    #[arg(long)]
    database_url: Option<String>,

    /// Reminders that are not due for a long time.
    #[arg(long, default_value_t = 1_000_000)]
    pending: u32,

    /// Reminders that are due while it is measured.
    #[arg(long, default_value_t = 50_000)]
    due: u32,

    /// So many of them become due in a second; without it, all at the same instant.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    per_second: Option<u32>,

    /// Workers that share them, each with a lane of its own, as replicas are.
    #[arg(long, default_value_t = 1)]
    workers: usize,

    /// Prints JSON instead of lines.
    #[arg(long)]
    json: bool,
}

/// The zone rules of its plans.
const RULES: &str = "2026a";
/// Rows that are loaded together.
const CHUNK: u32 = 10_000;
/// How long after the last row is loaded the crowd is due.
const HEAD_START: TimeDelta = TimeDelta::seconds(3);
/// How long after the last is due a measurement has failed.
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = format!("sqlite://{}/timers.db", directory.path().display());
    let url = config.database_url.clone().unwrap_or(file);
    let sets = [
        event_store::MIGRATIONS,
        reminder_scheduler::store::MIGRATIONS,
    ];
    let database = Database::connect(&database::Config::for_url(url), &sets).await?;
    let clock: SharedClock = Arc::new(SystemClock::new());
    correct_clock(&database, clock.as_ref()).await?;

    let begun = Instant::now();
    let much_later = clock.now() + TimeDelta::hours(2);
    let later = |number: u32| much_later + TimeDelta::seconds(i64::from(number));
    load(&database, clock.as_ref(), config.pending, later).await?;
    let loading = TimeDelta::seconds(i64::from(config.due / 5_000));
    let due_at = clock.now() + loading + HEAD_START;
    let spread = |number: u32| {
        let after = |rate| i64::from(number) * 1_000_000 / i64::from(rate);
        due_at + TimeDelta::microseconds(config.per_second.map_or(0, after))
    };
    load(&database, clock.as_ref(), config.due, spread).await?;
    store::settle(&database).await?;
    let loaded = begun.elapsed();

    measure(&database, &clock, &config).await?;
    let figures = Figures::of(&database, loaded).await?;
    database.close().await;
    figures.print(config.json)
}

/// Runs the service's own worker until everything that is due has been told.
async fn measure(database: &Database, clock: &SharedClock, config: &Config) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..config.workers.max(1) {
        let (ledger, lane) = Ledger::new(
            App::ReminderScheduler,
            database.clone(),
            Arc::clone(clock),
            projections(),
            LaneLimits::default(),
        );
        running.spawn(lane.run(stop.clone()));
        let state = AppState {
            ledger,
            clock: Arc::clone(clock),
            tzdb_version: RULES,
        };
        running.spawn(fire_due_timers::run(state, stop.clone()));
    }
    let begun = Instant::now();
    let due = config.per_second.map_or(0, |rate| config.due / rate);
    let patience = Duration::from_secs(u64::from(due)) + PATIENCE;
    let all = i64::from(config.due);
    while store::told(database).await? < all && begun.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    stop.cancel();
    running.join_all().await;
    Ok(())
}

async fn load(
    database: &Database,
    clock: &dyn Clock,
    count: u32,
    fire_at: impl Fn(u32) -> DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut number = 0;
    while number < count {
        let until = count.min(number + CHUNK);
        let now = clock.now();
        let chunk: Vec<TaskReminders> = (number..until)
            .filter_map(|number| reminders(clock.new_id(), fire_at(number)))
            .collect();
        store::insert(database, &chunk, now).await?;
        number = until;
    }
    Ok(())
}

/// A task with one reminder, by the service's own rules.
fn reminders(task: Uuid, fire_at: DateTime<Utc>) -> Option<TaskReminders> {
    let planned = ReminderScheduled {
        task_id: TaskId(task),
        owner_id: UserId(Uuid::from_u128(1)),
        reminder_id: task.into(),
        fire_at,
        task_version: 1,
        title: "Water the plants on the balcony".to_owned(),
        due: None,
        tzdb_version: RULES.to_owned(),
        wall: None,
        terms: Terms::default(),
        nag: false,
    };
    evolve(None, &ReminderEvent::Scheduled(planned))
}
