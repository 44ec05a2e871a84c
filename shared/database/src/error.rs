//! What can go wrong with a database, by what a caller can do about it.

use std::borrow::Cow;

use sqlx::error::ErrorKind;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// What an operator can do when the server lets nobody in.
const LET_IN: &str = "give its role the password that DATABASE_URL has, or the service the new one, and see that \
                      role and database exist";
/// What an operator can do when nobody answers.
const REACH: &str = "see that a server is there, and that DATABASE_URL has its host and port";
/// What an operator can do when a file cannot be opened.
const OPEN: &str = "see that its directory is there and this process may write in it";

/// A statement that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, busy or full: the same statement may succeed later.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The server knows neither this role nor this password, or there is no such database. An operator mends
    /// it; who waits is let in then.
    #[error("the database lets nobody in: {LET_IN}")]
    Refused(#[source] sqlx::Error),
    /// A constraint was violated. PostgreSQL names it, SQLite names its columns; see [`ResultExt`].
    #[error("constraint {name} is violated")]
    Constraint {
        /// PostgreSQL: the constraint's name; SQLite: `table.column, table.column`.
        name: String,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The statement itself is wrong: a bug.
    #[error("a statement failed")]
    Query(#[source] sqlx::Error),
    /// A row that our code cannot have written.
    #[error("{table}.{column} of {id} is corrupt: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        id: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// Whether waiting may help.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Refused(_))
    }

    /// The database's own code for it, such as an SQLSTATE of PostgreSQL.
    pub fn code(&self) -> Option<Cow<'_, str>> {
        let error = match self {
            Self::Unavailable(source)
            | Self::Refused(source)
            | Self::Query(source)
            | Self::Constraint { source, .. } => source.as_database_error(),
            Self::Corrupt { .. } => None,
        };
        error?.code()
    }

    fn cause(&self) -> String {
        match self {
            Self::Unavailable(source)
            | Self::Refused(source)
            | Self::Query(source)
            | Self::Constraint { source, .. } => first(source),
            corrupt @ Self::Corrupt { .. } => corrupt.to_string(),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            return Self::Unavailable(error);
        }
        if is_refusal(&error) {
            return Self::Refused(error);
        }
        match violated(&error) {
            Some(name) => Self::Constraint {
                name,
                source: error,
            },
            None => Self::Query(error),
        }
    }
}

/// A database that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL's scheme is not ours.
    #[error("the database URL must begin with postgres:// or sqlite://")]
    Scheme,
    /// The URL cannot be read.
    #[error("the database URL cannot be read")]
    Url(#[source] sqlx::Error),
    /// The server does not answer or the file cannot be opened.
    #[error("the database {place} cannot be opened: {}", advised(cause))]
    Open {
        /// The file, or the server's host, port and database.
        place: String,
        /// Why; told in the sentence, and so not once more as its source.
        cause: sqlx::Error,
    },
    /// Migrations are pending and may not be applied here.
    #[error(
        "the database lacks migration {set}/{name}; run once with --database-migrate apply (as a role that may change tables)"
    )]
    Pending {
        /// The set it belongs to.
        set: &'static str,
        /// The migration.
        name: &'static str,
    },
    /// An applied migration is not the one in this binary.
    #[error(
        "migration {set}/{name} was applied with another text: this binary does not fit this database"
    )]
    Changed {
        /// The set it belongs to.
        set: &'static str,
        /// The migration.
        name: String,
    },
    /// A migration failed; nothing of it was kept.
    #[error("migration {set}/{name} of the database {place} failed: {}", cause.cause())]
    Failed {
        /// The set it belongs to.
        set: &'static str,
        /// The migration.
        name: &'static str,
        /// The file, or the server's host, port and database.
        place: String,
        /// Why; told in the sentence, and so not once more as its source.
        cause: Error,
    },
    /// The list of applied migrations cannot be read.
    #[error("the migrations of the database {place} cannot be read: {}", cause.cause())]
    List {
        /// The file, or the server's host, port and database.
        place: String,
        /// Why; told in the sentence, and so not once more as its source.
        cause: Error,
    },
}

/// What the driver says, without the words that it puts before it and says again as the source.
fn first(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => database.message().to_owned(),
        other => other.to_string(),
    }
}

fn advised(error: &sqlx::Error) -> String {
    let said = first(error);
    match advice(error) {
        Some(advice) => format!("{said}: {advice}"),
        None => said,
    }
}

fn advice(error: &sqlx::Error) -> Option<&'static str> {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Some(REACH),
        sqlx::Error::Database(database) if database.code().as_deref() == Some("14") => Some(OPEN),
        refusal if is_refusal(refusal) => Some(LET_IN),
        _ => None,
    }
}

/// Turns a violated constraint into a domain error where the statement is.
pub trait ResultExt<T> {
    /// `postgres` is the constraint's name, `sqlite` its columns as `table.column, table.column`.
    fn on_constraint<E: From<Error>>(
        self,
        postgres: &str,
        sqlite: &str,
        then: impl FnOnce() -> E,
    ) -> Result<T, E>;
}

impl<T> ResultExt<T> for Result<T, Error> {
    fn on_constraint<E: From<Error>>(
        self,
        postgres: &str,
        sqlite: &str,
        then: impl FnOnce() -> E,
    ) -> Result<T, E> {
        self.map_err(|error| match &error {
            Error::Constraint { name, .. } if name == postgres || name == sqlite => then(),
            _ => error.into(),
        })
    }
}

fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::InvalidSavePointStatement // A broken SQLite connection, being replaced.
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if database.try_downcast_ref::<PgDatabaseError>().is_some() {
                postgres_heals(&code)
            } else {
                sqlite_heals(&code)
            }
        }
        _ => false,
    }
}

/// What the server says to who wants to come in, never to a statement: SQLSTATE class 28, name or password;
/// 3D000, no such database; 42501 without a way on, no right to connect.
fn is_refusal(error: &sqlx::Error) -> bool {
    let database = error.as_database_error();
    let server = database.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    server.is_some_and(|error| {
        let fatal = error.severity() == PgSeverity::Fatal;
        error.code().starts_with("28")
            || error.code() == "3D000"
            || error.code() == "42501" && fatal
    })
}

/// SQLSTATE classes 08 connection, 53 resources, 57P operator intervention, 40 rollback; the timeouts;
/// 58030 I/O; 25006 read-only: a standby answers while its promotion is under way.
fn postgres_heals(code: &str) -> bool {
    ["08", "53", "57P", "40"]
        .iter()
        .any(|class| code.starts_with(class))
        || matches!(code, "57014" | "55P03" | "25P03" | "58030" | "25006")
}

/// Primary result codes: 5 BUSY, 6 LOCKED, 10 IOERR, 13 FULL, 14 CANTOPEN, 15 PROTOCOL (a lost race for the WAL). Extended codes keep them in the low byte.
fn sqlite_heals(code: &str) -> bool {
    let primary = code.parse::<i32>().unwrap_or_default() & 0xff;
    matches!(primary, 5 | 6 | 10 | 13 | 14 | 15)
}

fn violated(error: &sqlx::Error) -> Option<String> {
    let database = error.as_database_error()?;
    if matches!(database.kind(), ErrorKind::Other) {
        return None;
    }
    if let Some(name) = database.constraint() {
        return Some(name.to_owned());
    }
    // SQLite: "UNIQUE constraint failed: table.column, table.column".
    database
        .message()
        .rsplit_once(": ")
        .map(|(_, columns)| columns.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_heals_and_a_syntax_error_does_not() {
        assert!(sqlite_heals("13"));
        assert!(sqlite_heals("2570")); // IOERR_FSYNC family: 10 in the low byte
        assert!(!sqlite_heals("1"));
        assert!(postgres_heals("53100"));
        assert!(postgres_heals("57P01"));
        assert!(postgres_heals("25006"));
        assert!(!postgres_heals("42601"));
    }
}
