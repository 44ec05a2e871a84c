//! `projection`: by which version of itself the rows of each were made.

use std::collections::HashMap;

use database::{Error, Tx, on};
use sqlx::AssertSqlSafe;

use crate::projection::Made;

/// The versions that are recorded, by name.
pub(crate) async fn load(tx: &mut Tx) -> Result<HashMap<String, Made<String>>, Error> {
    let rows: Vec<(String, i32, String)> = on!(tx, conn => sqlx::query_as(
        "select name, version, rules from projection"
    ).fetch_all(conn).await)?;
    let made = |(name, version, rules): (String, i32, String)| {
        let version = u32::try_from(version).unwrap_or_default();
        (name, Made { version, rules })
    };
    Ok(rows.into_iter().map(made).collect())
}

/// Notes what the rows are made by now.
pub(crate) async fn record(tx: &mut Tx, name: &str, made: &Made<&str>) -> Result<(), Error> {
    on!(tx, conn => sqlx::query(
        "insert into projection (name, version, rules) values ($1, $2, $3)
             on conflict (name) do update set version = excluded.version, rules = excluded.rules"
    ).bind(name)
     .bind(i32::try_from(made.version).unwrap_or(i32::MAX))
     .bind(made.rules)
     .execute(conn).await.map(drop))?;
    Ok(())
}

/// Whether a table of a projection has no row.
pub(crate) async fn is_empty(tx: &mut Tx, table: &'static str) -> Result<bool, Error> {
    let any = AssertSqlSafe(format!("select 1 from {table} limit 1"));
    let row: Option<(i32,)> = on!(tx, conn => sqlx::query_as(any).fetch_optional(conn).await)?;
    Ok(row.is_none())
}
