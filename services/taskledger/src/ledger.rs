//! `taskledger ledger`: whether the ledgers of the services are sound, and their tables made anew or
//! brought up to date.

mod migrate;
mod progress;
mod rebuild;

use std::io::{self, Write};

use event_schema::App;
use event_store::{Catalog, Verification, Verifier};

use crate::config::{LedgerCommand, VerifyConfig};
use crate::location::Location;

/// Runs the subcommand.
pub async fn run(command: LedgerCommand) -> anyhow::Result<()> {
    match command {
        LedgerCommand::Verify(config) => verify(&config).await,
        LedgerCommand::Rebuild(config) => rebuild::run(&config).await,
        LedgerCommand::Migrate(config) => migrate::run(&config).await,
    }
}

async fn verify(config: &VerifyConfig) -> anyhow::Result<()> {
    let mut wrong = 0;
    let services = config.location.services(config.service.as_deref())?;
    for (row, service) in services.into_iter().enumerate() {
        let found = verify_service(service, &config.location).await?;
        wrong += found.findings.len();
        if row == 0 {
            writeln!(
                io::stdout(),
                "{:<22}{:>10}{:>10}{:>10}  verdict",
                "service",
                "events",
                "streams",
                "rows"
            )?;
        }
        show(service, &found)?;
    }
    match wrong {
        0 => Ok(()),
        1 => anyhow::bail!("a row is wrong"),
        more => anyhow::bail!("{more} rows are wrong"),
    }
}

async fn verify_service(service: App, location: &Location) -> anyhow::Result<Verification> {
    let database = location.open(service).await?;
    let found = Verifier::new(&database, &catalog(service)).run().await?;
    database.close().await;
    Ok(found)
}

fn catalog(service: App) -> Catalog {
    match service {
        App::TaskApi => task_api::app::catalog(),
        App::ReminderScheduler => reminder_scheduler::app::catalog(),
        App::RecurringGenerator => recurring_generator::app::catalog(),
        App::Notifier => notifier::app::catalog(),
    }
}

fn show(service: App, found: &Verification) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let verdict = match found.findings.len() {
        0 => "sound".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    };
    writeln!(
        out,
        "{:<22}{:>10}{:>10}{:>10}  {verdict}",
        service.id(),
        found.events,
        found.streams,
        found.rows
    )?;
    for finding in &found.findings {
        writeln!(out, "  {finding}")?;
    }
    out.flush()
}
