//! Tables of projections: others of the same shape beside them, and the switch.
//!
//! The shape is read from the database, so that whatever migrations made of a table is made again.

mod postgres;
mod shape;
mod sqlite;

use database::{Database, Error, Tx};
use sqlx::AssertSqlSafe;

use crate::projection::Tables;

/// Creates empty tables like the live ones. Those to compare with are temporary, and lack what only
/// makes reading fast.
pub(crate) async fn create(tx: &mut Tx, tables: &[&str], into: Tables) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => postgres::create(tx, tables, into).await,
        Tx::Sqlite(tx) => sqlite::create(tx, tables, into).await,
    }
}

/// Drops a table if it is there, or one of its indexes if that is a step of its own; returns whether
/// there is more to do.
pub(crate) async fn discard(tx: &mut Tx, table: &str) -> Result<bool, Error> {
    let index = match tx {
        Tx::Postgres(_) => None,
        Tx::Sqlite(tx) => sqlite::an_index(tx, table).await?,
    };
    let statement = match &index {
        Some(index) => format!("drop index \"{index}\""),
        None => format!("drop table if exists {table}"),
    };
    run(tx, statement).await?;
    Ok(index.is_some())
}

/// Makes the new tables as fast to read as the old ones are.
pub(crate) async fn prepare(database: &Database, tables: &[&str]) -> Result<(), Error> {
    if let Database::Postgres(_) = database {
        let mut tx = database.begin().await?;
        run(&mut tx, "set local statement_timeout = 0".to_owned()).await?;
        for table in tables {
            run(&mut tx, format!("analyze {}", Tables::NEW.name(table))).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Gives the live tables the names of the old ones and the new tables those of the live ones, with
/// all their indexes and constraints.
pub(crate) async fn switch(tx: &mut Tx, tables: &[&str]) -> Result<(), Error> {
    match tx {
        Tx::Postgres(tx) => postgres::switch(tx, tables).await,
        Tx::Sqlite(tx) => sqlite::switch(tx, tables).await,
    }
}

async fn run(tx: &mut Tx, statement: String) -> Result<(), Error> {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement));
    match tx {
        Tx::Postgres(tx) => statement.execute(&mut **tx).await.map(drop)?,
        Tx::Sqlite(tx) => statement.execute(&mut **tx).await.map(drop)?,
    }
    Ok(())
}
