//! Where the tables are: a fresh database for every run, so that all find tables of one size.

mod account;
mod binaries;
mod server;

use std::path::Path;

use clap::ValueEnum;
use database::{Config, Database, MigrationSet};
use serde::Serialize;

use crate::store;
use server::Server;

const TABLES: [MigrationSet; 2] = [event_store::MIGRATIONS, task_api::store::MIGRATIONS];
const TEMPLATE: &str = "empty";

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A server that is started for the comparison and ends with it.
    Postgres,
    /// A file.
    Sqlite,
}

/// Makes databases.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    Postgres(Box<Postgres>),
    Sqlite(&'a Path),
}

#[derive(Debug)]
pub(crate) struct Postgres {
    server: Server,
    admin: store::Admin,
}

/// A database with empty tables.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) url: String,
    name: String,
}

impl<'a> Place<'a> {
    pub(crate) async fn open(kind: Kind, folder: &'a Path) -> anyhow::Result<Self> {
        if kind == Kind::Sqlite {
            return Ok(Self::Sqlite(folder));
        }
        let server = Server::start(folder)?;
        let admin = store::Admin::connect(&server.url("postgres")).await?;
        admin.create(TEMPLATE, None).await?;
        let config = Config::for_url(server.url(TEMPLATE));
        let template = Database::connect(&config, &TABLES).await?;
        store::create_sequence(&template).await?;
        template.close().await;
        Ok(Self::Postgres(Box::new(Postgres { server, admin })))
    }

    /// What it is, for the head of the report.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Postgres(postgres) => postgres.server.description(),
            Self::Sqlite(_) => "SQLite, a file, WAL, synchronous=FULL".to_owned(),
        }
    }

    /// The root of the server's processes.
    pub(crate) fn process(&self) -> Option<u32> {
        match self {
            Self::Postgres(postgres) => Some(postgres.server.id()),
            Self::Sqlite(_) => None,
        }
    }

    pub(crate) async fn fresh(&self, name: &str) -> anyhow::Result<Fresh> {
        let name = name.to_owned();
        Ok(match self {
            Self::Postgres(postgres) => {
                postgres.admin.create(&name, Some(TEMPLATE)).await?;
                postgres.admin.checkpoint().await?;
                Fresh {
                    url: postgres.server.url(&name),
                    name,
                }
            }
            Self::Sqlite(folder) => Fresh {
                url: format!("sqlite://{}", folder.join(format!("{name}.db")).display()),
                name,
            },
        })
    }

    pub(crate) async fn remove(&self, fresh: Fresh) -> anyhow::Result<()> {
        match self {
            Self::Postgres(postgres) => postgres.admin.remove(&fresh.name).await?,
            Self::Sqlite(folder) => {
                for ending in ["db", "db-wal", "db-shm"] {
                    let file = folder.join(format!("{}.{ending}", fresh.name));
                    if file.exists() {
                        std::fs::remove_file(file)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Fresh {
    pub(crate) async fn connect(&self) -> anyhow::Result<Database> {
        Ok(Database::connect(&Config::for_url(self.url.clone()), &TABLES).await?)
    }
}
