//! What does not fit is said with what to do, before anything listens.

use std::process::{Output, Stdio};
use std::time::Duration;

use database::testing::TestDatabase;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

type Settings<'a> = &'a [(&'a str, &'a str)];

/// For a service that has to end by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// The doors, as they are set.
const DOORS: [&str; 3] = [
    "LISTEN_ADDRESS",
    "SIDECAR_LISTEN_ADDRESS",
    "OPS_LISTEN_ADDRESS",
];

/// What is wrong, what the process ends with, and what has to be said of it.
const CASES: [(Settings, i32, &str); 14] = [
    (
        &[("DATABASE_URL", "")],
        1,
        "the database URL must begin with postgres:// or sqlite://",
    ),
    (
        &[("DATABASE_URL", "mysql://someone:hidden@db/tasks")],
        1,
        "the database URL must begin with postgres:// or sqlite://",
    ),
    (
        &[("DATABASE_URL", "postgres://someone:hidden@db:port/tasks")],
        1,
        "the database URL cannot be read",
    ),
    (
        &[
            (
                "DATABASE_URL",
                "postgres://someone:hidden@127.0.0.1:1/tasks",
            ),
            ("DATABASE_ACQUIRE_TIMEOUT_MS", "200"),
        ],
        1,
        "the database 127.0.0.1:1/tasks cannot be opened: error communicating with database: \
         Connection refused (os error 111): see that a server is there",
    ),
    (
        &[("DATABASE_URL", "sqlite:///nowhere/tasks.db")],
        1,
        "the database /nowhere/tasks.db cannot be opened: unable to open database file: see that its directory",
    ),
    (
        &[("LISTEN_ADDRESS", "0.0.0.0:0")],
        1,
        "refusing to listen on 0.0.0.0:0 without authentication: set AUTH_JWT_KEY",
    ),
    (
        &[("AUTH_JWT_KEY", "hidden")],
        1,
        "AUTH_JWT_KEY must have at least 32 bytes, and has 6",
    ),
    (
        &[("LISTEN_ADDRESS", "0.0.0.0:0"), ("AUTH_JWT_KEY", "")],
        1,
        "refusing to listen on 0.0.0.0:0 without authentication",
    ),
    (
        &[("SIDECAR_LISTEN_ADDRESS", "0.0.0.0:0")],
        1,
        "refusing to listen for the sidecar on 0.0.0.0:0 without a token: set APP_API_TOKEN",
    ),
    (
        &[("APP_API_TOKEN", "")],
        2,
        "'--app-api-token <APP_API_TOKEN>': a token must not be empty",
    ),
    (
        &[("DAPR_API_TOKEN", "")],
        2,
        "'--dapr-api-token <DAPR_API_TOKEN>': a token must not be empty",
    ),
    (
        &[("DAPR_API_TOKEN", "two\nhidden")],
        1,
        "the sidecar's token cannot be sent in a header",
    ),
    (
        &[("OPS_LISTEN_ADDRESS", "everywhere")],
        2,
        "'everywhere' for '--ops-listen <OPS_LISTEN>': invalid socket address",
    ),
    (
        &[("DAPR_HTTP_PORT", "port")],
        2,
        "'port' for '--dapr-http-port <DAPR_HTTP_PORT>': invalid digit",
    ),
];

/// A service with nothing around it but a place for its tables.
fn command(database: &TestDatabase) -> Command {
    let mut service = Command::new(env!("CARGO_BIN_EXE_task-api"));
    service.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    let url = database.config.database_url.expose_secret();
    service.env("DATABASE_URL", url);
    service.env("RUST_LOG", "service_kit::lifecycle=info");
    service.envs(DOORS.map(|door| (door, "127.0.0.1:0")));
    service
}

async fn end(mut service: Command) -> Option<Output> {
    let ended = timeout(PATIENCE, service.output()).await;
    ended.ok().map(|ended| ended.unwrap())
}

/// What differs from "ends like this, says this, keeps secrets and opens no door".
async fn wrong(service: Command, code: i32, expected: &str) -> Option<String> {
    let Some(output) = end(service).await else {
        return Some(format!("no end, and not: {expected}"));
    };
    let said = String::from_utf8(output.stderr).unwrap();
    let as_it_should = output.status.code() == Some(code)
        && said.contains(expected)
        && !said.contains("hidden")
        && !said.contains("listens on");
    (!as_it_should).then(|| format!("{}, not {code}: {expected}\n{said}", output.status))
}

#[tokio::test]
async fn a_setting_that_does_not_fit() {
    let mut all = Vec::new();
    for (settings, code, expected) in CASES {
        let database = TestDatabase::sqlite(&[]).await;
        let mut service = command(&database);
        service.envs(settings.iter().copied());
        all.extend(wrong(service, code, expected).await);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[tokio::test]
async fn no_database_url() {
    let database = TestDatabase::sqlite(&[]).await;
    let mut service = command(&database);
    service.env_remove("DATABASE_URL");
    assert_eq!(
        wrong(service, 2, "--database-url <DATABASE_URL>").await,
        None
    );
}

#[tokio::test]
async fn an_address_that_is_taken() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let expected = format!("cannot listen on {taken}: another program already does");
    for door in DOORS {
        let database = TestDatabase::sqlite(&[]).await;
        let mut service = command(&database);
        service.env(door, &taken);
        assert_eq!(wrong(service, 1, &expected).await, None, "{door}");
    }
}

/// What is done to an empty database, how migrations are set, and what has to be said of it.
const TABLES: [(&str, &str, &str); 3] = [
    (
        "create table tasks (other integer)",
        "apply",
        "migration task-api/0001_tasks of the database",
    ),
    (
        "create table other (id integer)",
        "check",
        "the database lacks migration event-store/0001_ledger; run once with --database-migrate apply",
    ),
    (
        "create table migration as
            select 'event-store' as migration_set, '0001_ledger' as name, 'other' as checksum",
        "apply",
        "migration event-store/0001_ledger was applied with another text",
    ),
];

#[tokio::test]
async fn tables_that_do_not_fit() {
    for (statement, mode, expected) in TABLES {
        for test in TestDatabase::every(&[]).await {
            let mut tx = test.database.begin().await.unwrap();
            let done = database::on!(&mut tx, conn =>
                sqlx::query(statement).execute(conn).await.map(drop));
            done.unwrap();
            tx.commit().await.unwrap();

            let mut service = command(&test);
            service.env("DATABASE_MIGRATE", mode);
            let wrong = wrong(service, 1, expected).await;
            assert_eq!(wrong, None, "{}", test.name());
        }
    }
}
