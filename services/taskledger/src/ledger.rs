//! `taskledger ledger`: whether the ledgers of the services are sound.

use std::io::{self, Write};
use std::path::Path;

use database::{Config, Database, MigrateMode};
use event_schema::App;
use event_store::{Verification, Verifier};

use crate::config::{LedgerCommand, VerifyConfig};
use crate::data_directory;

/// Runs the subcommand.
pub async fn run(command: LedgerCommand) -> anyhow::Result<()> {
    match command {
        LedgerCommand::Verify(config) => verify(&config).await,
    }
}

async fn verify(config: &VerifyConfig) -> anyhow::Result<()> {
    let mut wrong = 0;
    for (row, service) in services(config.service.as_deref())?.into_iter().enumerate() {
        let found = verify_service(service, &config.data_dir).await?;
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

/// All services, or the one that was named.
pub(crate) fn services(wanted: Option<&str>) -> anyhow::Result<Vec<App>> {
    let Some(name) = wanted else {
        return Ok(App::ALL.to_vec());
    };
    let Some(app) = App::from_id(name) else {
        let all: Vec<&str> = App::ALL.into_iter().map(App::id).collect();
        anyhow::bail!(
            "there is no service {name}; the services are {}",
            all.join(", ")
        )
    };
    Ok(vec![app])
}

async fn verify_service(service: App, directory: &Path) -> anyhow::Result<Verification> {
    let database = open(service, directory).await?;
    let found = verifier(service, &database).run().await?;
    database.close().await;
    Ok(found)
}

/// The database of a service, which may be running.
pub(crate) async fn open(service: App, directory: &Path) -> anyhow::Result<Database> {
    let file = data_directory::database_file(directory, service);
    if !file.exists() {
        anyhow::bail!(
            "there is no ledger of {} in {}: start the suite there first, or name its directory with --data-dir",
            service.id(),
            directory.display()
        );
    }
    let config = Config {
        database_migrate: MigrateMode::Check,
        ..Config::for_url(data_directory::sqlite_url(&file))
    };
    Ok(Database::connect(&config, &[event_store::MIGRATIONS]).await?)
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
