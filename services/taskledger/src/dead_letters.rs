//! `taskledger dead-letters`: events that could not be processed, in an operator's hands.

use std::io::{self, Write};

use anyhow::Context as _;
use event_schema::App;
use event_store::{DeadLetterRow, DeadLetterTable};

use crate::config::{DeadLetterChoice, DeadLettersCommand, ListConfig};
use crate::location::{self, Location};

/// More than anybody reads; a table that holds more wants a query, not a list.
const MOST_ROWS: u32 = 1000;

/// Runs the subcommand.
pub async fn run(command: DeadLettersCommand) -> anyhow::Result<()> {
    match command {
        DeadLettersCommand::List(config) => list(&config).await,
        DeadLettersCommand::Show(choice) => show(&choice).await,
        DeadLettersCommand::Replay(choice) => {
            decide(&choice, "released", async |table, id| {
                Ok(table.replay(id).await?)
            })
            .await
        }
        DeadLettersCommand::Drop(choice) => {
            decide(&choice, "dropped", async |table, id| {
                Ok(table.discard(id).await?)
            })
            .await
        }
    }
}

async fn list(config: &ListConfig) -> anyhow::Result<()> {
    let mut any = false;
    for service in config.location.services(config.service.as_deref())? {
        let table = table(service, &config.location).await?;
        for row in table.list(MOST_ROWS).await? {
            if !any {
                heading()?;
                any = true;
            }
            line(service, &row)?;
        }
    }
    if !any {
        writeln!(io::stdout(), "No event is parked.")?;
    }
    Ok(())
}

async fn show(choice: &DeadLetterChoice) -> anyhow::Result<()> {
    let (_, table) = chosen(choice).await?;
    let rows = table.list(MOST_ROWS).await?;
    let row = rows.into_iter().find(|row| row.dead_letter_id == choice.id);
    let row =
        row.with_context(|| format!("{} has no dead letter {}", choice.service, choice.id))?;
    let mut out = io::stdout().lock();
    writeln!(out, "state     {}", row.state)?;
    writeln!(out, "topic     {}", row.topic)?;
    writeln!(
        out,
        "type      {}",
        row.r#type.as_deref().unwrap_or("unreadable")
    )?;
    writeln!(
        out,
        "event id  {}",
        row.event_id.as_deref().unwrap_or("unreadable")
    )?;
    writeln!(out, "key       {}", row.key.as_deref().unwrap_or("none"))?;
    writeln!(
        out,
        "since     {}",
        row.recorded_at.format("%Y-%m-%d %H:%M:%S UTC")
    )?;
    writeln!(out, "reason    {}", row.reason)?;
    writeln!(out, "\n{}", String::from_utf8_lossy(&row.envelope))?;
    Ok(())
}

/// Carries out a decision on one parked event; the running service does the rest within a second.
async fn decide(
    choice: &DeadLetterChoice,
    done: &str,
    decision: impl AsyncFnOnce(&DeadLetterTable, i64) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let (service, table) = chosen(choice).await?;
    if !decision(&table, choice.id).await? {
        anyhow::bail!("{} has no parked dead letter {}", service.id(), choice.id);
    }
    let waiting = table.released(MOST_ROWS).await?.len();
    writeln!(
        io::stdout(),
        "Dead letter {} is {done}; {waiting} to be delivered again by {}, at once when it runs.",
        choice.id,
        service.id()
    )?;
    Ok(())
}

async fn chosen(choice: &DeadLetterChoice) -> anyhow::Result<(App, DeadLetterTable)> {
    let service = location::service(&choice.service)?;
    Ok((service, table(service, &choice.location).await?))
}

async fn table(service: App, location: &Location) -> anyhow::Result<DeadLetterTable> {
    Ok(DeadLetterTable::new(location.open(service).await?, service))
}

fn heading() -> io::Result<()> {
    writeln!(
        io::stdout(),
        "{:<22}{:>6}  {:<10}{:<20}{:<26}reason",
        "service",
        "id",
        "state",
        "topic",
        "type"
    )
}

fn line(service: App, row: &DeadLetterRow) -> io::Result<()> {
    let reason: String = row
        .reason
        .chars()
        .filter(|c| !c.is_control())
        .take(80)
        .collect();
    let kind = row.r#type.as_deref().unwrap_or("unreadable");
    writeln!(
        io::stdout(),
        "{:<22}{:>6}  {:<10}{:<20}{kind:<26}{reason}",
        service.id(),
        row.dead_letter_id,
        row.state,
        row.topic
    )
}
