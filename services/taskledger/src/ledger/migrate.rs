//! `taskledger ledger migrate`: the tables of a service, brought up to date by their owner.

use std::io::{self, Write};

use database::{Config, Database, MigrateMode};
use event_store::AppRole;
use secrecy::ExposeSecret;

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
    database.close().await;
    writeln!(
        io::stdout(),
        "the tables of {} are up to date",
        service.id()
    )?;
    Ok(())
}
