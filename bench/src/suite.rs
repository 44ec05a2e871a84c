//! The whole suite as `taskledger` runs it on one machine: four services and the local sidecar in a
//! process of their own, each service on a SQLite file that can be read beside it.

mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{bail, ensure};
use axum::body::Bytes;
use clap::Parser;
use database::{Database, Error, MigrateMode};
use event_schema::App as Service;
use service_kit::telemetry;
use taskledger::app::App;
use taskledger::config::{Cli, Command};
use tokio::time::Instant;

use crate::child::{Child, free_address};
use crate::cpu::Parts;
use crate::driver::{Asked, Connection};
pub(crate) use store::{Written, position, seen, written};

const POLL: Duration = Duration::from_millis(50);
/// When something has not come about by then, it is lost.
const PATIENCE: Duration = Duration::from_mins(10);

/// A running suite with nothing in it.
#[derive(Debug)]
pub(crate) struct Suite {
    address: SocketAddr,
    folder: PathBuf,
    child: Child,
}

/// Settings of the child.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Config {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    data_dir: PathBuf,
}

/// Within the child: serves until `stop`.
pub(crate) async fn run(config: Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let (listen, data_dir) = (config.listen.to_string(), config.data_dir.display());
    let arguments = ["taskledger", "--listen", &listen, "--data-dir"];
    let arguments = arguments.map(str::to_owned).into_iter();
    let Command::Up(config) = Cli::parse_from(arguments.chain([data_dir.to_string()])).command()
    else {
        bail!("these arguments mean up")
    };
    let telemetry = telemetry::init("taskledger", &config.telemetry())?;
    let outcome = async { Box::pin(App::build(*config)).await?.run(stop).await }.await;
    telemetry.shutdown().await;
    outcome
}

impl Suite {
    /// Starts one that keeps what it has below this folder.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let data = folder.join("data");
        let arguments = [
            "--listen".to_owned(),
            address.to_string(),
            "--data-dir".to_owned(),
            data.display().to_string(),
        ];
        let child = Child::start("suite", &arguments, address, folder).await?;
        // It has its address before it has anything behind it; what it is asked meanwhile waits.
        let mut connection = Connection::open(address).await?;
        let (status, body) = connection.ask(&Asked::get("/readyz")).await?;
        ensure!(status.is_success(), "it is not ready: {body:?}");
        Ok(Self {
            address,
            folder: data,
            child,
        })
    }

    /// Its process.
    pub(crate) fn parts(&self) -> Parts {
        Parts(vec![("suite".to_owned(), self.child.id())])
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.child.stop().await
    }

    /// The file of a service, beside the service.
    pub(crate) async fn ledger(&self, app: Service) -> anyhow::Result<Database> {
        let url = format!("sqlite://{}/{}.db", self.folder.display(), app.id());
        let config = database::Config {
            database_migrate: MigrateMode::Check,
            ..database::Config::for_url(url)
        };
        Ok(Database::connect(&config, &[event_store::MIGRATIONS]).await?)
    }

    /// Asks for so many things, from so many clients, each the next after the answer; gives the answers
    /// in the order of the questions.
    pub(crate) async fn ask_all(
        &self,
        count: usize,
        clients: usize,
        asked: impl Fn(usize) -> Asked,
    ) -> anyhow::Result<Vec<Bytes>> {
        let taken = Arc::new(AtomicUsize::new(0));
        let client = async || {
            let mut connection = Connection::open(self.address).await?;
            let mut answers = Vec::new();
            loop {
                let number = taken.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(answers);
                }
                let asked = asked(number);
                let (status, body) = connection.ask(&asked).await?;
                let said = String::from_utf8_lossy(&body);
                ensure!(
                    status.is_success(),
                    "{} was answered {status}: {said}",
                    asked.path
                );
                answers.push((number, body));
            }
        };
        let answers = futures_util::future::try_join_all((0..clients).map(|_| client())).await?;
        let mut answers = answers.concat();
        answers.sort_unstable_by_key(|(number, _)| *number);
        Ok(answers.into_iter().map(|(_, body)| body).collect())
    }
}

/// Waits until a count has come to so much; fails with the last one when nothing comes any more.
pub(crate) async fn until(
    what: &str,
    wanted: i64,
    count: impl AsyncFn() -> Result<i64, Error>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = count().await?;
        if now >= wanted {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{what}: {now} of {wanted}");
        tokio::time::sleep(POLL).await;
    }
}
