//! SQL of the sides that do without the ledger.

pub(crate) mod batch;
pub(crate) mod requests;

use database::sqlx;
use database::sqlx::postgres::{PgPool, PgPoolOptions};
use database::{Database, Error, Tx, on};

/// What the naive side numbers its events with on PostgreSQL. SQLite numbers rows by itself.
pub(crate) async fn create_sequence(database: &Database) -> Result<(), Error> {
    if let Database::Postgres(pool) = database {
        sqlx::query("create sequence if not exists event_position")
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// Numbers events without gaps and sets the ledger's counter, so that what a side without the ledger
/// wrote can be verified as one. A sequence leaves a gap where a transaction was rolled back, such as
/// that of a client who did not wait for the answer.
pub(crate) async fn number_as_a_ledger(tx: &mut Tx) -> Result<(), Error> {
    if let Tx::Postgres(tx) = tx {
        // In two steps, because no position may be there twice in between.
        for step in [
            "update event e set position = -n.number
               from (select position, row_number() over (order by position) as number
                       from event) as n
              where n.position = e.position",
            "update event set position = -position",
        ] {
            sqlx::query(step).execute(&mut **tx).await?;
        }
    }
    on!(tx, conn => sqlx::query(
        "update ledger_position
            set last_position = (select coalesce(max(position), 0) from event) where id = 0"
    ).execute(conn).await.map(drop))?;
    Ok(())
}

/// Events that the relay has still to publish.
pub(crate) async fn unpublished(tx: &mut Tx) -> Result<i64, Error> {
    let (count,): (i64,) = on!(tx, conn => sqlx::query_as(
        "select count(*) from event e
           join relay_bucket b on b.bucket = e.bucket
          where e.topic is not null and e.position > b.last_position"
    ).fetch_one(conn).await)?;
    Ok(count)
}

/// Timers that wait.
pub(crate) async fn timers(database: &Database) -> Result<i64, Error> {
    let mut tx = database.read().await?;
    let (count,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "select count(*) from timer"
    ).fetch_one(conn).await)?;
    Ok(count)
}

/// Makes and removes databases of a server.
#[derive(Debug)]
pub(crate) struct Admin(PgPool);

impl Admin {
    pub(crate) async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
        Ok(Self(pool))
    }

    pub(crate) async fn create(
        &self,
        name: &str,
        template: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        let template = template.unwrap_or("template1");
        self.execute(format!("create database {name} template {template}"))
            .await
    }

    pub(crate) async fn remove(&self, name: &str) -> Result<(), sqlx::Error> {
        self.execute(format!("drop database {name} with (force)"))
            .await
    }

    pub(crate) async fn checkpoint(&self) -> Result<(), sqlx::Error> {
        self.execute("checkpoint".to_owned()).await
    }

    async fn execute(&self, statement: String) -> Result<(), sqlx::Error> {
        // The names are ours.
        let statement = sqlx::AssertSqlSafe(statement);
        sqlx::query(statement).execute(&self.0).await.map(drop)
    }
}

/// Rows of labels.
pub(crate) async fn labels(database: &Database) -> Result<i64, Error> {
    let mut tx = database.read().await?;
    let (count,): (i64,) = on!(&mut tx, conn => sqlx::query_as(
        "select count(*) from task_labels"
    ).fetch_one(conn).await)?;
    Ok(count)
}
