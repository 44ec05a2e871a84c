//! Very many series whose occurrence is completed within seconds: how soon has each of them its next?

mod figures;
mod store;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::body::Bytes;
use clap::Args;
use event_schema::{App, SeriesId, occurrence_task_id};
use serde::Deserialize;
use uuid::Uuid;

use crate::driver::Asked;
use crate::suite::{Suite, Written, position, seen, until, written};
use figures::Figures;

/// What to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Config {
    /// Series, each with one open occurrence.
    #[arg(long, default_value_t = 50_000)]
    series: usize,

    /// Clients that complete occurrences, each the next after the answer.
    #[arg(long, default_value_t = 64)]
    clients: usize,

    /// Prints JSON instead of lines.
    #[arg(long)]
    json: bool,
}

/// Who has to know a series before its occurrence is completed.
const SUBSCRIBERS: [App; 3] = [
    App::ReminderScheduler,
    App::RecurringGenerator,
    App::Notifier,
];
/// One successor in so many is read through the interface.
const SAMPLE: usize = 50;

/// An open occurrence.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Occurrence {
    id: Uuid,
    series_id: SeriesId,
}

/// What is looked at of a successor.
#[derive(Debug, Deserialize)]
struct Successor {
    id: Uuid,
    status: String,
    slot: String,
}

pub(crate) async fn run(config: Config) -> anyhow::Result<()> {
    ensure!(
        config.series > 0 && config.clients > 0,
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
    let (count, clients) = (config.series, config.clients);
    let expected = i64::try_from(count)?;
    let tasks = suite.ledger(App::TaskApi).await?;
    let begun = Instant::now();
    let created = suite.ask_all(count, clients, |_| create()).await?;
    let created = created.iter().map(occurrence);
    let occurrences: Vec<Occurrence> = created.collect::<anyhow::Result<_>>()?;
    for app in SUBSCRIBERS {
        let ledger = suite.ledger(app).await?;
        until(app.id(), expected, async || seen(&ledger).await).await?;
        ledger.close().await;
    }
    let loaded = begun.elapsed();
    let before = position(&tasks).await?;

    let parts = suite.parts();
    let (cpu, begun) = (parts.read(), Instant::now());
    let complete = |number: usize| complete(occurrences[number]);
    let completing = async {
        suite.ask_all(count, clients, complete).await?;
        anyhow::Ok(begun.elapsed())
    };
    // One event completes an occurrence, and one makes the next.
    let generating = async {
        let all = before + 2 * expected;
        until("occurrences", all, async || position(&tasks).await).await?;
        anyhow::Ok(begun.elapsed())
    };
    let (completed, generated) = tokio::try_join!(completing, generating)?;
    let cpu = parts.read().since(&cpu);

    let read = read(suite, &occurrences, clients).await?;
    let of_series = store::tasks_of_series(&tasks).await?;
    let delays = delays(&written(&tasks).await?, &occurrences, &of_series)?;
    tasks.close().await;
    let times = [loaded, completed, generated];
    Figures::of(count, times, &cpu, &of_series, &delays, read)
}

fn create() -> Asked {
    let body = r#"{"title":"Water the plants on the balcony","due":{"local":"2099-01-31T09:00","time_zone":"Europe/Berlin"},"recurrence":{"rrule":"FREQ=MONTHLY"}}"#;
    Asked::post("/v1/tasks", body.to_owned())
}

fn complete(occurrence: Occurrence) -> Asked {
    let path = format!("/v1/tasks/{}/complete", occurrence.id);
    Asked::post(path, "{}".to_owned())
}

fn occurrence(answer: &Bytes) -> anyhow::Result<Occurrence> {
    serde_json::from_slice(answer).context("the answer is not an occurrence")
}

/// Reads some of the successors as a user does; tells how many were open at the slot that follows, and of
/// how many.
async fn read(
    suite: &Suite,
    occurrences: &[Occurrence],
    clients: usize,
) -> anyhow::Result<[usize; 2]> {
    let slot = "2099-02-28T09:00"; // There is no 31st.
    let sample: Vec<Occurrence> = occurrences.iter().step_by(SAMPLE).copied().collect();
    let id = |one: &Occurrence| occurrence_task_id(one.series_id, slot).as_uuid();
    let path = |number: usize| Asked::get(format!("/v1/tasks/{}", id(&sample[number])));
    let answers = suite.ask_all(sample.len(), clients, path).await?;
    let mut open = 0;
    for (answer, asked) in answers.iter().zip(&sample) {
        let successor: Successor = serde_json::from_slice(answer)?;
        let is_it = successor.id == id(asked) && successor.slot == slot;
        open += usize::from(is_it && successor.status == "open");
    }
    Ok([open, sample.len()])
}

/// How long after its occurrence was completed each series had the next.
fn delays(
    written: &[Written],
    occurrences: &[Occurrence],
    of_series: &HashMap<Uuid, Vec<Uuid>>,
) -> anyhow::Result<Vec<Duration>> {
    let mut created = HashMap::new();
    let mut completed = HashMap::new();
    for (stream, name, at) in written {
        match name.as_str() {
            "task.created.v1" => created.insert(*stream, *at),
            "task.completed.v1" => completed.insert(*stream, *at),
            _ => None,
        };
    }
    let delay = |one: &Occurrence| {
        let others = of_series.get(&one.series_id.as_uuid())?;
        let next = others.iter().find(|task| **task != one.id)?;
        (*created.get(next)? - *completed.get(&one.id)?)
            .to_std()
            .ok()
    };
    let delays = occurrences
        .iter()
        .map(|one| delay(one).context("a series has no next occurrence"));
    delays.collect()
}
