//! SQLite: the shape of a table is the text that created it, and an index cannot be renamed by a
//! statement. What the schema table says is therefore changed as SQLite itself does it.

use database::Error;
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::shape;
use crate::projection::Tables;

type Tx = Transaction<'static, Sqlite>;

/// A table or index, and the text that creates it.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Entry {
    r#type: String,
    name: String,
    tbl_name: String,
    sql: String,
}

pub(super) async fn create(tx: &mut Tx, tables: &[&str], into: Tables) -> Result<(), Error> {
    let temporary = into == Tables::EXPECTED;
    for table in tables {
        for entry in entries(tx, table).await? {
            if temporary && entry.r#type == "index" && !shape::is_unique(&entry.sql) {
                continue;
            }
            let sql = shape::renamed(&entry.sql, tables, into, temporary);
            run(tx, sql.ok_or_else(|| unreadable(&entry))?).await?;
        }
    }
    Ok(())
}

/// The indexes that were created by a statement; the others go with their table.
pub(super) async fn an_index(tx: &mut Tx, table: &str) -> Result<Option<String>, Error> {
    let entries = entries(tx, table).await?;
    let index = entries.into_iter().find(|entry| entry.r#type == "index");
    Ok(index.map(|index| index.name))
}

pub(super) async fn switch(tx: &mut Tx, tables: &[&str]) -> Result<(), Error> {
    let mut live = Vec::new();
    for table in tables {
        live.extend(entries(tx, table).await?);
    }
    // References between the tables follow each of these names by themselves.
    for table in tables {
        let old = Tables::OLD.name(table);
        run(tx, format!("alter table {table} rename to {old}")).await?;
    }
    for table in tables {
        let new = Tables::NEW.name(table);
        run(tx, format!("alter table {new} rename to {table}")).await?;
    }
    run(tx, "pragma writable_schema = on".to_owned()).await?;
    for entry in &live {
        restore(tx, entry, tables).await?;
    }
    // What this connection knew by heart is read anew; the others read it because of the renames.
    run(tx, "pragma writable_schema = reset".to_owned()).await?;
    for table in tables {
        let now = entries(tx, table).await?;
        let same = live.iter().filter(|entry| entry.tbl_name == *table);
        if !now
            .iter()
            .map(|entry| &entry.sql)
            .eq(same.map(|entry| &entry.sql))
        {
            return Err(Error::Corrupt {
                table: "sqlite_schema",
                column: "sql",
                id: (*table).to_owned(),
                reason: "its new table is not of the shape of the old one".to_owned(),
            });
        }
    }
    Ok(())
}

/// Gives what is new the name and text that what was live had.
async fn restore(tx: &mut Tx, live: &Entry, tables: &[&str]) -> Result<(), Error> {
    let mut current = live.name.clone();
    if live.r#type == "index" {
        let old = shape::renamed(&live.sql, tables, Tables::OLD, false);
        let old = old.ok_or_else(|| unreadable(live))?;
        rename(tx, &live.name, &Tables::OLD.name(&live.name), &old).await?;
        current = Tables::NEW.name(&live.name);
    }
    rename(tx, &current, &live.name, &live.sql).await
}

async fn rename(tx: &mut Tx, from: &str, to: &str, sql: &str) -> Result<(), Error> {
    sqlx::query("update sqlite_schema set name = $2, sql = $3 where name = $1")
        .bind(from)
        .bind(to)
        .bind(sql)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// A table and its indexes, the table first.
async fn entries(tx: &mut Tx, table: &str) -> Result<Vec<Entry>, Error> {
    Ok(sqlx::query_as(
        "select type, name, tbl_name, sql from main.sqlite_schema
          where tbl_name = $1 and type in ('table', 'index') and sql is not null
          order by type desc, name",
    )
    .bind(table)
    .fetch_all(&mut **tx)
    .await?)
}

fn unreadable(entry: &Entry) -> Error {
    Error::Corrupt {
        table: "sqlite_schema",
        column: "sql",
        id: entry.name.clone(),
        reason: "the text is not of the form that this version reads".to_owned(),
    }
}

async fn run(tx: &mut Tx, statement: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
