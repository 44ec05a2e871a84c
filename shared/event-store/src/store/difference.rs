//! A table of a projection against the rows that it is to have.

use database::{Error, Tx, on};
use sqlx::AssertSqlSafe;

use super::to_u64;
use crate::projection::Tables;

/// A column, and whether it belongs to the primary key.
type Column = (String, bool);

/// Lets no rebuild switch the tables while the transaction lasts: on PostgreSQL new ones would hold
/// rows that its snapshot does not see. To be called before anything is read.
pub(crate) async fn hold(tx: &mut Tx, tables: &[&str]) -> Result<(), Error> {
    if let Tx::Postgres(tx) = tx {
        let all = tables.join(", ");
        let lock = format!("lock table {all} in access share mode");
        sqlx::raw_sql(AssertSqlSafe(lock))
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// How many rows a table is to have.
pub(crate) async fn count(tx: &mut Tx, table: &str) -> Result<u64, Error> {
    let text = format!("select count(*) from {}", Tables::EXPECTED.name(table));
    let (count,): (i64,) =
        on!(tx, conn => sqlx::query_as(AssertSqlSafe(text)).fetch_one(conn).await)?;
    Ok(to_u64(count))
}

/// What is wrong with a table, a sentence for each row.
pub(crate) async fn rows(tx: &mut Tx, table: &str, most: usize) -> Result<Vec<String>, Error> {
    let columns = columns(tx, table).await?;
    let mut wrong = Vec::new();
    for text in [
        stale(tx, table, &columns),
        lonely(
            tx,
            table,
            &Tables::EXPECTED.name(table),
            &columns,
            "follows from no event",
        ),
        lonely(
            tx,
            &Tables::EXPECTED.name(table),
            table,
            &columns,
            "is missing",
        ),
    ] {
        let text = format!("{text} limit {most}");
        let rows: Vec<(String, String)> =
            on!(&mut *tx, conn => sqlx::query_as(AssertSqlSafe(text)).fetch_all(conn).await)?;
        wrong.extend(
            rows.into_iter()
                .map(|(key, what)| format!("{table}{key}: {what}")),
        );
    }
    Ok(wrong)
}

/// Rows that are there but for a value.
fn stale(tx: &Tx, table: &str, columns: &[Column]) -> String {
    let values = columns.iter().filter(|(_, key)| !key);
    let differs = |name: &str| format!("a.{name} is distinct from b.{name}");
    let (names, conditions): (Vec<String>, Vec<String>) = values
        .map(|(name, _)| {
            let named = format!("case when {} then ' {name}' else '' end", differs(name));
            (named, differs(name))
        })
        .unzip();
    let what = ["'is stale in'".to_owned()].into_iter().chain(names);
    let what: Vec<String> = what.collect();
    let any = if conditions.is_empty() {
        "1 = 0".to_owned()
    } else {
        conditions.join(" or ")
    };
    format!(
        "select {}, {} from {table} a join {} b on {} where {any}",
        key(tx, columns),
        what.join(" || "),
        Tables::EXPECTED.name(table),
        same_key(columns)
    )
}

/// Rows of one table whose key the other lacks.
fn lonely(tx: &Tx, table: &str, other: &str, columns: &[Column], what: &str) -> String {
    let keys = columns.iter().filter(|(_, key)| *key);
    let absent: Vec<String> = keys.map(|(name, _)| format!("b.{name} is null")).collect();
    format!(
        "select {}, '{what}' from {table} a left join {other} b on {} where {}",
        key(tx, columns),
        same_key(columns),
        absent.join(" and ")
    )
}

fn same_key(columns: &[Column]) -> String {
    let keys = columns.iter().filter(|(_, key)| *key);
    let same: Vec<String> = keys
        .map(|(name, _)| format!("a.{name} = b.{name}"))
        .collect();
    same.join(" and ")
}

/// The key as text, ` task_id=…`.
fn key(tx: &Tx, columns: &[Column]) -> String {
    let keys = columns.iter().filter(|(_, key)| *key);
    let parts: Vec<String> = keys
        .map(|(name, _)| format!("' {name}=' || {}", text(tx, name)))
        .collect();
    parts.join(" || ")
}

fn text(tx: &Tx, column: &str) -> String {
    if tx.is_postgres() {
        return format!("a.{column}::text");
    }
    // An id is a blob there; it is shown as everywhere else.
    let part = |from, length| format!("substr(lower(hex(a.{column})), {from}, {length})");
    let id = [
        part(1, 8),
        part(9, 4),
        part(13, 4),
        part(17, 4),
        part(21, 12),
    ];
    format!(
        "case when typeof(a.{column}) = 'blob' then {} else cast(a.{column} as text) end",
        id.join(" || '-' || ")
    )
}

async fn columns(tx: &mut Tx, table: &str) -> Result<Vec<Column>, Error> {
    let columns = match tx {
        Tx::Postgres(tx) => {
            sqlx::query_as(
                "select a.attname::text, coalesce(a.attnum = any(x.indkey), false)
                   from pg_attribute a
                   left join pg_index x on x.indrelid = a.attrelid and x.indisprimary
                  where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped
                  order by a.attnum",
            )
            .bind(table)
            .fetch_all(&mut **tx)
            .await?
        }
        Tx::Sqlite(tx) => {
            sqlx::query_as("select name, pk > 0 from pragma_table_info($1)")
                .bind(table)
                .fetch_all(&mut **tx)
                .await?
        }
    };
    Ok(columns)
}
