//! Tasks that run one transaction after the other.

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

    /// Begins to read, as [`Reader::begin`] does, on the connection of the writer.
    pub async fn read(&self) -> Result<Tx, Error> {
        reading(&self.database, &self.home).await
    }

    /// Begins what writes with one statement. On PostgreSQL there is no transaction around it: the
    /// statement is one by itself, and durable when the server says that it is ready for another, which
    /// is read by whatever reads to the end, as [`Together::ask`](crate::Together::ask) does. To commit
    /// or to roll back only gives the connection back. On SQLite, which is not a trip away, it is
    /// [`Writer::begin`].
    pub async fn statement(&self) -> Result<Tx, Error> {
        match &self.database {
            Database::Postgres(pool) => Ok(Tx::Postgres(PgTx::bare(pool, &self.home).await?)),
            Database::Sqlite { .. } => self.database.begin().await,
        }
    }

    /// Whether it writes to PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }
}

/// Reads for one task that reads all the time, on PostgreSQL on a connection of its own for the same
/// reasons as a [`Writer`].
#[derive(Debug)]
pub struct Reader {
    database: Database,
    home: Home,
}

impl Reader {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            home: Home::default(),
        }
    }

    /// Begins to read. On SQLite all of it sees one state. On PostgreSQL there is no transaction, which
    /// would be two trips to the server more: each statement sees what was committed when it began.
    /// End it with [`Tx::rollback`]: one that is dropped takes the connection with it.
    pub async fn begin(&self) -> Result<Tx, Error> {
        reading(&self.database, &self.home).await
    }
}

async fn reading(database: &Database, home: &Home) -> Result<Tx, Error> {
    match database {
        Database::Postgres(pool) => Ok(Tx::Postgres(PgTx::bare(pool, home).await?)),
        Database::Sqlite { .. } => database.read().await,
    }
}
