//! The connection that writes, made anew after a write that failed.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

/// SQLite ends a transaction by itself when the disk is full or fails, and sqlx then counts the
/// connection as inside a transaction for ever: no connection outlives a failure.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
}

impl Writing {
    pub(super) async fn open(options: SqliteConnectOptions) -> sqlx::Result<Self> {
        let connection = Some(SqliteConnection::connect_with(&options).await?);
        Ok(Self {
            options,
            connection,
        })
    }

    pub(super) async fn connection(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            missing => {
                let connection = SqliteConnection::connect_with(&self.options).await?;
                Ok(missing.insert(connection))
            }
        }
    }

    /// Gives the connection up after a failure; the next one asks the file how it stands.
    pub(super) async fn discard(&mut self) {
        if let Some(connection) = self.connection.take() {
            // What it says when it is closed does not matter any more.
            let _ = connection.close_hard().await;
        }
    }

    /// Moves what is in the write-ahead log to the file and closes it.
    pub(super) async fn close(mut self) -> sqlx::Result<()> {
        let connection = self.connection().await?;
        sqlx::query("pragma wal_checkpoint(truncate)")
            .execute(&mut *connection)
            .await?;
        match self.connection.take() {
            Some(connection) => connection.close().await,
            None => Ok(()),
        }
    }
}
