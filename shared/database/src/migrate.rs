//! Forward-only migrations, one file per dialect under the same name.

use std::collections::HashMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Executor};

use crate::{ConnectError, Database, Error, Tx, on};

/// One change of the tables, in both dialects.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The file's name without its ending, `0001_ledger`; they are applied in this order.
    pub name: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
}

/// The migrations of one crate. Several sets share a database.
#[derive(Clone, Copy, Debug)]
pub struct MigrationSet {
    /// The crate.
    pub name: &'static str,
    /// In the order in which they are applied.
    pub migrations: &'static [Migration],
}

/// Lists migration files by name; each must exist under `migrations/postgres` and `migrations/sqlite`.
#[macro_export]
macro_rules! migrations {
    ($set:literal: $($name:literal),+ $(,)?) => {
        $crate::MigrationSet {
            name: $set,
            migrations: &[$($crate::Migration {
                name: $name,
                postgres: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, ".sql"
                )),
                sqlite: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql"
                )),
            }),+],
        }
    };
}

/// Advisory lock under which replicas that start together migrate one after the other.
const MIGRATION_LOCK: &str = "select pg_advisory_xact_lock(7000)";

/// A migration may rewrite a large table, and a replica waits for the one that does; what requests are
/// bounded by does not hold here.
const PATIENCE: [&str; 2] = [
    "set local statement_timeout = 0",
    "set local lock_timeout = '10min'",
];

const CREATE_LIST: &str = "create table if not exists migration (
    migration_set text not null,
    name text not null,
    checksum text not null,
    primary key (migration_set, name)
)";

impl MigrationSet {
    /// Applies what is missing, all in one transaction, or says what is missing.
    pub(crate) async fn bring_up(
        &self,
        database: &Database,
        place: &str,
        apply: bool,
    ) -> Result<(), ConnectError> {
        let unreadable = |cause| ConnectError::List {
            place: place.to_owned(),
            cause,
        };
        let mut tx = database.begin().await.map_err(unreadable)?;
        let applied = applied(&mut tx, self.name, apply)
            .await
            .map_err(unreadable)?;
        for migration in self.migrations {
            let text = if tx.is_postgres() {
                migration.postgres
            } else {
                migration.sqlite
            };
            let checksum = checksum(text);
            match applied.get(migration.name) {
                Some(known) if *known == checksum => {}
                Some(_) => {
                    let name = migration.name.to_owned();
                    return Err(ConnectError::Changed {
                        set: self.name,
                        name,
                    });
                }
                None if !apply => {
                    return Err(ConnectError::Pending {
                        set: self.name,
                        name: migration.name,
                    });
                }
                None => run(&mut tx, self.name, migration.name, text, &checksum)
                    .await
                    .map_err(|cause| ConnectError::Failed {
                        set: self.name,
                        name: migration.name,
                        place: place.to_owned(),
                        cause,
                    })?,
            }
        }
        tx.commit().await.map_err(unreadable)
    }
}

async fn applied(tx: &mut Tx, set: &str, create: bool) -> Result<HashMap<String, String>, Error> {
    if let Tx::Postgres(tx) = tx {
        for statement in PATIENCE.iter().chain([&MIGRATION_LOCK]) {
            sqlx::query(*statement).execute(&mut **tx).await?;
        }
    }
    if create {
        on!(tx, conn => sqlx::query(CREATE_LIST).execute(conn).await.map(drop))?;
    } else if !list_exists(tx).await? {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = on!(tx, conn => sqlx::query_as(
        "select name, checksum from migration where migration_set = $1"
    ).bind(set).fetch_all(conn).await)?;
    Ok(rows.into_iter().collect())
}

async fn list_exists(tx: &mut Tx) -> Result<bool, Error> {
    let found: Option<(i32,)> = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as("select 1 where to_regclass('migration') is not null")
                .fetch_optional(&mut **tx)
                .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as("select 1 from sqlite_schema where name = 'migration'")
                .fetch_optional(&mut **tx)
                .await?
        }
    };
    Ok(found.is_some())
}

async fn run(
    tx: &mut Tx,
    set: &str,
    name: &str,
    text: &'static str,
    checksum: &str,
) -> Result<(), Error> {
    // The text is a file of this binary, and may hold several statements.
    on!(tx, conn => conn.execute(sqlx::raw_sql(AssertSqlSafe(text))).await.map(drop))?;
    on!(tx, conn => sqlx::query(
        "insert into migration (migration_set, name, checksum) values ($1, $2, $3)"
    ).bind(set).bind(name).bind(checksum).execute(conn).await.map(drop))?;
    tracing::info!(
        migration.set = set,
        migration.name = name,
        "applied migration {set}/{name}"
    );
    Ok(())
}

fn checksum(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
