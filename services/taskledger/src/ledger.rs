//! `taskledger ledger`: whether the ledgers of the services are sound.

use std::io::{self, Write};

use database::Database;
use event_schema::App;
use event_store::{Verification, Verifier};

use crate::config::{LedgerCommand, VerifyConfig};
use crate::location::Location;

/// Runs the subcommand.
pub async fn run(command: LedgerCommand) -> anyhow::Result<()> {
    match command {
        LedgerCommand::Verify(config) => verify(&config).await,
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
                "{:<22}{:>10}{:>10}  verdict",
                "service",
                "events",
                "streams"
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
    let found = verifier(service, &database).run().await?;
    database.close().await;
    Ok(found)
}

fn verifier(service: App, database: &Database) -> Verifier<'_> {
    match service {
        App::TaskApi => task_api::app::verifier(database),
        App::ReminderScheduler => reminder_scheduler::app::verifier(database),
        App::RecurringGenerator => recurring_generator::app::verifier(database),
        App::Notifier => notifier::app::verifier(database),
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
        "{:<22}{:>10}{:>10}  {verdict}",
        service.id(),
        found.events,
        found.streams
    )?;
    for finding in &found.findings {
        writeln!(out, "  {finding}")?;
    }
    out.flush()
}
