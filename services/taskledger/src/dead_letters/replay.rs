//! `taskledger dead-letters replay`.

use std::io::{self, Write};

use chrono::{DateTime, TimeDelta, Utc};
use clock::{Clock, SystemClock};
use event_schema::App;
use event_store::{
    BulkReplay, DeadLetterFilter, DeadLetterRow, DeadLetterState, DeadLetterTable, ReplayProgress,
    Replayed,
};
use service_kit::lifecycle::shutdown_signal;
use tokio_util::sync::CancellationToken;

use super::row;
use crate::config::ReplayConfig;
use crate::printable::events;

/// Rows of one read.
const PAGE: u32 = 100;
/// How often it says how far it is.
const TELL: TimeDelta = TimeDelta::seconds(1);

pub(super) async fn run(config: &ReplayConfig) -> anyhow::Result<()> {
    let choice = &config.choice;
    choice.check("replay")?;
    let clock = SystemClock::new();
    let mut replay = BulkReplay {
        filter: choice.filter.at(clock.now()),
        limit: choice.limit,
        rate: config.rate,
    };
    let stop = stop_on_signal();
    let mut done = ReplayProgress::default();
    for (service, table) in choice.tables().await? {
        if !choice.ids.is_empty() {
            return by_number(config, service, &table).await;
        }
        if choice.dry_run {
            plan_all(service, &table, &replay).await?;
            continue;
        }
        let mut told = clock.now();
        let progress = table.replay_all(&replay, &clock, &stop, |progress| {
            told = tell(service, progress, told, clock.now());
        });
        let progress = progress.await?;
        replay.limit = replay
            .limit
            .map(|limit| limit.saturating_sub(progress.replayed));
        done.released += progress.released;
        done.replayed += progress.replayed;
        done.behind += progress.behind;
        if !progress.finished {
            anyhow::bail!(
                "stopped after {} of {} parked events of {}: the rest is still parked and in order, and the same command goes on with it",
                progress.replayed,
                progress.chosen,
                service.id()
            );
        }
    }
    if choice.dry_run {
        return Ok(writeln!(io::stdout(), "Nothing was changed.")?);
    }
    report(&done)
}

fn report(done: &ReplayProgress) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if done.replayed == 0 {
        return Ok(writeln!(
            out,
            "No parked event is like that; nothing was changed."
        )?);
    }
    write!(
        out,
        "{} replayed; with what waited behind, {} will be delivered again, at once where the service runs.",
        events(done.replayed),
        done.released
    )?;
    if done.behind > 0 {
        write!(
            out,
            " {} of them stay behind an earlier parked event of their key.",
            done.behind
        )?;
    }
    Ok(writeln!(out)?)
}

async fn by_number(
    config: &ReplayConfig,
    service: App,
    table: &DeadLetterTable,
) -> anyhow::Result<()> {
    if config.rate.is_some() {
        anyhow::bail!("--rate is for filters and --all: numbers are released at once");
    }
    for row in config.choice.named(service, table).await? {
        if config.choice.dry_run {
            plan(&mut io::stdout().lock(), service, table, &row).await?;
            continue;
        }
        let id = row.dead_letter_id;
        let sentence = match table.replay(id).await? {
            Replayed::Released(1) => format!("Dead letter {id} will be delivered again"),
            Replayed::Released(count) => {
                format!(
                    "Dead letter {id} will be delivered again, and {} behind it",
                    count - 1
                )
            }
            Replayed::Already => {
                format!("Dead letter {id} was released before and is still to be delivered")
            }
            Replayed::Behind(ahead) => {
                let sentence = "is parked before it in its key: it follows when that one is replayed or dropped";
                writeln!(
                    io::stdout(),
                    "Dead letter {id} waits, because {ahead} {sentence}."
                )?;
                continue;
            }
            Replayed::Unknown => return Err(super::unknown(service, id)),
        };
        writeln!(
            io::stdout(),
            "{sentence}; {} does so at once when it runs.",
            service.id()
        )?;
    }
    if config.choice.dry_run {
        writeln!(io::stdout(), "Nothing was changed.")?;
    }
    Ok(())
}

async fn plan_all(
    service: App,
    table: &DeadLetterTable,
    replay: &BulkReplay,
) -> anyhow::Result<()> {
    let parked: DeadLetterFilter = replay.filter.in_state(DeadLetterState::Parked);
    let (mut after, mut left) = (0, replay.limit.unwrap_or(u64::MAX));
    while left > 0 {
        let page = table
            .list(&parked, after, PAGE.min(left.try_into().unwrap_or(PAGE)))
            .await?;
        let Some(last) = page.last() else { break };
        after = last.dead_letter_id;
        left = left.saturating_sub(page.len() as u64);
        for row in &page {
            plan(&mut io::stdout().lock(), service, table, row).await?;
        }
    }
    Ok(())
}

/// What a replay of this row would do.
async fn plan(
    out: &mut impl Write,
    service: App,
    table: &DeadLetterTable,
    row: &DeadLetterRow,
) -> anyhow::Result<()> {
    let service = service.id();
    let id = row.dead_letter_id;
    match (row.state.as_str(), row.behind) {
        ("released", _) => writeln!(out, "{service}: {id} is released already")?,
        (_, Some(ahead)) => writeln!(
            out,
            "{service}: {id} would follow {ahead}, which is parked before it in its key"
        )?,
        _ => {
            writeln!(out, "{service}: would deliver again {}", row::sentence(row))?;
            let (count, first) = table.behind(row, row::SOME).await?;
            if count > 0 {
                writeln!(
                    out,
                    "  and then {} behind it: {}",
                    events(count),
                    row::numbers(count, &first)
                )?;
            }
        }
    }
    Ok(())
}

/// Says on stderr how far it is, not too often.
fn tell(
    service: App,
    progress: &ReplayProgress,
    told: DateTime<Utc>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    if now - told < TELL {
        return told;
    }
    // Whoever does not listen is not told.
    let _ = writeln!(
        io::stderr(),
        "{}: {} of {} parked events replayed, {} released",
        service.id(),
        progress.replayed,
        progress.chosen,
        progress.released
    );
    now
}

/// Cancelled by Ctrl-C, so that what was begun is finished first.
fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        shutdown_signal().await;
        stopped.cancel();
    });
    stop
}
