//! One rebuild of a ledger at a time, whichever process runs it and however that ends.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use database::{Database, Error};
use sqlx::PgConnection;

/// Held until it is dropped: by the server for a connection of our own, or by the operating system
/// for an open file.
#[derive(Debug)]
pub(crate) enum Alone {
    Postgres(PgConnection),
    Sqlite { _file: File },
}

/// `None` when somebody else is at it.
pub(crate) async fn claim(database: &Database) -> Result<Option<Alone>, Error> {
    match database {
        Database::Postgres(pool) => {
            let mut connection = pool.acquire().await?.detach();
            let (ours,): (bool,) = sqlx::query_as("select pg_try_advisory_lock(7002)")
                .fetch_one(&mut connection)
                .await?;
            Ok(ours.then_some(Alone::Postgres(connection)))
        }
        Database::Sqlite { writer, .. } => {
            let mut path = writer
                .connect_options()
                .get_filename()
                .as_os_str()
                .to_owned();
            path.push("-rebuild");
            // A file of its own: to open and close the database's would end SQLite's own locks.
            let file = File::create(PathBuf::from(path)).map_err(sqlx::Error::Io)?;
            match file.try_lock() {
                Ok(()) => Ok(Some(Alone::Sqlite { _file: file })),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(sqlx::Error::Io(error).into()),
            }
        }
    }
}

impl Alone {
    /// Lets the next one begin at once. Dropped instead, it may have to wait for the server to notice.
    pub(crate) async fn release(self) -> Result<(), Error> {
        if let Self::Postgres(mut connection) = self {
            sqlx::query("select pg_advisory_unlock(7002)")
                .execute(&mut connection)
                .await?;
        }
        Ok(())
    }
}
