//! Reads what is open where its owner is now.

use std::time::Duration;

use event_schema::{App, SeriesId, TaskId, UserId};
use event_store::{Answer, Context, Outcome, StreamRef, Unit};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use crate::app::AppState;
use crate::domain::preferences::{Command, decide};
use crate::domain::{PreferencesStream, SeriesStream, TaskStream, series, task};
use crate::error::Error;
use crate::store::{self, preferences, tasks};

/// How many users, and how many of their tasks or series, are looked up at once.
const BATCH: u16 = 64;
/// How often it looks although nobody said that there is something: another replica may have taken in a
/// change and left.
const PERIOD: Duration = Duration::from_secs(30);
/// How long it waits when there is too much else to do, or the database is away.
const BACK_OFF: Duration = Duration::from_secs(2);

/// Looks whenever somebody moved, and every now and then, until `stop`.
pub async fn run(app: AppState, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let wait = match stop.run_until_cancelled(run_once(&app)).await {
            Some(Err(error)) => {
                warn!(%error, "times cannot be read in other zones now: {error}");
                BACK_OFF
            }
            Some(Ok(_)) | None => PERIOD,
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = app.moved.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Looks once; returns how many tasks and series are read in another zone now.
#[tracing::instrument(name = "worker.follow_home_zones", level = "debug", skip_all)]
pub async fn run_once(app: &AppState) -> Result<usize, Error> {
    let (mut read, mut after) = (0, UserId(Uuid::nil()));
    loop {
        let database = app.ledger.rows("preferences")?;
        let users = preferences::not_followed(database, after, BATCH).await?;
        for user in &users {
            read += follow(app, *user).await?;
        }
        match users.last() {
            Some(last) => after = *last,
            None => return Ok(read),
        }
    }
}

/// Series first: what they make from then on is read in the new zone, and what they made before is among
/// the tasks. Begun again after an interruption, it finds nothing to change up to where it was.
async fn follow(app: &AppState, user: UserId) -> Result<usize, Error> {
    let state = app.ledger.state::<PreferencesStream>(user).await?;
    let Some(zone) = state.map(|found| found.state.time_zone) else {
        return Ok(0);
    };
    let mut read = 0;
    let mut after = SeriesId(Uuid::nil());
    loop {
        let database = app.ledger.rows("series")?;
        let ids = store::series::living_of_user(database, user, after, BATCH).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        read += read_series(app, &ids, zone.as_deref()).await?;
    }
    let mut after = TaskId(Uuid::nil());
    loop {
        let database = app.ledger.rows("tasks")?;
        let ids = tasks::open_of_user(database, user, after, BATCH).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        read += read_tasks(app, &ids, zone.as_deref()).await?;
    }
    finish(app, user, zone).await?;
    Ok(read)
}

async fn read_series(app: &AppState, ids: &[SeriesId], zone: Option<&str>) -> Result<usize, Error> {
    let streams: Vec<StreamRef> = ids
        .iter()
        .map(|id| StreamRef::of::<SeriesStream>(*id))
        .collect();
    let (ids, zone) = (ids.to_vec(), zone.map(str::to_owned));
    let decision = move |unit: &mut Unit<'_>| {
        let mut read = 0;
        for id in &ids {
            let Some(state) = unit.state::<SeriesStream>(*id) else {
                continue;
            };
            let home_zone = zone.clone();
            let command = series::Command::ReadIn { home_zone };
            for event in series::decide(Some(&state), command, unit.now())? {
                unit.append::<SeriesStream>(*id, &event);
                read += 1;
            }
        }
        Ok(counted(read))
    };
    execute(app, &streams, decision).await
}

async fn read_tasks(app: &AppState, ids: &[TaskId], zone: Option<&str>) -> Result<usize, Error> {
    let streams: Vec<StreamRef> = ids
        .iter()
        .map(|id| StreamRef::of::<TaskStream>(*id))
        .collect();
    let (ids, zone) = (ids.to_vec(), zone.map(str::to_owned));
    let decision = move |unit: &mut Unit<'_>| {
        let mut read = 0;
        for id in &ids {
            let Some(state) = unit.state::<TaskStream>(*id) else {
                continue;
            };
            let home_zone = zone.clone();
            let command = task::Command::ReadIn { home_zone };
            for event in task::decide(Some(&state), command, unit.now())? {
                unit.append::<TaskStream>(*id, &event);
                read += 1;
            }
        }
        Ok(counted(read))
    };
    execute(app, &streams, decision).await
}

async fn finish(app: &AppState, user: UserId, zone: Option<String>) -> Result<usize, Error> {
    let streams = [StreamRef::of::<PreferencesStream>(user)];
    let decision = move |unit: &mut Unit<'_>| {
        let state = unit.state::<PreferencesStream>(user);
        let time_zone = zone.clone();
        let command = Command::Follow { time_zone };
        for event in decide(user, state.as_ref(), command, unit.now()) {
            unit.append::<PreferencesStream>(user, &event);
        }
        Ok(Answer::default())
    };
    execute(app, &streams, decision).await
}

async fn execute(
    app: &AppState,
    streams: &[StreamRef],
    decision: impl Fn(&mut Unit<'_>) -> Result<Answer, Error> + Send + 'static,
) -> Result<usize, Error> {
    let context = Context::of_worker(App::TaskApi, app.clock.now());
    let outcome = app.ledger.execute(context, None, streams, decision).await?;
    match outcome {
        Outcome::Accepted(answer) => Ok(answer.body.parse().unwrap_or(0)),
        _ => Ok(0),
    }
}

fn counted(read: usize) -> Answer {
    Answer {
        body: read.to_string(),
        ..Answer::default()
    }
}
