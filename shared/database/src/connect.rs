//! Opening a database of either kind.

use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::checkpoint::{self, Checkpoints};
use crate::{Config, ConnectError, Error, MigrateMode, MigrationSet, PgTx, Reader, Tx, Writer};

/// How long a statement may wait for another process's lock on the SQLite file.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// For finding out why a server cannot be reached.
const LAST_ATTEMPT: Duration = Duration::from_secs(2);
/// Statements that stay prepared per connection: the lane's texts in all the shapes that
/// [`rows`](crate::rows) gives them.
const SQLITE_STATEMENTS: usize = 256;
/// Kibibytes, as SQLite writes them: pages that are written in no order find each other again.
const SCRATCH_CACHE: &str = "-65536";
/// Memory that the writer may take for pages, in KiB. SQLite's own 2 MB make a batch of a few hundred
/// rows read pages again that it has just written. Readers, of whom there are several, have 2 MB each.
const SQLITE_CACHE: &str = "-16384";
/// Where the writer keeps what a statement has to put back if it fails half-way: the pages that it
/// changed, a few hundred at most. In a file, as SQLite has it, they were every third write of a batch.
const SQLITE_UNDO: &str = "memory";
/// Where work in bulk keeps what it puts back, its temporary tables, and what it sorts for an index: each
/// may be as large as the database.
const SCRATCH_TABLES: &str = "file";

/// A database of one service: a PostgreSQL database or a SQLite file. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Database {
    /// One pool; concurrency is the server's business.
    Postgres(PgPool),
    /// One writer, because SQLite has only one; readers apart, so that they never wait for it.
    Sqlite {
        /// The only connection that writes.
        writer: SqlitePool,
        /// Connections that cannot write.
        readers: SqlitePool,
        /// Keep the log short.
        checkpoints: Checkpoints,
    },
}

impl Database {
    /// Opens the database and brings its tables up to date, or refuses, as the configuration says.
    ///
    /// A SQLite file is created when it is missing, unless migrations are only checked.
    pub async fn connect(config: &Config, sets: &[MigrationSet]) -> Result<Self, ConnectError> {
        let url = config.database_url.expose_secret();
        let (database, place) = match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => postgres(url, config).await?,
            Some("sqlite") => sqlite(url, config).await?,
            _ => return Err(ConnectError::Scheme),
        };
        let apply = match config.database_migrate {
            MigrateMode::Apply => true,
            MigrateMode::Check => false,
            MigrateMode::Auto => matches!(database, Self::Sqlite { .. }),
        };
        let bulk = database.written_in_bulk(SQLITE_BUSY_TIMEOUT).await;
        let bulk = bulk.map_err(cannot_open(&place))?;
        for set in sets {
            set.bring_up(&bulk, &place, apply).await?;
        }
        Ok(database)
    }

    /// Begins a transaction that may write.
    ///
    /// SQLite: `BEGIN IMMEDIATE`, because a deferred transaction that reads first fails at once when
    /// somebody else wrote in between. PostgreSQL: READ COMMITTED, so that what follows a lock sees
    /// what was committed before the lock was granted.
    pub async fn begin(&self) -> Result<Tx, Error> {
        match self {
            Self::Postgres(pool) => Ok(Tx::Postgres(PgTx::lent(pool.begin().await?))),
            Self::Sqlite { writer, .. } => begin_sqlite(writer, "begin immediate").await,
        }
    }

    /// For a task that writes one transaction after the other. On PostgreSQL each begins with
    /// `begin`, which is `begin` itself and perhaps a lock after it, all in one trip to the server.
    pub fn writer(&self, begin: &'static str) -> Writer {
        Writer::new(self.clone(), begin)
    }

    /// For a task that reads one transaction after the other.
    pub fn reader(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// Begins a transaction that sees one state of the database throughout and does not write.
    pub async fn read(&self) -> Result<Tx, Error> {
        match self {
            Self::Postgres(pool) => {
                let begin = "begin isolation level repeatable read read only";
                Ok(Tx::Postgres(PgTx::lent(pool.begin_with(begin).await?)))
            }
            Self::Sqlite { readers, .. } => begin_sqlite(readers, "begin").await,
        }
    }

    /// Begins a long transaction that sees one state of the database throughout and writes nothing but
    /// temporary tables, which go with it. It holds up nobody's writes.
    pub async fn scratch(&self) -> Result<Tx, Error> {
        match self {
            Self::Postgres(pool) => {
                let mut tx = pool
                    .begin_with("begin isolation level repeatable read")
                    .await?;
                for statement in [
                    "set local statement_timeout = 0",
                    "set local idle_in_transaction_session_timeout = '5min'",
                ] {
                    sqlx::query(statement).execute(&mut *tx).await?;
                }
                Ok(Tx::Postgres(PgTx::lent(tx)))
            }
            // A connection of its own, because the writer is somebody's and readers cannot write.
            Self::Sqlite { writer, .. } => {
                let pool = SqlitePoolOptions::new().max_connections(1);
                let pool = pool.connect_with(bulky(writer)).await?;
                begin_sqlite(&pool, "begin").await
            }
        }
    }

    /// The same database for work in bulk: SQLite through a writer of our own, which has a larger
    /// cache and is refused at once while another writes, so that its owner decides when to ask again.
    pub async fn in_bulk(&self) -> Result<Self, Error> {
        Ok(self.written_in_bulk(Duration::ZERO).await?)
    }

    /// Waits so long while another writes.
    async fn written_in_bulk(&self, patience: Duration) -> sqlx::Result<Self> {
        let Self::Sqlite {
            writer,
            readers,
            checkpoints,
        } = self
        else {
            return Ok(self.clone());
        };
        let pool = SqlitePoolOptions::new().max_connections(1);
        let writer = pool
            .connect_with(bulky(writer).busy_timeout(patience))
            .await?;
        Ok(Self::Sqlite {
            writer,
            readers: readers.clone(),
            checkpoints: checkpoints.clone(),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Postgres(pool) => sqlx::query("select 1").execute(pool).await.map(drop)?,
            Self::Sqlite { readers, .. } => {
                sqlx::query("select 1").execute(readers).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

/// The writer's options for a connection that does more at a time.
fn bulky(writer: &SqlitePool) -> SqliteConnectOptions {
    let options = writer.connect_options().as_ref().clone();
    let options = options.pragma("cache_size", SCRATCH_CACHE);
    options.pragma("temp_store", SCRATCH_TABLES)
}

/// SQLite ends a transaction by itself when the disk is full or fails. The rollback that sqlx sends
/// then fails, and it counts the connection as inside a transaction for ever: such a one is replaced.
async fn begin_sqlite(pool: &SqlitePool, statement: &'static str) -> Result<Tx, Error> {
    for _ in 0..pool.options().get_max_connections() {
        match pool.begin_with(statement).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                tracing::warn!("replacing a connection that SQLite took out of its transaction");
            }
            outcome => return Ok(Tx::Sqlite(outcome?)),
        }
        let connection = pool.acquire().await?;
        if connection.is_in_transaction() {
            // What it says when it is closed does not matter any more.
            let _ = connection.detach().close_hard().await;
        }
    }
    Ok(Tx::Sqlite(pool.begin_with(statement).await?))
}

/// The database, and what to call it: without the password.
async fn postgres(url: &str, config: &Config) -> Result<(Database, String), ConnectError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(ConnectError::Url)?
        .application_name("taskledger")
        .options([
            // A stalled process must not hold the ledger's lock for ever.
            ("statement_timeout", "5000"),
            ("lock_timeout", "2000"),
            ("idle_in_transaction_session_timeout", "5000"),
            ("timezone", "UTC"),
        ]);
    let place = format!(
        "{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    let opened = PgPoolOptions::new()
        .max_connections(config.database_max_connections)
        .acquire_timeout(config.acquire_timeout())
        .max_lifetime(Duration::from_mins(30))
        .connect_with(options.clone())
        .await;
    match opened {
        Ok(pool) => Ok((Database::Postgres(pool), place)),
        Err(sqlx::Error::PoolTimedOut) => Err(cannot_open(&place)(unanswered(&options).await)),
        Err(cause) => Err(cannot_open(&place)(cause)),
    }
}

/// The pool tries again until its time is over and keeps to itself what was wrong; asked once more without
/// it, the server or the system says so.
async fn unanswered(options: &PgConnectOptions) -> sqlx::Error {
    let attempt = PgConnection::connect_with(options);
    match tokio::time::timeout(LAST_ATTEMPT, attempt).await {
        Ok(Err(cause)) => cause,
        Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
    }
}

async fn sqlite(url: &str, config: &Config) -> Result<(Database, String), ConnectError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(ConnectError::Url)?
        .create_if_missing(config.database_migrate != MigrateMode::Check)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged command survives a power cut; batching pays for the flushes.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(SQLITE_BUSY_TIMEOUT)
        .statement_cache_capacity(SQLITE_STATEMENTS)
        .pragma("wal_autocheckpoint", checkpoint::MOST.to_string());
    let place = options.get_filename().display().to_string();
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .test_before_acquire(false) // It lives in this process.
        .acquire_timeout(config.acquire_timeout())
        .connect_with(
            options
                .clone()
                .pragma("cache_size", SQLITE_CACHE)
                .pragma("temp_store", SQLITE_UNDO),
        )
        .await
        .map_err(cannot_open(&place))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(config.database_max_connections)
        .test_before_acquire(false)
        .acquire_timeout(config.acquire_timeout())
        .connect_with(options.pragma("query_only", "on"))
        .await
        .map_err(cannot_open(&place))?;
    let checkpoints = Checkpoints::start(&writer, &readers);
    let database = Database::Sqlite {
        writer,
        readers,
        checkpoints,
    };
    Ok((database, place))
}

fn cannot_open(place: &str) -> impl Fn(sqlx::Error) -> ConnectError {
    move |cause| ConnectError::Open {
        place: place.to_owned(),
        cause,
    }
}
