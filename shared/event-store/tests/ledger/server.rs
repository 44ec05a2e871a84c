//! A PostgreSQL server of one test's own, to be killed and started again. It is made with the
//! programs, and runs as the account, of the server that all tests share.

use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use database::sqlx::{self, Connection, PgConnection};
use database::testing::TestDatabase;
use database::{Config, Database, Tx};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Server {
    binaries: PathBuf,
    account: (u32, u32),
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// A running server; `None` when there is no PostgreSQL to be had.
    pub(crate) async fn start() -> Option<Self> {
        let databases = TestDatabase::every(&[]).await;
        let shared = databases.iter().find(|one| one.is_postgres())?;
        let (binaries, data) = places(&shared.database).await;
        let owner = std::fs::metadata(data).unwrap();
        let account = (owner.uid(), owner.gid());
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(account.0), Some(account.1)).unwrap();
        let created = command(&binaries.join("initdb"), account, folder.path())
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "--pgdata=data"])
            .stdout(Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(created.success());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let process = spawn(&binaries, account, folder.path(), port);
        let server = Self {
            binaries,
            account,
            folder,
            port,
            process,
        };
        server.ready().await;
        Some(server)
    }

    /// A database of this server; `options` end its `create database`.
    pub(crate) async fn database(&self, name: &str, options: &str) -> Config {
        let create = format!("create database {name} {options}");
        self.run(create).await;
        Config::for_url(self.url(name))
    }

    /// Carries out a statement as the server's owner.
    pub(crate) async fn run(&self, statement: String) {
        let mut admin = PgConnection::connect(&self.url("postgres")).await.unwrap();
        let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
        statement.execute(&mut admin).await.unwrap();
    }

    /// What `pg_ctl stop -m immediate` does: no checkpoint, and everybody is thrown out.
    pub(crate) async fn stop_immediately(&mut self) {
        let process = self.process.id().unwrap().to_string();
        let signal = Command::new("kill").args(["-QUIT", &process]).status();
        assert!(signal.await.unwrap().success());
        self.process.wait().await.unwrap();
    }

    /// Starts it again, and waits until it has recovered.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(&self.binaries, self.account, self.folder.path(), self.port);
        self.ready().await;
    }

    /// A folder that belongs to the server's account.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        self.own(&folder);
        folder
    }

    pub(crate) fn own(&self, folder: &Path) {
        chown(folder, Some(self.account.0), Some(self.account.1)).unwrap();
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    async fn ready(&self) {
        let mut looks = interval(Duration::from_millis(50));
        let answers = async {
            while PgConnection::connect(&self.url("postgres")).await.is_err() {
                looks.tick().await;
            }
        };
        timeout(PATIENCE, answers).await.unwrap();
    }
}

/// Where the shared server's programs and its data are.
async fn places(shared: &Database) -> (PathBuf, String) {
    let Tx::Postgres(mut tx) = shared.read().await.unwrap() else {
        unreachable!("it is on PostgreSQL")
    };
    let (binaries, data): (String, String) = sqlx::query_as(
        "select (select setting from pg_config where name = 'BINDIR'),
                current_setting('data_directory')",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    (PathBuf::from(binaries), data)
}

fn command(program: &Path, (user, group): (u32, u32), folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).uid(user).gid(group);
    command
}

fn spawn(binaries: &Path, account: (u32, u32), folder: &Path, port: u16) -> Child {
    command(&binaries.join("postgres"), account, folder)
        .args(["-D", "data", "-p", &port.to_string(), "-k"])
        .arg(folder)
        .args(["-c", "listen_addresses=127.0.0.1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
