//! `taskledger ledger migrate`: the tables of a service, brought up to date by their owner.

use std::io::{self, Write};

use database::{Config, Database, MigrateMode};
use event_schema::App;
use event_store::{AppRole, Rebuild};
use secrecy::ExposeSecret;

use super::catalog;
use super::progress::Bar;
use crate::config::MigrateConfig;
use crate::location::{migrations, service};

pub(super) async fn run(config: &MigrateConfig) -> anyhow::Result<()> {
    let service = service(&config.service)?;
    let role = config.app_role.as_deref().map(AppRole::new).transpose()?;
    let opened = Config {
        database_migrate: MigrateMode::Apply,
        ..Config::for_url(config.database_url.expose_secret())
    };
    let database = Database::connect(&opened, &migrations(service)).await?;
    if let Some(role) = &role {
        role.let_in(&database).await?;
    }
    rebuild_stale(&database, service).await?;
    database.close().await;
    writeln!(
        io::stdout(),
        "the tables of {} are up to date",
        service.id()
    )?;
    Ok(())
}

/// Makes the rows of projections anew that are of an older version: a service itself may lack the right
/// to make tables.
async fn rebuild_stale(database: &Database, service: App) -> anyhow::Result<()> {
    let catalog = catalog(service);
    let rebuild = Rebuild::new(database, &catalog);
    for stale in rebuild.stale().await? {
        let mut bar = Bar::begin(stale.projection);
        let refreshed = rebuild.refresh(stale.projection, |progress| bar.show(progress));
        let refreshed = refreshed.await;
        bar.end();
        refreshed?;
    }
    Ok(())
}
