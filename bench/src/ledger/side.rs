//! One run of one side: a fresh database, a process, a load.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::ensure;
use clock::SharedClock;
use task_api::app::verifier;

use super::config::{Config, Relay};
use crate::case::{Load, Side};
use crate::child::{Child, free_address};
use crate::cpu::Meter;
use crate::driver::Run;
use crate::place::{Fresh, Place};
use crate::{ceiling, driver, store};

/// What a normal implementation gives its pool.
const NAIVE_CONNECTIONS: usize = 16;

/// The stand-in sidecar and where it listens; `None` when nothing shall listen.
#[derive(Debug)]
pub(super) struct Sidecar {
    child: Child,
    address: SocketAddr,
}

/// What all runs have in common.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub(super) config: &'a Config,
    pub(super) place: &'a Place<'a>,
    pub(super) folder: &'a Path,
    pub(super) sidecar: Option<&'a Sidecar>,
    pub(super) clock: SharedClock,
}

pub(super) async fn sidecar(relay: Relay, folder: &Path) -> anyhow::Result<Option<Sidecar>> {
    if relay == Relay::Off {
        return Ok(None);
    }
    let address = free_address()?;
    let arguments = ["--listen".to_owned(), address.to_string()];
    let child = Child::start("sidecar", &arguments, address, folder).await?;
    Ok(Some(Sidecar { child, address }))
}

impl Sidecar {
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.child.stop().await
    }
}

impl Stage<'_> {
    pub(super) async fn run(&self, side: Side, load: Load) -> anyhow::Result<Run> {
        let fresh = self.place.fresh("run").await?;
        let run = match side {
            Side::Ceiling => self.write_directly(&fresh).await?,
            Side::Ledger | Side::Naive => self.serve(side, load, &fresh).await?,
        };
        if self.config.verify {
            verify(side, &fresh).await?;
        }
        self.place.remove(fresh).await?;
        Ok(run)
    }

    async fn write_directly(&self, fresh: &Fresh) -> anyhow::Result<Run> {
        let database = fresh.connect().await?;
        let meter = self.meter(None);
        let run = ceiling::run(&database, self.config.times(), meter, &self.clock).await?;
        database.close().await;
        Ok(run)
    }

    async fn serve(&self, side: Side, load: Load, fresh: &Fresh) -> anyhow::Result<Run> {
        let address = free_address()?;
        let (name, arguments) = match side {
            Side::Naive => ("naive", naive(fresh, address)),
            Side::Ledger | Side::Ceiling => ("task-api", self.task_api(fresh, address)?),
        };
        let child = Child::start(name, &arguments, address, self.folder).await?;
        let (times, meter) = (self.config.times(), self.meter(Some(child.id())));
        let mut run = driver::run(address, load, times, meter, &self.clock).await?;
        if side == Side::Ledger {
            run.unpublished = Some(unpublished(fresh).await?);
        }
        child.stop().await?;
        Ok(run)
    }

    fn meter(&self, service: Option<u32>) -> Meter {
        Meter {
            database: self.place.process(),
            service,
            sidecar: self.sidecar.map(|sidecar| sidecar.child.id()),
        }
    }

    fn task_api(&self, fresh: &Fresh, address: SocketAddr) -> anyhow::Result<Vec<String>> {
        let sidecar = match self.sidecar {
            Some(sidecar) => sidecar.address,
            None => free_address()?,
        };
        let flags = [
            ("--listen", address.to_string()),
            ("--sidecar-listen", free_address()?.to_string()),
            ("--ops-listen", free_address()?.to_string()),
            ("--database-url", fresh.url.clone()),
            ("--database-migrate", "apply".to_owned()),
            ("--dapr-http-port", sidecar.port().to_string()),
        ];
        Ok(arguments(flags))
    }
}

fn naive(fresh: &Fresh, address: SocketAddr) -> Vec<String> {
    arguments([
        ("--listen", address.to_string()),
        ("--database-url", fresh.url.clone()),
        ("--database-migrate", "apply".to_owned()),
        ("--database-max-connections", NAIVE_CONNECTIONS.to_string()),
    ])
}

fn arguments<const N: usize>(flags: [(&str, String); N]) -> Vec<String> {
    let both = |(flag, value): (&str, String)| [flag.to_owned(), value];
    flags.into_iter().flat_map(both).collect()
}

/// How far the relay is behind at the end of a run.
async fn unpublished(fresh: &Fresh) -> anyhow::Result<u64> {
    let database = fresh.connect().await?;
    let mut tx = database.read().await?;
    let count = store::unpublished(&mut tx).await?;
    tx.rollback().await?;
    database.close().await;
    Ok(u64::try_from(count)?)
}

/// Whichever side wrote it, it is a ledger: then the same rows were compared.
async fn verify(side: Side, fresh: &Fresh) -> anyhow::Result<()> {
    let database = fresh.connect().await?;
    if side == Side::Naive {
        let mut tx = database.begin().await?;
        store::number_as_a_ledger(&mut tx).await?;
        tx.commit().await?;
    }
    let found = verifier(&database).run().await?;
    let labels = store::labels(&database).await?;
    database.close().await;
    ensure!(
        found.findings.is_empty() && found.events > 0 && labels > 0,
        "the {side} side wrote {} events and {labels} labels: {:?}",
        found.events,
        found.findings
    );
    Ok(())
}
