//! Ends the leases of a dead predecessor.

use database::{Database, Tx};

use crate::{Error, Ledger};

impl Ledger {
    /// Ends every lease in a SQLite file: it belongs to one process, so whoever holds one is dead.
    /// On PostgreSQL another replica may be alive, and a lease ends by itself. Call it once, before
    /// relay and workers run.
    pub async fn take_over(&self) -> Result<(), Error> {
        if matches!(self.core.database, Database::Postgres(_)) {
            return Ok(());
        }
        let mut tx = self.core.database.begin().await?;
        if let Tx::Sqlite(tx) = &mut tx {
            for statement in [
                "update relay_bucket set owner = null",
                "delete from relay_replica",
                "update timer set lease_until = '1970-01-01T00:00:00+00:00'
                  where lease_until > '1970-01-01T00:00:00+00:00'",
            ] {
                sqlx::query(statement)
                    .execute(&mut **tx)
                    .await
                    .map_err(database::Error::from)?;
            }
        }
        Ok(tx.commit().await?)
    }
}
