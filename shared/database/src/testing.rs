//! Fresh databases for tests: a SQLite file always, and a PostgreSQL database when a server is named.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot get its database must stop"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;

use crate::{Config, Database, MigrationSet};

/// The environment variable that names a throw-away server, set by `cargo xtask test-postgres`.
pub const POSTGRES_URL: &str = "TEST_POSTGRES_URL";

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A database of its own for one test.
#[derive(Debug)]
pub struct TestDatabase {
    /// The open database.
    pub database: Database,
    /// What it was opened with, to open it once more.
    pub config: Config,
    _directory: TempDir,
}

impl TestDatabase {
    /// One of every kind that can be had: run the test's body on each.
    pub async fn every(sets: &[MigrationSet]) -> Vec<Self> {
        let mut all = vec![Self::sqlite(sets).await];
        if let Some(server) = server() {
            all.push(Self::postgres(&server, sets).await);
        }
        all
    }

    /// Whether it is on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// What it is called when a test says what it measured.
    pub fn name(&self) -> &'static str {
        if self.is_postgres() {
            "PostgreSQL"
        } else {
            "SQLite"
        }
    }

    /// A fresh SQLite file.
    pub async fn sqlite(sets: &[MigrationSet]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = format!("sqlite://{}/test.db", directory.path().display());
        Self::open(Config::for_url(url), directory, sets).await
    }

    /// A fresh database that the test made itself.
    pub async fn over(config: Config, sets: &[MigrationSet]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self::open(config, directory, sets).await
    }

    /// A fresh database on the named server.
    async fn postgres(server: &str, sets: &[MigrationSet]) -> Self {
        let name = format!(
            "test_{}_{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(server)
            .await
            .expect("the test server answers");
        sqlx::query(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut admin)
            .await
            .expect("a database of its own");
        let (base, _) = server
            .rsplit_once('/')
            .expect("a server URL with a database");
        Self::over(Config::for_url(format!("{base}/{name}")), sets).await
    }

    async fn open(config: Config, directory: TempDir, sets: &[MigrationSet]) -> Self {
        let database = Database::connect(&config, sets)
            .await
            .expect("a fresh database opens");
        Self {
            database,
            config,
            _directory: directory,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line to say it on"
)]
fn server() -> Option<String> {
    std::env::var(POSTGRES_URL).ok()
}
