//! `taskledger relay`: keys whose events the sidecar refuses for good, in an operator's hands.

use std::io::{self, Write};

use clock::{Clock, SystemClock};
use event_schema::App;
use event_store::{ParkedKeyRow, ParkedKeyTable};
use serde_json::json;

use crate::config::{ParkedConfig, RelayCommand, ReleaseConfig};
use crate::dead_letters::seen_enough;
use crate::location::Location;
use crate::printable::{age, text};

/// More than anybody reads, and than a relay that finds them one by one parks soon.
const MOST_KEYS: u32 = 10_000;

/// Runs the subcommand.
pub async fn run(command: RelayCommand) -> anyhow::Result<()> {
    let outcome = match command {
        RelayCommand::Parked(config) => parked(&config).await,
        RelayCommand::Release(config) => release(&config).await,
    };
    outcome.or_else(seen_enough)
}

async fn tables(
    service: Option<&str>,
    location: &Location,
) -> anyhow::Result<Vec<(App, ParkedKeyTable)>> {
    let mut tables = Vec::new();
    for service in location.services(service)? {
        let database = location.open(service).await?;
        tables.push((service, ParkedKeyTable::new(database)));
    }
    Ok(tables)
}

async fn parked(config: &ParkedConfig) -> anyhow::Result<()> {
    let now = SystemClock::new().now();
    let mut any = false;
    for (service, table) in tables(config.service.as_deref(), &config.location).await? {
        let rows = table.list(MOST_KEYS).await?;
        let mut out = io::stdout().lock();
        for row in rows {
            if config.json {
                writeln!(out, "{}", json(service, &row))?;
            } else {
                if !any {
                    writeln!(
                        out,
                        "{:<20}{:<38}{:<9}{:>5}{:>12}  reason",
                        "service", "key", "state", "age", "position"
                    )?;
                }
                writeln!(
                    out,
                    "{:<20}{:<38}{:<9}{:>5}{:>12}  {}",
                    service.id(),
                    row.key,
                    state(&row),
                    age(now - row.recorded_at),
                    row.from_position,
                    text(&row.reason, 90)
                )?;
            }
            any = true;
        }
    }
    if !any && !config.json {
        writeln!(io::stdout(), "No key is parked.")?;
    }
    Ok(())
}

async fn release(config: &ReleaseConfig) -> anyhow::Result<()> {
    let mut found = false;
    for (service, table) in tables(config.service.as_deref(), &config.location).await? {
        for row in table.list(MOST_KEYS).await? {
            if config.key.is_some_and(|key| key != row.key) {
                continue;
            }
            found = true;
            let mut would = "will";
            if config.dry_run {
                would = "would";
            } else {
                table.release(row.key).await?;
            }
            writeln!(
                io::stdout(),
                "{}: the events of key {} from position {} on {would} be published, at once when it runs.",
                service.id(),
                row.key,
                row.from_position
            )?;
        }
    }
    match config.key {
        Some(key) if !found => {
            anyhow::bail!("key {key} is not parked: see `taskledger relay parked`")
        }
        None if !found => writeln!(io::stdout(), "No key is parked.")?,
        _ if config.dry_run => writeln!(io::stdout(), "Nothing was changed.")?,
        _ => {}
    }
    Ok(())
}

fn state(row: &ParkedKeyRow) -> &'static str {
    if row.released { "released" } else { "parked" }
}

fn json(service: App, row: &ParkedKeyRow) -> serde_json::Value {
    json!({
        "service": service.id(),
        "key": row.key,
        "state": state(row),
        "from_position": row.from_position,
        "reason": row.reason,
        "recorded_at": row.recorded_at,
    })
}
