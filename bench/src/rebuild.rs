//! How fast the tables of `tasks` are made anew from a long log, and whether the result is equal.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use clap::Args;
use clock::{Clock, SystemClock};
use database::Database;
use event_schema::{
    Actor, App, Changed, Priority, Status, Task, TaskCompleted, TaskEvent, TaskId, TaskUpdated,
    TimeValue, UserId,
};
use event_store::{Answer, Context, Error, LaneLimits, Ledger, Rebuild, Unit, Verifier};
use task_api::domain::TaskStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What to measure on.
#[derive(Debug, Args)]
pub(crate) struct Config {
    /// An empty database that may be written to; a SQLite file of its own when nothing is named.
    #[arg(long)]
    database_url: Option<String>,

    /// Events in the log: of 100, 60 create a task, 25 change one and 15 complete one.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
}

/// Tasks that one command creates, changes and completes.
const CREATED: usize = 60;
const CHANGED: usize = 25;
const COMPLETED: usize = 15;
const EVENTS: u64 = 100;
/// Commands that wait at once.
const WAITING: usize = 16;

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = format!("sqlite://{}/bench.db", directory.path().display());
    let url = config.database_url.unwrap_or(file);
    let sets = [event_store::MIGRATIONS, task_api::store::MIGRATIONS];
    let database = Database::connect(&database::Config::for_url(url), &sets).await?;
    let begun = Instant::now();
    fill(&database, config.events / EVENTS).await?;
    say("load", config.events, begun.elapsed())?;

    let catalog = task_api::app::catalog();
    let begun = Instant::now();
    let rebuilt = Rebuild::new(&database, &catalog)
        .run("tasks", |_| ())
        .await?;
    say("rebuild", rebuilt.events, begun.elapsed())?;
    writeln!(
        io::stdout(),
        "the lane waited {:.1} ms",
        rebuilt.switch.as_secs_f64() * 1e3
    )?;

    let begun = Instant::now();
    let found = Verifier::new(&database, &catalog).run().await?;
    say("verify", found.events, begun.elapsed())?;
    writeln!(
        io::stdout(),
        "{} streams, {} rows, findings: {:?}",
        found.streams,
        found.rows,
        found.findings
    )?;
    database.close().await;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for reading")]
fn say(what: &str, events: u64, took: Duration) -> io::Result<()> {
    let seconds = took.as_secs_f64();
    writeln!(
        io::stdout(),
        "{what:<8} {events} events in {seconds:.1} s, {:.0}/s",
        events as f64 / seconds
    )
}

/// Through the lane, as a service does it.
async fn fill(database: &Database, commands: u64) -> anyhow::Result<()> {
    let clock = SystemClock::new();
    let (ledger, lane) = Ledger::new(
        App::TaskApi,
        database.clone(),
        std::sync::Arc::new(SystemClock::new()),
        task_api::store::projections(),
        LaneLimits::default(),
    );
    let stop = CancellationToken::new();
    let lane = tokio::spawn(lane.run(stop.clone()));
    let user = UserId(clock.new_id());
    let mut running = JoinSet::new();
    for _ in 0..commands {
        if running.len() == WAITING
            && let Some(done) = running.join_next().await
        {
            done??;
        }
        let tasks: Vec<Task> = (0..CREATED)
            .map(|number| task(&clock, user, number))
            .collect();
        running.spawn(command(ledger.clone(), user, tasks));
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    stop.cancel();
    Ok(lane.await?)
}

async fn command(ledger: Ledger, user: UserId, tasks: Vec<Task>) -> Result<(), Error> {
    let context = Context {
        actor: Actor::User(user),
        now: ledger.clock().now(),
        correlation_id: None,
        causation_id: None,
        traceparent: None,
    };
    let decide = move |unit: &mut Unit<'_>| {
        let now = unit.now();
        for task in &tasks {
            unit.append::<TaskStream>(task.id, &TaskEvent::Created(Box::new(task.clone())));
        }
        for task in tasks.iter().take(CHANGED) {
            let change = TaskUpdated {
                priority: Some(Changed {
                    from: Priority::None,
                    to: Priority::High,
                }),
                updated_at: now,
                ..TaskUpdated::default()
            };
            unit.append::<TaskStream>(task.id, &TaskEvent::Updated(Box::new(change)));
        }
        for task in tasks.iter().rev().take(COMPLETED) {
            unit.append::<TaskStream>(task.id, &TaskEvent::Completed(completed(unit, user)));
        }
        Ok::<_, Error>(Answer::default())
    };
    ledger.execute(context, None, &[], decide).await.map(drop)
}

fn completed(unit: &Unit<'_>, user: UserId) -> TaskCompleted {
    TaskCompleted {
        status: Changed {
            from: Status::Open,
            to: Status::Completed,
        },
        completed_at: Changed {
            from: None,
            to: Some(unit.now()),
        },
        completed_by: Changed {
            from: None,
            to: Some(Actor::User(user)),
        },
        updated_at: unit.now(),
    }
}

/// Every second task is due, every fourth has a label.
fn task(clock: &SystemClock, user: UserId, number: usize) -> Task {
    let now = clock.now();
    let id = TaskId(clock.new_id());
    let mut task = Task::new(id, user, "Water the plants", Actor::User(user), now);
    if number.is_multiple_of(2) {
        task.due = Some(TimeValue::Instant { instant: now });
    }
    if number.is_multiple_of(4) {
        task.labels.insert("home".to_owned());
    }
    task
}
