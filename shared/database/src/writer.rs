//! A task that writes one transaction after the other.

use crate::held::{Home, PgTx};
use crate::{Database, Error, Tx};

/// Begins transactions for one task that writes all the time.
///
/// On PostgreSQL it keeps a connection of its own beside the pool, because a pool asks a connection
/// whether it lives before it lends it and after it comes back: two trips to the server per
/// transaction that say nothing the transaction would not. It closes it when it is dropped.
/// On SQLite it shares the one writing connection with everybody.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    home: Home,
    begin: &'static str,
}

impl Writer {
    pub(crate) fn new(database: Database, begin: &'static str) -> Self {
        Self {
            database,
            home: Home::default(),
            begin,
        }
    }

    /// Begins a transaction that may write, as [`Database::begin`] does.
    pub async fn begin(&self) -> Result<Tx, Error> {
        match &self.database {
            Database::Postgres(pool) => {
                let tx = PgTx::kept(pool, &self.home, self.begin).await?;
                Ok(Tx::Postgres(tx))
            }
            Database::Sqlite { .. } => self.database.begin().await,
        }
    }
}
