//! Reminders that become due at a steady rate, through the whole suite: how late is each of them fired, how
//! late is its user told, and how late does its task show it?

mod figures;
mod store;

use std::time::{Duration, Instant};

use anyhow::ensure;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Args;
use clock::{Clock, SystemClock};
use event_schema::App;

use crate::driver::Asked;
use crate::suite::{Suite, seen, until};
use figures::Figures;
use store::Effect;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    /// Reminders that become due in a second.
    #[arg(long, default_value_t = 1000)]
    rate: u32,

    /// How many seconds long.
    #[arg(long, default_value_t = 60)]
    seconds: u32,

    /// Tasks that can be made in a second before the first reminder is due; fewer make the wait longer.
    #[arg(long, default_value_t = 1000)]
    loaded_per_second: u32,

    /// Prints JSON instead of lines.
    #[arg(long)]
    json: bool,
}

const CLIENTS: usize = 64;
/// Between the last task and the first reminder: the subscribers have caught up by then.
const HEAD_START: TimeDelta = TimeDelta::seconds(10);
const SUBSCRIBERS: [App; 2] = [App::ReminderScheduler, App::Notifier];

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    ensure!(
        config.rate > 0 && config.seconds > 0 && config.loaded_per_second > 0,
        "it would measure nothing"
    );
    let folder = tempfile::tempdir()?;
    let suite = Suite::start(folder.path()).await?;
    let figures = measure(&suite, &config).await?;
    suite.stop().await?;
    figures.print(config.json)?;
    figures.check()
}

async fn measure(suite: &Suite, config: &Config) -> anyhow::Result<Figures> {
    let count = config.rate * config.seconds;
    let clock = SystemClock::new();
    let loading = TimeDelta::seconds(i64::from(count / config.loaded_per_second));
    let first = clock.now() + loading + HEAD_START;
    let begun = Instant::now();
    let due = |number: usize| due(first, number, config.rate);
    let create = |number: usize| create(due(number));
    suite
        .ask_all(usize::try_from(count)?, CLIENTS, create)
        .await?;
    for app in SUBSCRIBERS {
        let ledger = suite.ledger(app).await?;
        until(app.id(), i64::from(count), async || seen(&ledger).await).await?;
        ledger.close().await;
    }
    let loaded = begun.elapsed();
    let left = (first - clock.now()).to_std();
    ensure!(
        left.is_ok(),
        "loading took {loaded:.1?}, until the first reminder was due: choose a smaller --loaded-per-second"
    );
    tokio::time::sleep(left.unwrap_or_default()).await;

    let parts = suite.parts();
    let (cpu, begun) = (parts.read(), Instant::now());
    tokio::time::sleep(Duration::from_secs(u64::from(config.seconds))).await;
    let mut effects = Vec::new();
    for effect in Effect::ALL {
        let ledger = suite.ledger(effect.service()).await?;
        let wanted = i64::from(count);
        until(effect.name(), wanted, async || effect.count(&ledger).await).await?;
        effects.push((effect, effect.lateness(&ledger).await?));
        ledger.close().await;
    }
    let cpu = parts.read().since(&cpu);
    Figures::of(config.rate, count, loaded, begun.elapsed(), &cpu, effects)
}

/// When one of them is due: they are spread evenly.
fn due(first: DateTime<Utc>, number: usize, rate: u32) -> DateTime<Utc> {
    let micros = i64::try_from(number).unwrap_or_default() * 1_000_000 / i64::from(rate);
    first + TimeDelta::microseconds(micros)
}

fn create(due: DateTime<Utc>) -> Asked {
    let instant = due.to_rfc3339_opts(SecondsFormat::Micros, true);
    let body = format!(
        r#"{{"title":"Water the plants on the balcony","reminders":[{{"trigger":{{"type":"absolute","at":{{"instant":"{instant}"}}}}}}]}}"#
    );
    Asked::post("/v1/tasks", body)
}
