//! Settings of a database connection.

use std::time::Duration;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

/// Where the database is and how many connections it may have.
#[derive(Clone, Debug, Args)]
#[group(id = "database")]
pub struct Config {
    /// `postgres://…` or `sqlite://path/to/file`.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,

    /// The most connections in this process's pool to PostgreSQL, or readers to SQLite. On PostgreSQL the
    /// lane keeps two more and the relay one.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 8)]
    pub database_max_connections: u32,

    /// How long a request may wait for a connection, in milliseconds.
    #[arg(long, env = "DATABASE_ACQUIRE_TIMEOUT_MS", default_value_t = 3000)]
    pub database_acquire_timeout_ms: u64,

    /// Whether pending migrations are applied at start. By default on SQLite only.
    #[arg(long, env = "DATABASE_MIGRATE", value_enum, default_value_t = MigrateMode::Auto)]
    pub database_migrate: MigrateMode,
}

/// Whether pending migrations are applied at start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MigrateMode {
    /// Apply on SQLite; on PostgreSQL refuse to start while one is pending.
    #[default]
    Auto,
    /// Apply.
    Apply,
    /// Refuse to start while one is pending.
    Check,
}

impl Config {
    /// The defaults for a URL, without a command line.
    pub fn for_url(url: impl Into<String>) -> Self {
        Self {
            database_url: SecretString::from(url.into()),
            database_max_connections: 8,
            database_acquire_timeout_ms: 3000,
            database_migrate: MigrateMode::Apply,
        }
    }

    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.database_acquire_timeout_ms)
    }
}
