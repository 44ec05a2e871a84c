//! A transaction of either kind, and the macro that runs one SQL text on it.

use sqlx::{Sqlite, Transaction};

use crate::{Error, PgTx};

/// A transaction. Dropped without [`Tx::commit`] it has not happened, unless it is one
/// [statement](crate::Writer::statement).
#[derive(Debug)]
pub enum Tx {
    /// On PostgreSQL.
    Postgres(PgTx),
    /// On SQLite.
    Sqlite(Transaction<'static, Sqlite>),
}

impl Tx {
    /// Makes everything in it durable: fsynced when this returns.
    pub async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Postgres(tx) => tx.commit().await?,
            Self::Sqlite(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Makes it not have happened, without leaving the rollback to the connection's next user.
    pub async fn rollback(self) -> Result<(), Error> {
        match self {
            Self::Postgres(tx) => tx.rollback().await?,
            Self::Sqlite(tx) => tx.rollback().await?,
        }
        Ok(())
    }

    /// Whether it is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Runs one expression on the connection of a [`Tx`], whichever kind it is.
///
/// The body is expanded once per driver, so the same SQL text and binds serve both.
#[macro_export]
macro_rules! on {
    ($tx:expr, $conn:ident => $body:expr) => {
        match $tx {
            $crate::Tx::Postgres(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
        }
    };
}
